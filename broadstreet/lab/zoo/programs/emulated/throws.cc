// Crashes of aarch64 C++ programs around an exception: `throws CASE`. See crash.c.

#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

#define APART __attribute__((noinline, noclone))

static int *volatile nothing;

static void write_maps() {
    char piece[4096];
    ssize_t size;
    int maps = open("/proc/self/maps", O_RDONLY);
    while ((size = read(maps, piece, sizeof piece)) > 0)
        if (write(3, piece, size) != size) break;
    close(maps);
}

struct Guard {
    APART ~Guard() { *nothing = 1; }
};

APART static void thrown() { throw std::runtime_error("thrown"); }

APART static void through_a_destructor() {
    Guard guard;
    thrown();
}

int main(int count, char **words) {
    if (count < 2) return 1;
    write_maps();
    if (!strcmp(words[1], "uncaught")) thrown();
    try {
        through_a_destructor();
    } catch (const std::exception &) {
        return 0;
    }
    return 1;
}
