// deep MEGABYTES: fills a heap of that size, then crashes thirty frames deep in a shared library.
#include "deep.h"

#include <cstdlib>
#include <cstring>

int main(int, char **argv) {
    Request request;
    request.name = "request";
    constexpr std::size_t megabyte = 1 << 20;
    for (int left = std::atoi(argv[1]); left > 0; left--) {
        request.pages.push_back(std::make_unique<char[]>(megabyte));
        std::memset(request.pages.back().get(), left & 0x7f | 1, megabyte);
    }
    return answer(request);
}
