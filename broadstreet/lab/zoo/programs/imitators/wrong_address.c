// Software that computes an address one bit, or a power of two, away from a good one; or takes the memory away.
#define _GNU_SOURCE
#include "cases.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

static NOINLINE long element(long *array, size_t index)
{
    return array[index] * 2;
}

static NOINLINE long name_length(struct record *record)
{
    return (long)strlen(record->name) + record->value;
}

static char *pages(size_t count, int protection)
{
    return mmap(NULL, count * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static struct record *flagged(struct record *record, int bit)
{
    return (struct record *)((uintptr_t)record ^ (uintptr_t)1 << bit);
}

static void index_minus_1(int variant)
{
    long *array = malloc(100 * sizeof *array);
    volatile uint32_t count = (uint32_t)variant;
    total += element(array, count - 1 - (uint32_t)variant);
}

static void index_power_of_two(int variant)
{
    long *array = calloc(100, sizeof *array);
    total += element(array, (size_t)1 << (22 + 4 * variant));
}

static void high_tag(int variant)
{
    total += name_length(flagged(records, 48 + 3 * variant));
}

static void middle_flag(int variant)
{
    total += name_length(flagged(records, 28 + 4 * variant));
}

static void pointer_cut_to_32_bits(int variant)
{
    volatile uint32_t kept = (uint32_t)(uintptr_t)records;
    total += name_length((struct record *)(uintptr_t)(kept + (uint32_t)variant * 16));
}

static void unmapped_neighbour(int variant)
{
    size_t half = (size_t)1 << variant;
    char *both = pages(4 * half, PROT_READ | PROT_WRITE);
    memset(both, 1, 4 * half * PAGE);
    munmap(both + half * PAGE, half * PAGE);
    total += name_length((struct record *)(both + half * PAGE + 64));
}

// Somebody seals more than their own half: read in two variants, written in the other two.
static void protected_neighbour(int variant)
{
    size_t half = (size_t)1 << variant;
    char *both = pages(2 * half, PROT_READ | PROT_WRITE);
    memset(both, 1, 2 * half * PAGE);
    mprotect(both + half / 2 * PAGE, 2 * half * PAGE - half / 2 * PAGE, variant < 2 ? PROT_NONE : PROT_READ);
    struct record *mine = (struct record *)(both + half * PAGE + 64);
    if (variant < 2)
        total += name_length(mine);
    else
        mine->value = variant;
}

static void freed_large_block(int variant)
{
    char *block = malloc((size_t)(variant + 1) << 20);
    struct record *inside = (struct record *)(block + 4096 * 3);
    inside->value = 1;
    free(block);
    total += name_length(inside);
}

static void moved_block(int variant)
{
    char *block = malloc(1 << 20);
    malloc(1 << 20); // stands in the way of growing in place
    struct record *inside = (struct record *)(block + 512);
    volatile size_t size = (size_t)64 << (20 + variant);
    char *grown = realloc(block, size);
    total += grown[0];
    total += name_length(inside);
}

static void read_only_page(int variant)
{
    struct record *record = (struct record *)pages(2, PROT_READ | PROT_WRITE);
    mprotect(record, 2 * PAGE, variant % 2 ? PROT_READ : PROT_NONE);
    record->value = variant;
}

static void truncated_file(int variant)
{
    FILE *file = tmpfile();
    int descriptor = fileno(file);
    total += ftruncate(descriptor, 8 * PAGE);
    char *view = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    memset(view, 1, 8 * PAGE);
    total += ftruncate(descriptor, 2 * PAGE);
    total += name_length((struct record *)(view + (3 + variant) * PAGE));
}

static char *shared_pages;

static void *toggle_protection(void *unused)
{
    for (;;) {
        mprotect(shared_pages, 4 * PAGE, PROT_NONE);
        mprotect(shared_pages, 4 * PAGE, PROT_READ | PROT_WRITE);
    }
    return unused;
}

static void *unmap_and_map(void *unused)
{
    int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    for (;;) {
        munmap(shared_pages, 4 * PAGE);
        mmap(shared_pages, 4 * PAGE, PROT_READ | PROT_WRITE, fixed, -1, 0);
    }
    return unused;
}

static void race_against(void *(*other)(void *))
{
    pthread_t thread;
    shared_pages = pages(4, PROT_READ | PROT_WRITE);
    pthread_create(&thread, NULL, other, NULL);
    for (;;)
        for (int i = 0; i < 4 * PAGE; i += 64)
            total += ((volatile char *)shared_pages)[i]++;
}

static void mprotect_race(int variant)
{
    total += variant;
    race_against(toggle_protection);
}

static void munmap_race(int variant)
{
    total += variant;
    race_against(unmap_and_map);
}

static const struct bug_case bugs[] = {
    {"index_minus_1", index_minus_1},
    {"index_power_of_two", index_power_of_two},
    {"high_tag", high_tag},
    {"middle_flag", middle_flag},
    {"pointer_cut_to_32_bits", pointer_cut_to_32_bits},
    {"unmapped_neighbour", unmapped_neighbour},
    {"protected_neighbour", protected_neighbour},
    {"freed_large_block", freed_large_block},
    {"moved_block", moved_block},
    {"read_only_page", read_only_page},
    {"truncated_file", truncated_file},
    {"mprotect_race", mprotect_race},
    {"munmap_race", munmap_race},
};

int main(int argc, char **argv)
{
    return run_case(bugs, sizeof bugs / sizeof *bugs, argc, argv);
}
