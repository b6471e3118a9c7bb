/* Wrong ways of execution, and wrong stacks. */

#include "cases.h"
#include <setjmp.h>
#include <search.h>
#include <ucontext.h>
#include <wchar.h>

void drop_push(void *), skip_pop(void *), odd_frame(void (*)(void)), odd_frame_base(void (*)(void));
void drop_before_print(char *, size_t, const char *, double), skip_before_vector(void (*)(void));
void exchange_stack(void *), leave_through(void *), call_through_memory(void *);

typedef int (*callback)(int);

void quiet(void);
void quiet(void) { tick += 0; }

APART static void set_words(uintptr_t *to, const uintptr_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = from[i];
}

/* ---- a return address overwritten ---- */

static const uintptr_t zeros[40];

APART static uintptr_t sum_row(const uintptr_t *from, size_t count)
{
    uintptr_t row[5];
    set_words(row, from, count);
    return row[0] + row[4];
}

CASE(row_of_zeros) { result = sum_row(zeros, number(16)); quiet(); }

struct point { long x, y, z; };
struct shape { struct point corners[6]; };

APART static void read_shape(void *to, const struct shape *from) { memcpy(to, from, number(sizeof *from)); }

APART static long first_corner(const struct shape *shape)
{
    struct point corner;
    read_shape(&corner, shape);
    return corner.x;
}

CASE(shape_into_point)
{
    static struct shape shape;
    result = (uintptr_t)first_corner(&shape);
    quiet();
}

static uintptr_t *volatile victim_slot;

static void *erase_slot(void *unused)
{
    while (!victim_slot)
        usleep(100);
    *victim_slot = word(0);
    victim_slot = NULL;
    return unused;
}

APART static void wait_for_erasure(void)
{
    victim_slot = (uintptr_t *)__builtin_frame_address(0) + 1;
    while (victim_slot)
        usleep(100);
}

CASE(erased_by_thread)
{
    pthread_t thread;
    pthread_create(&thread, NULL, erase_slot, NULL);
    wait_for_erasure();
    quiet();
}

CASE(context_without_target)
{
    ucontext_t context;
    getcontext(&context);
    context.uc_mcontext.gregs[REG_RIP] = (greg_t)word(0);
    setcontext(&context);
}

CASE(row_of_pointers)
{
    uintptr_t row[40];
    for (int i = 0; i < 40; i++)
        row[i] = (uintptr_t)malloc(32);
    result = sum_row(row, number(16));
    quiet();
}

CASE(row_of_doubles)
{
    double samples[40];
    for (int i = 0; i < 40; i++)
        samples[i] = 0.5 + (double)number((size_t)i);
    result = sum_row((const uintptr_t *)(const void *)samples, number(16));
    quiet();
}

CASE(row_of_constants)
{
    uintptr_t row[40];
    for (int i = 0; i < 40; i++)
        row[i] = (uintptr_t)&zeros[i];
    result = sum_row(row, number(16));
    quiet();
}

CASE(row_of_own_frame)
{
    uintptr_t row[40];
    for (int i = 0; i < 40; i++)
        row[i] = (uintptr_t)row;
    result = sum_row(row, number(16));
    quiet();
}

CASE(row_of_lengths)
{
    uintptr_t row[40];
    for (int i = 0; i < 40; i++)
        row[i] = number(1500 + (size_t)i);
    result = sum_row(row, number(16));
    quiet();
}

APART static wchar_t wide_initial(const wchar_t *text)
{
    wchar_t name[6];
    wchar_t *to = name;
    OPAQUE(to);
    wcscpy(to, text);
    return name[0];
}

CASE(wide_text)
{
    wchar_t text[32];
    for (int i = 0; i < 31; i++)
        text[i] = (wchar_t)number(0x421 + (size_t)i);
    text[31] = 0;
    result = (uintptr_t)wide_initial(text);
    quiet();
}

/* ---- a call to nothing ---- */

static callback callbacks[8];

CASE(empty_slot) { result = (uintptr_t)callbacks[number(5)](3) + 1; }

struct device { const char *name; callback open, read, write; };

APART static int read_device(const struct device *device, int amount) { return device->read(amount); }

CASE(device_without_read)
{
    struct device *device = calloc(1, sizeof *device);
    device->open = (callback)pointer(16);
    result = (uintptr_t)read_device(device, 4) + 1;
}

/* The C library asserts that it is given a function. */
CASE(empty_exit_handler)
{
    atexit((void (*)(void))pointer(0));
    exit(0);
}

CASE(empty_once)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, (void (*)(void))pointer(0));
    quiet();
}

CASE(empty_comparison)
{
    uintptr_t keys[16] = {1, 2, 3, 4, 5};
    result = (uintptr_t)bsearch(keys + 2, keys, number(16), sizeof *keys, (int (*)(const void *, const void *))pointer(0));
    quiet();
}

static void *root;

CASE(empty_tree_comparison)
{
    tsearch("a", &root, (int (*)(const void *, const void *))pointer(0));
    tsearch("b", &root, (int (*)(const void *, const void *))pointer(0));
    quiet();
}

CASE(table_of_zeros) { call_through_memory(calloc(1, 64)); }

/* ---- a call to somewhere ---- */

struct session { char user[24]; callback done; };

CASE(session_name_too_long)
{
    struct session *session = calloc(1, sizeof *session);
    char *to = session->user;
    OPAQUE(to);
    strcpy(to, "somebody.with.a.long.name@example");
    OPAQUE(session);
    result = (uintptr_t)session->done(1) + 1;
}

CASE(session_on_heap)
{
    struct session *session = calloc(1, sizeof *session);
    session->done = (callback)(uintptr_t)strdup("a block");
    OPAQUE(session);
    result = (uintptr_t)session->done(1) + 1;
}

CASE(call_into_stack)
{
    unsigned char code[32];
    memset(code, 0xc3, sizeof code);
    callback target = (callback)(uintptr_t)code;
    OPAQUE(target);
    result = (uintptr_t)target(1) + 1;
}

CASE(call_cut_pointer)
{
    callback target = (callback)(uintptr_t)(uint32_t)(uintptr_t)read_device;
    OPAQUE(target);
    result = (uintptr_t)target(1) + 1;
}

CASE(call_flags) { result = (uintptr_t)((callback)pointer(0x8003))(1) + 1; }
CASE(call_two_integers) { result = (uintptr_t)((callback)pointer(0x0000000700000012))(1) + 1; }
CASE(call_double) { result = (uintptr_t)((callback)pointer(0x4045000000000000))(1) + 1; }

CASE(goto_data)
{
    static long table[4] = {-1, -1, -1, -1};
    __asm__ volatile("jmp *%0" : : "r"(&table[number(2)]) : "memory");
}

static jmp_buf never_set;

CASE(jump_to_unset_place) { longjmp(never_set, (int)number(1)); }

/* ---- the stack moved by eight, or misused by assembler ---- */

APART static void use_vectors(void)
{
    float local[16] __attribute__((aligned(16)));
    float *at = local;
    OPAQUE(at);
    __asm__ volatile("movaps %%xmm1, (%0)" : : "r"(at) : "memory");
    result = (uintptr_t)at[3];
}

APART static void through_one(void) { use_vectors(); quiet(); }
static void through_two(void) { through_one(); quiet(); }

CASE(pushed_unseen) { drop_push(calloc(4, 8)); quiet(); }
CASE(pushed_unseen_text) { drop_push(pointer(0x6b63617473206f6e)); quiet(); }
CASE(popped_unseen) { skip_pop(calloc(4, 8)); quiet(); }
CASE(popped_unseen_number) { skip_pop(pointer(0x500000031)); quiet(); }
CASE(lowered_before_print) { char text[32]; drop_before_print(text, sizeof text, "%g", 2.5); quiet(); }
CASE(raised_before_vector) { skip_before_vector(use_vectors); quiet(); }
CASE(raised_before_vector_deep) { skip_before_vector(through_two); quiet(); }
CASE(odd_caller) { odd_frame(use_vectors); quiet(); }
CASE(odd_caller_deep) { odd_frame(through_two); quiet(); }
CASE(odd_caller_base) { odd_frame_base(through_two); quiet(); }

/* ---- no stack at all ---- */

CASE(stack_exchanged) { exchange_stack(pointer(0x2b9f00000ff8)); }
CASE(stack_exchanged_text) { exchange_stack(pointer(0x2e74782e656c6966)); }
CASE(stack_exchanged_small) { exchange_stack(pointer(0x3c0)); }

CASE(pivot_to_zeros)
{
    uintptr_t *words = calloc(64, 8);
    leave_through(words + 8);
}

CASE(leave_to_text) { leave_through(pointer(0x73736f72632d6f66)); }
CASE(leave_to_unmapped) { leave_through(pointer(0x2b9f00000ff8)); }

static ucontext_t scheduler, fiber;

static void fiber_body(void)
{
    swapcontext(&fiber, &scheduler);
    quiet();
}

static char *start_fiber(size_t size)
{
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    getcontext(&fiber);
    fiber.uc_stack.ss_sp = stack;
    fiber.uc_stack.ss_size = size;
    fiber.uc_link = &scheduler;
    makecontext(&fiber, fiber_body, 0);
    swapcontext(&scheduler, &fiber);
    return stack;
}

CASE(fiber_stack_sealed)
{
    char *stack = start_fiber(16 * PAGE);
    mprotect(stack, 16 * PAGE, PROT_READ);
    swapcontext(&scheduler, &fiber);
}

CASE(fiber_stack_gone)
{
    char *stack = start_fiber(16 * PAGE);
    munmap(stack, 16 * PAGE);
    swapcontext(&scheduler, &fiber);
}

/* ---- too much stack ---- */

APART static long even(long n);
APART static long odd(long n)
{
    volatile long local[9] = {n};
    return even(n + 1) + local[0];
}
APART static long even(long n)
{
    volatile long local[40] = {n};
    return odd(n + 1) + local[0];
}

CASE(even_and_odd) { result = (uintptr_t)even(1); }

APART static long large_frame(size_t at)
{
    volatile char block[400 * 1024];
    block[at] = 1;
    return block[at + 1];
}

CASE(one_large_frame) { result = (uintptr_t)large_frame(number(100)); }

APART static long many_rows(size_t rows)
{
    volatile double row[rows];
    for (size_t i = rows; i-- > 0;)
        row[i] = 1.0;
    return (long)row[rows / 2];
}

CASE(many_rows_on_stack) { result = (uintptr_t)many_rows(number(80 * 1024)); }

static int walk(const void *left, const void *right)
{
    void *tree = NULL;
    tsearch(left, &tree, walk);
    tsearch(right, &tree, walk);
    return tree != NULL;
}

CASE(tree_within_tree)
{
    result = (uintptr_t)walk("x", "y");
    quiet();
}
