// A program of several bugs: PROGRAM CASE VARIANT runs one of them, a few calls deep, with a heap in use.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noclone))

struct bug_case {
    const char *name;
    void (*run)(int variant);
};

struct record {
    struct record *next;
    char name[24];
    long value;
};

static struct record *volatile records;
static volatile long total;

static NOINLINE void fill(int count)
{
    for (int i = 0; i < count; i++) {
        struct record *one = malloc(sizeof *one);
        *one = (struct record){.next = records, .value = i};
        snprintf(one->name, sizeof one->name, "record-%d", i);
        records = one;
    }
}

static NOINLINE long deeper(const struct bug_case *bug, int variant, int depth)
{
    volatile long kept = depth * 3;
    if (depth > 0)
        total += deeper(bug, variant, depth - 1);
    else
        bug->run(variant);
    return kept + total;
}

static int run_case(const struct bug_case *bugs, size_t count, int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; argc == 3 && i < count; i++)
        if (strcmp(bugs[i].name, argv[1]) == 0) {
            fill(500);
            deeper(&bugs[i], atoi(argv[2]), 4);
            return 0;
        }
    return 2;
}
