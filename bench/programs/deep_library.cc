// Twenty-five levels of distinct functions with frames of different shapes; the deepest writes through null.
#include "deep.h"

#include <map>

namespace {

struct Stage {
    virtual ~Stage() = default;
    virtual int run(Request &request) const = 0;
};

template <int Level> struct Nested : Stage {
    int run(Request &request) const override;
};

template <int Level> [[gnu::noinline]] int descend(Request &request, const std::map<std::string, int> &seen) {
    volatile char room[16 + Level * 24];
    room[0] = static_cast<char>(seen.size());
    std::map<std::string, int> more = seen;
    more[request.name + std::to_string(Level)] = Level;
    if constexpr (Level == 0) {
        *request.result = room[0];
        return 0;
    } else if constexpr (Level % 4 == 0) {
        Nested<Level - 1> next;
        const Stage &stage = next;
        return stage.run(request) + room[0];
    } else {
        return descend<Level - 1>(request, more) + room[0];
    }
}

template <int Level> int Nested<Level>::run(Request &request) const {
    return descend<Level>(request, {{request.name, Level}}) + 1;
}

}  // namespace

int answer(Request &request) { return descend<20>(request, {}) + 1; }
