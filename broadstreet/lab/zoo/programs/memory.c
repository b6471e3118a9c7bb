/* Loads and stores through wrong addresses, and the memory bugs behind them. */

#include "harness.h"
#include <fcntl.h>
#include <sys/mman.h>

void load_through_rbp(void *), store_through_rsp(void *), load_through_rax(void *), store_indexed(void *);

static volatile uintptr_t sink;
static volatile uintptr_t none = 0;
static volatile size_t one = 1;

NOINLINE void touch(void) { sink++; }
NOINLINE void store_vector(void) { sink++; }
NOINLINE void store_vector_deep(void) { sink++; }

struct record {
    uintptr_t first;
    uintptr_t words[7];
    char *name;
    char space[4024 - 72];
    uintptr_t last[8];
};

static struct record *volatile record;

NOINLINE static uintptr_t read_word(volatile uintptr_t *address) { return *address; }
NOINLINE static void write_word(volatile uintptr_t *address, uintptr_t word) { *address = word; }
NOINLINE static uintptr_t read_field(struct record *at) { return ((volatile struct record *)at)->words[2]; }

static void *anywhere(uintptr_t address) { return (void *)(address + none); }

/* null_dereference */

static void null_read(void) { sink = read_word(anywhere(0)); touch(); }
static void null_write(void) { write_word(anywhere(0), 3); touch(); }
static void null_field_8(void) { record = anywhere(0); record->words[0] = 1; touch(); }
static void null_field_40(void) { record = anywhere(0); sink = (uintptr_t)record->name; touch(); }
static void null_field_ff8(void) { record = anywhere(0); sink = record->last[7]; touch(); }

static void null_chain(void)
{
    struct record **table = calloc(8, sizeof *table);
    sink = table[one + 2]->words[one];
    touch();
}

static void null_strlen(void) { sink = strlen(anywhere(0)); touch(); }
static void null_memcpy(void) { memcpy(anywhere(0), (const void *)&sink, 64 * one); touch(); }
static void null_array_far(void) { sink = ((volatile uintptr_t *)anywhere(0))[one * 0x2000000]; touch(); }

static void null_index(void)
{
    uintptr_t *volatile array = anywhere(0);
    volatile size_t index = 0x12345 * one;
    array[index]++;
    touch();
}

static void small_number_10(void) { sink = read_word(anywhere(0x10)); touch(); }
static void small_number_5000(void) { write_word(anywhere(0x5000), 1); touch(); }
static void small_number_as_pointer(void) { sink = strlen(anywhere(0x1e240)); touch(); }
static void minus_one(void) { sink = read_word(anywhere(UINTPTR_MAX)); touch(); }

static void small_negative(void)
{
    uintptr_t *volatile array = anywhere(0);
    volatile long index = -(long)one;
    array[index] = 1;
    touch();
}

/* noncanonical_access */

#define TEXT 0x4141414141414141

static void noncanonical_read(void) { load_through_rax(anywhere(TEXT)); }
static void noncanonical_field(void) { sink = read_field(anywhere(0x6f57206f6c6c6548)); touch(); }
static void noncanonical_write(void) { write_word(anywhere(0x1234567800000042), 1); touch(); }
static void noncanonical_index(void) { store_indexed(anywhere(0x3fe999999999999a)); }
static void noncanonical_rbp(void) { load_through_rbp(anywhere(TEXT)); }
static void noncanonical_rsp(void) { store_through_rsp(anywhere(0x7265626d756e0001)); }
static void noncanonical_strlen(void) { sink = strlen(anywhere(0x00657a6973756e6d)); touch(); }
static void noncanonical_free(void) { free(anywhere(0x4242424242424240)); touch(); }
static void noncanonical_tag(void) { sink = read_field((struct record *)((uintptr_t)malloc(4096) | 0x00ab000000000000)); }

NOINLINE static void overwrite_saved_base(char byte)
{
    char name[8];
    memset(name, byte, sizeof name * one);
    memset(__builtin_frame_address(0), byte, 8);
    touch();
}

/* The caller's rbp is text when overwrite_saved_base returns; it is used in builds with frame pointers. */
NOINLINE static void use_smashed_base(void)
{
    volatile uintptr_t local[4] = {1, 2, 3, 4};
    overwrite_saved_base('E');
    local[one] = 5;
    sink = local[one + 1];
}

static void noncanonical_smashed_base(void) { use_smashed_base(); touch(); }

/* poison_access */

static void poison_dead_beef(void) { sink = read_field(anywhere(0xdeadbeefdeadbeef)); touch(); }
static void poison_dead_beef_short(void) { sink = read_field(anywhere(0xdeadbeef)); touch(); }
static void poison_int3_fill(void) { write_word(anywhere(0xcccccccccccccccc), 1); touch(); }
static void poison_junk(void) { sink = read_word(anywhere(0xa5a5a5a5a5a5a5a5)); touch(); }
static void poison_list(void) { sink = read_field(anywhere(0xdead000000000100)); touch(); }
static void poison_feee(void) { write_word(anywhere(0xfeeefeeefeeefeee), 9); touch(); }

/* Run with MALLOC_PERTURB_=90: freed memory is filled with 0x5a, new memory with 0xa5. */
static void poison_freed(void)
{
    struct record *gone = malloc(sizeof *gone);
    char *guard = malloc(64);
    gone->name = guard;
    free(gone);
    sink = (uintptr_t)((volatile struct record *)gone)->name[one];
    touch();
}

static void poison_uninitialised(void)
{
    struct record *fresh = malloc(sizeof *fresh);
    KEEP(fresh);
    fresh->name[one] = 'x';
    touch();
}

/* unmapped_access */

static char *pages(size_t count)
{
    return mmap(NULL, count * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void unmapped_after_munmap(void)
{
    char *block = pages(4);
    block[5] = 1;
    munmap(block, 4 * 4096);
    sink = read_word((uintptr_t *)(block + 4096 * one));
    touch();
}

static void unmapped_freed_block(void)
{
    uintptr_t *block = malloc(512 * 1024);
    block[one] = 7;
    free(block);
    ((volatile uintptr_t *)block)[one] = 8;
    touch();
}

static void unmapped_read(void) { sink = read_word(anywhere(0x3a5512345670)); touch(); }
static void unmapped_write(void) { write_word(anywhere(0x123456789000), 1); touch(); }

static void unmapped_past_end(void)
{
    char *block = pages(8);
    munmap(block + 4 * 4096, 4 * 4096);
    memset(block, 1, 5 * 4096 * one);
    touch();
}

static void unmapped_truncated_pointer(void)
{
    void *heap = malloc(64);
    int kept = (int)((uintptr_t)heap & 0x7fffffff);
    sink = read_word(anywhere((uintptr_t)kept & ~(uintptr_t)7));
    touch();
}

static uintptr_t table[64];

static void unmapped_huge_index(void)
{
    volatile unsigned index = (unsigned)-(int)one;
    table[index] = 1;
    touch();
}

static void unmapped_heap_index(void)
{
    volatile long *heap = malloc(128);
    volatile size_t index = one << 33;
    heap[index] = 5;
    touch();
}

static void refused_read(void)
{
    char *block = pages(2);
    mprotect(block, 4096, PROT_NONE);
    sink = read_word((uintptr_t *)block);
    touch();
}

static void refused_thread_guard(void)
{
    char *block = pages(3);
    mprotect(block, 4096, PROT_NONE);
    for (char *at = block + 3 * 4096; at-- > block;)
        *(volatile char *)at = 1;
}

/* write_to_readonly */

static char *volatile literal = (char *)"a constant string";
static const uintptr_t constants[4] = {1, 2, 3, 4};
static const void *const relocated[3] = {&table, &constants, &literal};

static void readonly_literal(void) { literal[one] = 'x'; touch(); }
static void readonly_constant(void) { write_word((uintptr_t *)&constants[one], 3); touch(); }
static void readonly_relocated(void) { write_word((uintptr_t *)&relocated[one], 3); touch(); }
static void readonly_code(void) { write_word((uintptr_t *)(uintptr_t)touch, 3); touch(); }
static void readonly_strtok(void) { sink = (uintptr_t)strtok(literal, " "); touch(); }

static void readonly_protected(void)
{
    char *block = pages(1);
    block[0] = 1;
    mprotect(block, 4096, PROT_READ);
    memset(block + 64, 2, 64 * one);
    touch();
}

static void readonly_file(void)
{
    int file = open("/proc/self/exe", O_RDONLY);
    char *block = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    block[8 * one] = 1;
    touch();
}

/* memory bugs whose crash may show one of several things */

struct node {
    struct node *next;
    uintptr_t padding[20];
    uintptr_t *target;
};

static void use_after_free_reused(void)
{
    struct node *node = malloc(sizeof *node);
    node->target = (uintptr_t *)&sink;
    free(node);
    char *text = malloc(sizeof *node);
    memset(text, 'z', sizeof *node);
    KEEP(text);
    KEEP(node);
    *node->target = 1;
    touch();
}

static void use_after_free_next(void)
{
    struct node *first = malloc(sizeof *first), *second = malloc(sizeof *second);
    second->next = first;
    free(first);
    free(second);
    struct node *next = ((struct node *volatile *)second)[0];
    sink = ((volatile struct node *)next)->padding[3];
    touch();
}

static void overrun_into_pointer(void)
{
    char *buffer = malloc(24);
    struct node *node = malloc(sizeof *node);
    node->target = (uintptr_t *)&sink;
    memset(buffer, 'w', (size_t)((char *)(&node->target + 1) - buffer) * one);
    KEEP(node);
    *node->target = 1;
    touch();
}

static void overrun_low_bytes(void)
{
    struct { char name[8]; uintptr_t *target; } pair = {"seven..", (uintptr_t *)table};
    char *volatile name = pair.name;
    memset(name, '0', 8 + 5 * one);
    *(uintptr_t *)read_word((uintptr_t *)(name + 8)) = 1;
    touch();
}

NOINLINE static void leave_text(void)
{
    char text[256], *start = text;
    memset(text, 'q', sizeof text);
    KEEP(start);
    touch();
}

NOINLINE static void use_uninitialised(void)
{
    uintptr_t *targets[24], **start = targets;
    KEEP(start);
    *start[10 * one] = 1;
    touch();
}

static void uninitialised_pointer(void)
{
    leave_text();
    use_uninitialised();
    touch();
}

static const struct crash crashes[] = {
    CRASH(null_read), CRASH(null_write), CRASH(null_field_8), CRASH(null_field_40), CRASH(null_field_ff8),
    CRASH(null_chain), CRASH(null_strlen), CRASH(null_memcpy), CRASH(null_array_far), CRASH(null_index),
    CRASH(small_number_10), CRASH(small_number_5000), CRASH(small_number_as_pointer), CRASH(minus_one),
    CRASH(small_negative), CRASH(noncanonical_read), CRASH(noncanonical_field), CRASH(noncanonical_write),
    CRASH(noncanonical_index), CRASH(noncanonical_rbp), CRASH(noncanonical_rsp), CRASH(noncanonical_strlen),
    CRASH(noncanonical_free), CRASH(noncanonical_tag), CRASH(noncanonical_smashed_base), CRASH(poison_dead_beef),
    CRASH(poison_dead_beef_short), CRASH(poison_int3_fill), CRASH(poison_junk), CRASH(poison_list),
    CRASH(poison_feee), CRASH(poison_freed), CRASH(poison_uninitialised), CRASH(unmapped_after_munmap),
    CRASH(unmapped_freed_block), CRASH(unmapped_read), CRASH(unmapped_write), CRASH(unmapped_past_end),
    CRASH(unmapped_truncated_pointer), CRASH(unmapped_huge_index), CRASH(unmapped_heap_index),
    CRASH(refused_read), CRASH(refused_thread_guard), CRASH(readonly_literal), CRASH(readonly_constant),
    CRASH(readonly_relocated), CRASH(readonly_code), CRASH(readonly_strtok), CRASH(readonly_protected),
    CRASH(readonly_file), CRASH(use_after_free_reused), CRASH(use_after_free_next), CRASH(overrun_into_pointer),
    CRASH(overrun_low_bytes), CRASH(uninitialised_pointer),
};

MAIN(crashes)
