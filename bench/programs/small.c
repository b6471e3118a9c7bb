/* small FOLDER KIND DEPTH SEED: crashes in that folder, by that kind, that many calls deep. */
#include <assert.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile uintptr_t seed;
static const char constant[64] = "constant";

__attribute__((noinline)) static long fail(int kind) {
    volatile uintptr_t place = 0;
    switch (kind) {
    case 0: return *(volatile int *)(place + (seed & 0xff8));
    case 1: return *(volatile int *)(0x8000000000000000u | seed << 3);
    case 2: *(volatile char *)(uintptr_t)(constant + (seed & 31)) = 1; return 0;
    case 3: return ((long (*)(void))place)();
    case 4: return ((long (*)(void))(place + 0x600000000000 + (seed << 4)))();
    case 5: abort();
    case 6: assert(seed == 0); return 0;
    case 7: __builtin_trap();
    case 8: { volatile int none = (int)place; return (int)seed / none; }
    case 9: { char *volatile block = malloc(64 + (seed & 0xff)); free(block); free(block); return 0; }
    case 10: raise(SIGSEGV); return 0;
    default: __asm__ volatile("push $0\n ret"); return 0;
    }
}

__attribute__((noinline)) static long even(int depth, int kind);

__attribute__((noinline)) static long odd(int depth, int kind) {
    volatile long room[3] = {depth, kind, (long)seed};
    return (depth ? even(depth - 1, kind) : fail(kind)) + room[0];
}

__attribute__((noinline)) static long even(int depth, int kind) {
    volatile char room[200];
    room[0] = (char)depth;
    return (depth ? odd(depth - 1, kind) : fail(kind)) + room[0];
}

int main(int argc, char **argv) {
    (void)argc;
    seed = strtoul(argv[4], NULL, 10);
    if (mkdir(argv[1], 0700) || chdir(argv[1]))
        return 1;
    return (int)even(atoi(argv[3]), atoi(argv[2]));
}
