/* A check failed: the program, its run-time library or the compiler's guards call abort(). */

#include "harness.h"
#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <sys/select.h>

/* Declared in assert.h under _GNU_SOURCE; glibc's own name for it. */
extern void __assert_perror_fail(int, const char *, unsigned, const char *) __attribute__((noreturn));

static volatile uintptr_t sink;
static volatile size_t one = 1;
static volatile int none = 0;

NOINLINE static void touch(void) { sink++; }

/* abort_heap_corruption */

static char *volatile block;

static void *fill_cache(size_t bytes)
{
    void *blocks[8];
    for (int i = 0; i < 8; i++)
        blocks[i] = malloc(bytes);
    for (int i = 0; i < 7; i++)
        free(blocks[i]);
    return blocks[7];
}

static void double_free_cache(void)
{
    block = malloc(40);
    free(block);
    free(block);
    touch();
}

static void double_free_fast(void)
{
    block = fill_cache(40);
    free(block);
    free(block);
    touch();
}

static void double_free_large(void)
{
    block = malloc(2000);
    char *volatile guard = malloc(40);
    free(block);
    free(block);
    sink = (uintptr_t)guard;
}

static void heap_top_size(void)
{
    block = malloc(24);
    memset(block + 24, 0xff, 8 * one);
    block = malloc(4000);
    touch();
}

static void heap_top_size_small(void)
{
    block = malloc(24);
    *(volatile uintptr_t *)(block + 24) = 0x21;
    block = malloc(4000);
    touch();
}

static void heap_free_middle(void)
{
    block = malloc(200);
    memset(block, 0, 200);
    free(block + 24 * one);
    touch();
}

static void heap_free_stack(void)
{
    uintptr_t words[8] = {0, 0, 0, 0};
    block = (char *)(words + one * 2 + 1);
    free(block);
    touch();
}

static void heap_free_size(void)
{
    block = malloc(40);
    *(volatile uintptr_t *)(block - 8) = 0x7777777777777770;
    free(block);
    touch();
}

static void heap_unsorted(void)
{
    block = malloc(2000);
    char *volatile guard = malloc(40);
    free(block);
    ((volatile uintptr_t *)block)[1] = (uintptr_t)(guard + 8);
    memset(guard, 0, 40);
    block = malloc(3000);
    touch();
}

static void heap_overrun_size(void)
{
    char *volatile first = malloc(2000);
    char *volatile second = malloc(2000);
    char *volatile guard = malloc(40);
    char *end = first + 2000;
    memset(end, 'A', 24 * one);
    KEEP(end);
    free(second);
    sink = (uintptr_t)guard;
}

static void heap_realloc(void)
{
    block = malloc(100);
    block = realloc(block + 16 * one, 500);
    touch();
}

static void heap_unaligned_cache(void)
{
    char *first = malloc(40), *second = malloc(40);
    KEEP(first);
    free(first);
    free(second);
    *(volatile uintptr_t *)second ^= 0x8;
    KEEP(second);
    block = malloc(40);
    block = malloc(40);
    touch();
}

/* abort_assertion */

static void assertion(void) { assert(none == 1); touch(); }
static void assertion_error(void) { assert_perror(EIO * (int)one); touch(); }

NOINLINE static void check_deep(int depth)
{
    if (depth)
        check_deep(depth - 1);
    assert(depth != 0 && "depth must not be zero");
    touch();
}

static void assertion_deep(void) { check_deep(6 * (int)one); }

static void assertion_imitated(void)
{
    fprintf(stderr, "aborts.c:1: assertion_imitated: Assertion `none == 1' failed.\n");
    abort();
}

/* abort_stack_smashing */

NOINLINE static void copy_bytes(char *to, char byte, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ((volatile char *)to)[i] = byte;
}

NOINLINE static void smash(char byte, size_t count)
{
    char name[16];
    copy_bytes(name, byte, count);
    sink = (uintptr_t)name[one];
}

static void smashed_text(void) { smash('s', 40 * one); touch(); }
static void smashed_zero(void) { smash(0, 32 * one); touch(); }
static void smashed_one_byte(void) { smash('x', 26 * one); touch(); }

/* abort_fortify: needs an optimised build */

static char *volatile long_name = (char *)"a name that is longer than its place";

static void fortify_memcpy(void)
{
    char name[8];
    memcpy(name, long_name, 20 * one);
    sink = (uintptr_t)name[one];
}

static void fortify_sprintf(void)
{
    char name[8];
    sprintf(name, "%s", long_name);
    sink = (uintptr_t)name[one];
}

static void fortify_strcpy(void)
{
    char name[8];
    strcpy(name, long_name);
    sink = (uintptr_t)name[one];
}

static void fortify_descriptor(void)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(5000 * (int)one, &set);
    sink = (uintptr_t)FD_ISSET(3, &set);
}

static void fortify_percent_n(void)
{
    char format[] = "%d%n\n";
    int count = 0;
    printf(format, none, &count);
    touch();
}

static jmp_buf place;

NOINLINE static int set_place(int depth)
{
    int came_back = depth ? set_place(depth - 1) : setjmp(place);
    touch();
    return came_back;
}

/* Jumps down into a frame that has returned. */
static void fortify_longjmp(void)
{
    if (set_place(5 * (int)one) == 0)
        longjmp(place, 1);
}

/* abort_other */

NOINLINE static void give_up(int depth)
{
    if (depth)
        give_up(depth - 1);
    else
        abort();
    touch();
}

static void abort_plain(void) { abort(); }
static void abort_deep(void) { give_up(5 * (int)one); }

static void abort_raised(void)
{
    raise(SIGABRT);
    touch();
}

static void abort_with_message(void)
{
    fprintf(stderr, "fatal: the table has %zu rows\n", one);
    abort();
}

static const struct crash crashes[] = {
    CRASH(double_free_cache), CRASH(double_free_fast), CRASH(double_free_large), CRASH(heap_top_size),
    CRASH(heap_top_size_small), CRASH(heap_free_middle), CRASH(heap_free_stack), CRASH(heap_free_size),
    CRASH(heap_unsorted), CRASH(heap_overrun_size), CRASH(heap_realloc), CRASH(heap_unaligned_cache),
    CRASH(assertion), CRASH(assertion_error), CRASH(assertion_deep), CRASH(assertion_imitated),
    CRASH(smashed_text), CRASH(smashed_zero), CRASH(smashed_one_byte), CRASH(fortify_memcpy),
    CRASH(fortify_sprintf), CRASH(fortify_strcpy), CRASH(fortify_descriptor), CRASH(fortify_percent_n),
    CRASH(fortify_longjmp), CRASH(abort_plain), CRASH(abort_deep), CRASH(abort_raised), CRASH(abort_with_message),
};

MAIN(crashes)
