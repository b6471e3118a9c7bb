/* Crashes on aarch64 by a known mechanism: `crash CASE`. The five functions of `deep` are the known callers.

Before it crashes it writes /proc/self/maps to descriptor 3, if that is open: qemu leaves NT_FILE out of its core dumps.
*/

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define APART __attribute__((noinline, noclone))
#define AFTER __asm__ volatile("" ::: "memory") /* something is left to do after the call: no tail call */

typedef int (*function)(int);
typedef void (*mechanism)(volatile int *pointer);

static volatile function no_function;
static const int constant = 7;
static int *volatile wild = (int *)0x123456789000;
static char stack_of_handler[65536] __attribute__((aligned(16)));

static void write_maps(void) {
    char piece[4096];
    ssize_t size;
    int maps = open("/proc/self/maps", O_RDONLY);
    while ((size = read(maps, piece, sizeof piece)) > 0)
        if (write(3, piece, size) != size) break;
    close(maps);
}

APART static void null_read(volatile int *pointer) { *(volatile int *)pointer = pointer[3] + 1; }

APART static void null_in_leaf(volatile int *pointer) { __asm__ volatile("ldr w0, [%0, #16]" ::"r"(pointer) : "w0"); }

APART static void null_indexed(volatile int *pointer) {
    long index = (long)pointer - 2;
    __asm__ volatile("add %0, %0, #8\n\tldr w1, [%0, %w1, sxtw #2]" : "+r"(pointer) : "r"(index) : "x1", "memory");
}

APART static void null_pair(volatile int *pointer) {
    __asm__ volatile("stp x5, x6, [%0], #16" : "+r"(pointer)::"memory");
}

/* The isb begins a new block of qemu's: within one, its helper for dc zva does not know the pc. */
APART static void null_zeroed(volatile int *pointer) {
    __asm__ volatile("isb\n\tdc zva, %0" ::"r"(pointer) : "memory");
}

APART static void null_atomic(volatile int *pointer) {
    __asm__ volatile("ldaxr w0, [%0]\n\tstlxr w1, w0, [%0]" ::"r"(pointer) : "w0", "w1", "memory");
}

APART static void null_memset(volatile int *pointer) { memset((void *)pointer, (int)(long)pointer, 4096); AFTER; }

APART static void null_call(volatile int *pointer) { (void)pointer; no_function(1); AFTER; }

APART static void null_tail_call(volatile int *pointer) {
    function target = no_function;
    (void)pointer;
    __asm__ volatile("" : "+r"(target));
    target(2); /* -O2 jumps */
}

APART static void null_return(volatile int *pointer) {
    (void)pointer;
    ((void *volatile *)__builtin_frame_address(0))[1] = 0;
}

APART static void wild_return(volatile int *pointer) {
    (void)pointer;
    ((void *volatile *)__builtin_frame_address(0))[1] = (void *)wild;
}

APART static void wild_call(volatile int *pointer) { (void)pointer; ((function)wild)(1); AFTER; }

APART static void wild_write(volatile int *pointer) { (void)pointer; *wild = 1; }

APART static void readonly_write(volatile int *pointer) { (void)pointer; *(volatile int *)&constant = 1; }

APART static void undefined(volatile int *pointer) { (void)pointer; __asm__ volatile("udf #0"); }

APART static void breakpoint(volatile int *pointer) { (void)pointer; __builtin_trap(); }

APART static int endless(volatile char *above) {
    volatile char frame[512];
    frame[0] = above[0];
    return endless(frame) + frame[0];
}

APART static void overflow(volatile int *pointer) { volatile char first = 0; (void)pointer; endless(&first); AFTER; }

APART static void aborted(volatile int *pointer) { (void)pointer; abort(); }

APART static void truncated(volatile int *pointer) {
    (void)pointer;
    int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    if (file < 0 || ftruncate(file, 4096)) exit(2);
    *(volatile char *)mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) = 1;
    char *pages = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ((volatile char *)pages)[4096] = 1;
}

APART static void unaligned(volatile int *pointer) {
    (void)pointer;
    __asm__ volatile("ldaxr w0, [%0]" ::"r"(stack_of_handler + 1) : "w0");
}

static void raise_again(int number, siginfo_t *info, void *context) {
    (void)info, (void)context;
    signal(number, SIG_DFL);
    raise(number);
}

static void abort_inside(int number, siginfo_t *info, void *context) {
    (void)number, (void)info, (void)context;
    abort();
}

static void with_handler(void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    stack_t other = {.ss_sp = stack_of_handler, .ss_size = sizeof stack_of_handler};
    sigaltstack(&other, 0);
    sigaction(SIGSEGV, &action, 0);
}

APART static void handled_raise(volatile int *pointer) { with_handler(raise_again, 0); null_read(pointer); AFTER; }

APART static void handled_raise_apart(volatile int *pointer) {
    with_handler(raise_again, SA_ONSTACK);
    null_read(pointer);
    AFTER;
}

APART static void handled_abort(volatile int *pointer) { with_handler(abort_inside, 0); null_read(pointer); AFTER; }

APART static void handled_abort_apart(volatile int *pointer) {
    with_handler(abort_inside, SA_ONSTACK);
    null_read(pointer);
    AFTER;
}

APART static int deep5(mechanism how, volatile int *pointer) { how(pointer); AFTER; return 5; }
APART static int deep4(mechanism how, volatile int *pointer) { return deep5(how, pointer) + 4; }
APART static int deep3(mechanism how, volatile int *pointer) { return deep4(how, pointer) + 3; }
APART static int deep2(mechanism how, volatile int *pointer) { return deep3(how, pointer) + 2; }
APART static int deep1(mechanism how, volatile int *pointer) { return deep2(how, pointer) + 1; }

static const struct {
    const char *name;
    mechanism how;
} cases[] = {
    {"null_read", null_read}, {"null_in_leaf", null_in_leaf}, {"null_indexed", null_indexed}, {"null_pair", null_pair},
    {"null_zeroed", null_zeroed}, {"null_atomic", null_atomic}, {"null_memset", null_memset}, {"null_call", null_call},
    {"null_tail_call", null_tail_call}, {"null_return", null_return}, {"wild_return", wild_return},
    {"wild_call", wild_call}, {"wild_write", wild_write}, {"readonly_write", readonly_write}, {"undefined", undefined},
    {"breakpoint", breakpoint}, {"overflow", overflow}, {"aborted", aborted}, {"truncated", truncated},
    {"unaligned", unaligned}, {"handled_raise", handled_raise}, {"handled_raise_apart", handled_raise_apart},
    {"handled_abort", handled_abort}, {"handled_abort_apart", handled_abort_apart},
};

static void *in_thread(void *how) {
    deep1((mechanism)how, 0);
    return 0;
}

int main(int count, char **words) {
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        if (count < 2 || strcmp(words[1], cases[at].name)) continue;
        write_maps();
        if (count > 2) {
            pthread_t thread;
            pthread_create(&thread, 0, in_thread, (void *)cases[at].how);
            pthread_join(thread, 0);
        }
        return deep1(cases[at].how, 0);
    }
    return 1;
}
