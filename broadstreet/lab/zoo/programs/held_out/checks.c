/* Programs that stop themselves, or whose library or compiler stops them. */

#include "cases.h"
#include <assert.h>
#include <malloc.h>
#include <poll.h>
#include <stdarg.h>

void quiet(void);
void quiet(void) { tick += 0; }

/* ---- the allocator ---- */

static size_t *chunk(void *block) { return (size_t *)block - 2; }

static void drain_cache(size_t size, void **kept, int count)
{
    void *cached[7];
    for (int i = 0; i < 7; i++) {
        cached[i] = malloc(size);
        OPAQUE(cached[i]);
    }
    for (int i = 0; i < count; i++)
        kept[i] = malloc(size);
    for (int i = 0; i < 7; i++)
        free(cached[i]);
}

CASE(released_by_both_owners)
{
    void *shared[2];
    drain_cache(100, shared, 2);
    free(shared[1]);
    free(shared[0]);
    OPAQUE(shared[0]);
    free(shared[0]);
}

CASE(released_in_list)
{
    char *item = malloc(64);
    free(item);
    OPAQUE(item);
    free(item);
}

CASE(size_after_string)
{
    char *name = malloc(1500);
    char *other = malloc(1500);
    char *last = malloc(1500);
    OPAQUE(name);
    strcpy(name + 1496, "this text does not fit");
    OPAQUE(name);
    free(name);
    result = (uintptr_t)other + (uintptr_t)last;
}

CASE(previous_size_wrong)
{
    char *blocks[3];
    for (int i = 0; i < 3; i++) {
        blocks[i] = malloc(1800);
        OPAQUE(blocks[i]);
    }
    free(blocks[0]);
    chunk(blocks[1])[0] = 0x40;
    OPAQUE(blocks[1]);
    free(blocks[1]);
    result = (uintptr_t)blocks[2];
}

CASE(mapped_block_wrong)
{
    char *large = malloc(300 * 1024);
    OPAQUE(large);
    free(large + 16 * number(3));
}

CASE(small_next_size_wrong)
{
    void *blocks[3];
    drain_cache(40, blocks, 3);
    chunk(blocks[1])[1] = 3;
    OPAQUE(blocks[0]);
    free(blocks[0]);
}

CASE(unsorted_size_wrong)
{
    char *free_one = malloc(2200);
    char *guard = malloc(40);
    free(free_one);
    OPAQUE(free_one);
    chunk(free_one)[1] = 5;
    result = (uintptr_t)malloc(5000) + (uintptr_t)guard;
}

CASE(not_from_the_heap)
{
    static char names[4][32];
    char *name = names[number(2)] + 8;
    OPAQUE(name);
    free(name);
}

CASE(resized_after_release)
{
    char *list = malloc(3000);
    char *guard = malloc(40);
    free(list);
    OPAQUE(list);
    result = (uintptr_t)realloc(list, 6000) + (uintptr_t)guard;
}

/* ---- asserted ---- */

struct queue { int length, capacity; };

APART static void push(struct queue *queue)
{
    assert(queue->length < queue->capacity);
    queue->length++;
}

CASE(queue_full)
{
    struct queue queue = {3, 4};
    for (size_t i = 0; i < number(5); i++)
        push(&queue);
    result = (uintptr_t)queue.length;
}

CASE(error_asserted) { assert_perror((int)number(ENOSPC)); quiet(); }

CASE(queue_full_in_callback)
{
    struct queue queue = {4, 4};
    pthread_key_t key;
    pthread_key_create(&key, (void (*)(void *))push);
    pthread_setspecific(key, &queue);
    push(&queue);
}

/* ---- the guards ---- */

APART static void receive(unsigned char *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)(i * 7);
}

APART static int parse_packet(size_t size)
{
    unsigned char packet[48];
    receive(packet, size);
    return packet[0] + packet[47];
}

CASE(packet_too_long) { result = (uintptr_t)parse_packet(number(80)); }
CASE(packet_little_too_long) { result = (uintptr_t)parse_packet(number(60)); }

static const char *volatile greeting = "good morning, good afternoon, good evening";

CASE(guarded_copy) { char to[16]; strncpy(to, greeting, number(40)); result = (uintptr_t)to[1]; }
CASE(guarded_fill) { char to[16]; memset(to, 1, number(17)); result = (uintptr_t)to[1]; }
CASE(guarded_append) { char to[16] = "hello "; strcat(to, greeting); result = (uintptr_t)to[1]; }
CASE(guarded_print) { char to[16]; snprintf(to, number(64), "%s", greeting); result = (uintptr_t)to[1]; }

CASE(guarded_read)
{
    char to[16];
    int ends[2];
    if (pipe(ends) == 0 && write(ends[1], greeting, 40) == 40)
        result = (uintptr_t)read(ends[0], to, number(40)) + (uintptr_t)to[1];
}

CASE(guarded_poll)
{
    struct pollfd descriptors[2] = {{0, 0, 0}, {0, 0, 0}};
    result = (uintptr_t)poll(descriptors, number(3), 0);
}

/* ---- gave up ---- */

APART static void fatal(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    abort();
}

CASE(fatal_error) { fatal("cannot go on: %d of %s\n", (int)number(3), greeting); }

static void at_end(void) { abort(); }

CASE(gave_up_at_end)
{
    atexit(at_end);
    exit(0);
}

CASE(stopped_own_thread) { pthread_kill(pthread_self(), SIGABRT); quiet(); }
