/* What another thread does to a pointer while it is read: two processors show it in microseconds, one in seconds. */

#include "harness.h"
#include <sys/mman.h>
#include <time.h>

#define SECONDS 4
#define LINE_BYTES 64

static volatile uintptr_t sink;

NOINLINE static void touch(void) { sink++; }

struct halves {
    volatile uint32_t low, high;
};

struct __attribute__((packed)) misaligned {
    char before[LINE_BYTES - 4];
    volatile uintptr_t word; /* half in one cache line, half in the next */
};

static struct halves halves;
static struct misaligned line __attribute__((aligned(LINE_BYTES)));
static uintptr_t *volatile shared;
static uintptr_t near, far; /* an object of the heap, and one that is mapped apart */

static void make_objects(void)
{
    near = (uintptr_t)calloc(16, sizeof near);
    far = (uintptr_t)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void set_halves(uintptr_t word)
{
    halves.low = (uint32_t)word;
    halves.high = (uint32_t)(word >> 32);
}

static void *write_halves(void *unused)
{
    for (;;) {
        set_halves(near);
        set_halves(far);
    }
    return unused;
}

static void *write_across_lines(void *unused)
{
    for (;;) {
        line.word = near;
        line.word = far;
    }
    return unused;
}

static void *write_null(void *unused)
{
    for (;;) {
        shared = (uintptr_t *)near;
        shared = NULL;
    }
    return unused;
}

static void against(void *(*writer)(void *))
{
    pthread_t thread;
    pthread_create(&thread, NULL, writer, NULL);
}

static int time_is_left(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec < SECONDS;
}

NOINLINE static void read_object(uintptr_t address)
{
    volatile uintptr_t *object = (volatile uintptr_t *)address;
    KEEP(object);
    sink += object[2];
}

static void torn_pointer_halves(void)
{
    make_objects();
    set_halves(near);
    against(write_halves);
    while (time_is_left())
        for (int i = 0; i < 100000; i++)
            read_object((uintptr_t)halves.high << 32 | halves.low);
    touch();
}

static void torn_pointer_line(void)
{
    make_objects();
    line.word = near;
    against(write_across_lines);
    while (time_is_left())
        for (int i = 0; i < 100000; i++)
            read_object(line.word);
    touch();
}

NOINLINE static void use_if_set(void)
{
    if (!shared)
        return;
    for (int i = 0; i < 50; i++)
        sink++;
    sink += shared[1];
}

static void nulled_after_check(void)
{
    make_objects();
    against(write_null);
    while (time_is_left())
        for (int i = 0; i < 100000; i++)
            use_if_set();
    touch();
}

static const struct crash crashes[] = {
    CRASH(torn_pointer_halves), CRASH(torn_pointer_line), CRASH(nulled_after_check),
};

MAIN(crashes)
