/* Control flow and the stack pointer go wrong. */

#include "harness.h"
#include <dlfcn.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <xmmintrin.h>

#define RETURN_SLOT ((uintptr_t *)__builtin_frame_address(0) + 1)

void shift_low_return(void *), shift_high_return(void *), shift_low_call(void *), shift_high_call(void *);
void shift_low_deep(void *), unaligned_call(void *), unaligned_push_call(void *);
void unaligned_print_call(char *, size_t, const char *, double);
void push_and_return(void *), tail_jump(void (*)(void)), tail_jump_over_zero(void (*)(void));
void push_on(void *), call_on(void *), return_on(void *);

typedef void (*function)(void);

static volatile uintptr_t sink;
static volatile uintptr_t none = 0;
static volatile size_t one = 1;
static uintptr_t data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uintptr_t constants[4] = {11, 12, 13, 14};

NOINLINE void touch(void) { sink++; }

NOINLINE void store_vector(void)
{
    volatile __m128 vectors[3];
    vectors[one] = _mm_set1_ps((float)sink);
    touch();
    sink += (uintptr_t)vectors[one][0];
}

NOINLINE static void level_two(void) { store_vector(); touch(); }
NOINLINE static void level_one(void) { level_two(); touch(); }
NOINLINE void store_vector_deep(void) { level_one(); touch(); }

NOINLINE static void return_to(uintptr_t word)
{
    *RETURN_SLOT = word;
    touch();
}

static void *heap_words(uintptr_t fill)
{
    uintptr_t *words = malloc(256);
    for (int i = 0; i < 32; i++)
        words[i] = fill;
    return words;
}

/* return_to_null */

static void return_zero_slot(void) { return_to(none); touch(); }

NOINLINE static void clear(char *bytes, size_t count) { memset(bytes, 0, count); }

NOINLINE static void clear_too_much(size_t extra)
{
    char name[24];
    clear(name, sizeof name + extra);
    sink += (uintptr_t)name[one];
}

static void return_zero_overrun(void) { clear_too_much(48 * one); touch(); }

static uintptr_t *stale;

NOINLINE static void keep_pointer(void) { stale = RETURN_SLOT; touch(); }
NOINLINE static void clear_through_stale(void) { *stale = none; touch(); }
NOINLINE static void clear_own_slot_by_stale(void)
{
    stale = RETURN_SLOT;
    clear_through_stale();
    touch();
}

static void return_zero_stale(void)
{
    keep_pointer();
    clear_own_slot_by_stale();
    touch();
}

static void return_zero_pushed(void) { push_and_return((void *)none); touch(); }

/* call_to_null */

struct operations {
    uintptr_t version;
    function open, close;
};
static struct operations *operations;

static void call_null(void) { function target = (function)none; target(); touch(); }

static void call_null_member(void)
{
    operations = calloc(1, sizeof *operations);
    sink++;
    ((volatile struct operations *)operations)->close();
    touch();
}

NOINLINE static void jump_by_pointer(volatile function *target) { (*target)(); }

static void jump_null_tail(void)
{
    volatile function target = (function)none;
    jump_by_pointer(&target);
    touch();
}

static void jump_null_assembler(void) { tail_jump((function)none); touch(); }
static void jump_null_over_zero(void) { tail_jump_over_zero((function)none); touch(); }

extern void absent_function(void) __attribute__((weak));
static void call_null_weak(void) { absent_function(); touch(); }

static void call_null_comparator(void)
{
    qsort(data, 8, sizeof *data, (int (*)(const void *, const void *))none);
    touch();
}

static void call_null_thread_start(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, (void *(*)(void *))none, data);
    pthread_join(thread, NULL);
}

/* return_to_nonexecutable */

static void return_heap(void) { return_to((uintptr_t)heap_words(1)); touch(); }
static void return_data(void) { return_to((uintptr_t)data); touch(); }
static void return_constants(void) { return_to((uintptr_t)constants); touch(); }
static void return_unmapped(void) { return_to(0x7e5512345678 + none); touch(); }
static void return_small_number(void) { return_to(0x1f + none); touch(); }

static void return_stack(void)
{
    volatile uintptr_t local[4] = {1, 2, 3, 4};
    return_to((uintptr_t)local);
    touch();
}

static volatile const char *long_text = "The quick brown fox jumps over the lazy dog, and then over another lazy dog.";

NOINLINE static void copy_text(volatile char *to, const char *text)
{
    while ((*to++ = *text++))
        touch();
}

NOINLINE static void copy_name(const char *text)
{
    char name[8];
    copy_text(name, text);
    sink += (uintptr_t)name[one];
}

static void return_text(void) { copy_name((const char *)long_text); touch(); }

NOINLINE static void fill_integers(size_t count)
{
    volatile int numbers[4];
    for (size_t i = 0; i < count; i++)
        numbers[i] = (int)(0x1000 + i);
    touch();
}

static void return_integers(void) { fill_integers(16 * one); touch(); }

/* jump_to_nonexecutable */

static void call_address(uintptr_t address)
{
    volatile function target = (function)address;
    target();
    touch();
}

static void call_data(void) { call_address((uintptr_t)data); }
static void call_heap(void) { call_address((uintptr_t)heap_words(7)); }
static void call_constants(void) { call_address((uintptr_t)constants); }
static void call_unmapped(void) { call_address(0x7e5512345678 + none); }
static void call_small_number(void) { call_address(0x1f + none); }
static void call_noncanonical(void) { call_address(0x4141414141414141 + none); }

static void call_freed_object(void)
{
    struct operations *object = heap_words(0x6f6c6c65485b0000);
    operations = object;
    ((volatile struct operations *)operations)->close();
    touch();
}

static void jump_data_tail(void)
{
    volatile function target = (function)(uintptr_t)data;
    jump_by_pointer(&target);
    touch();
}

static void jump_unmapped_assembler(void) { tail_jump((function)(0x7e5512345678 + none)); touch(); }

static void call_closed_library(void)
{
    void *library = dlopen("libm.so.6", RTLD_NOW);
    if (!library)
        exit(CANNOT_BE_MADE_HERE);
    function target = (function)dlsym(library, "lgamma");
    dlclose(library);
    call_address((uintptr_t)target);
}

static void call_unmapped_code(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[0] = (char)0xc3;
    call_address((uintptr_t)page);
    munmap(page, 4096);
    call_address((uintptr_t)page);
}

static void call_code_made_writable(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[0] = (char)0xc3;
    call_address((uintptr_t)page);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    call_address((uintptr_t)page);
}

/* misaligned_stack, and its neighbours with right unwind tables */

static void misaligned_low_return(void) { shift_low_return(heap_words(5)); touch(); }
static void misaligned_low_return_text(void) { shift_low_return((void *)(0x6e69616d2e6b6f6f + none)); touch(); }
static void misaligned_low_return_zero(void) { shift_low_return((void *)none); touch(); }
static void misaligned_high_return(void) { shift_high_return(heap_words(5)); touch(); }
static void misaligned_high_return_number(void) { shift_high_return((void *)(0x2a00000007 + none)); touch(); }
static void misaligned_low_call(void) { shift_low_call(heap_words(5)); touch(); }
static void misaligned_high_call(void) { shift_high_call(heap_words(5)); touch(); }
static void misaligned_low_deep(void) { shift_low_deep(heap_words(5)); touch(); }

static void unaligned_caller(void) { unaligned_call(heap_words(5)); touch(); }
static void unaligned_caller_push(void) { unaligned_push_call(heap_words(5)); touch(); }
static void unaligned_caller_print(void) { unaligned_print_call((char *)data, 8, "%f", 1.5); touch(); }

static void unaligned_heap_vector(void)
{
    __m128 *volatile vectors = (__m128 *)((char *)malloc(64) + 8 * one);
    *(volatile __m128 *)vectors = _mm_set1_ps(1.0f);
}

/* wild_stack_pointer */

static void wild_push_unmapped(void) { push_on((void *)(0x7e5512345678 + none)); }
static void wild_push_noncanonical(void) { push_on((void *)(0x6f77206f6c6c6568 + none)); }
static void wild_call_unmapped(void) { call_on((void *)(0x3355aa00fff0 + none)); }
static void wild_return_unmapped(void) { return_on((void *)(0x3355aa00fff0 + none)); }
static void wild_push_null(void) { push_on((void *)(none + 8)); }

static ucontext_t outside, inside;

NOINLINE static size_t descend(size_t depth)
{
    volatile char frame[512];
    frame[depth % sizeof frame] = (char)depth;
    return descend(depth + one) + (size_t)frame[depth % sizeof frame];
}

static void descend_forever(void) { sink = descend(0); }

static char *mapped_stack(size_t guard)
{
    char *low = mmap(NULL, 64 * 1024, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (guard)
        mprotect(low, guard, PROT_NONE);
    return low;
}

static void run_on(char *low, size_t size, function body)
{
    getcontext(&inside);
    inside.uc_stack.ss_sp = low;
    inside.uc_stack.ss_size = size;
    inside.uc_link = &outside;
    makecontext(&inside, body, 0);
    swapcontext(&outside, &inside);
}

static void coroutine_overflow(void) { run_on(mapped_stack(4096), 64 * 1024, descend_forever); }

static char *coroutine_stack;

static void protect_own_stack(void)
{
    mprotect(coroutine_stack, 64 * 1024, PROT_READ);
    touch();
}

static void coroutine_read_only(void)
{
    coroutine_stack = mapped_stack(0);
    run_on(coroutine_stack, 64 * 1024, protect_own_stack);
}

static void yield_once(void)
{
    swapcontext(&inside, &outside);
    touch();
}

static void coroutine_unmapped(void)
{
    coroutine_stack = mapped_stack(0);
    run_on(coroutine_stack, 64 * 1024, yield_once);
    munmap(coroutine_stack, 64 * 1024);
    swapcontext(&outside, &inside);
}

/* stack_overflow */

static void overflow_recursion(void) { descend_forever(); }

NOINLINE static size_t leap(size_t bytes)
{
    volatile char *block = __builtin_alloca(bytes);
    for (size_t i = bytes; i > 0; i -= 4096)
        block[i - 1] = 1;
    block[0] = 1;
    return (size_t)block[bytes / 2];
}

static void overflow_alloca(void) { sink = leap(STACK_BYTES * 4 * one); }

NOINLINE static int compare_forever(const void *left, const void *right)
{
    uintptr_t copy[4] = {*(const uintptr_t *)left, *(const uintptr_t *)right, 3, 2};
    qsort(copy, 4, sizeof *copy, compare_forever);
    return (int)copy[0];
}

static void overflow_through_library(void) { qsort(data, 8, sizeof *data, compare_forever); }

static void write_below_mapping(void)
{
    volatile char *pages = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap((void *)pages, 4 * 4096);
    for (size_t i = 6 * 4096; i > 0; i--)
        pages[i] = 1;
}

static const struct crash crashes[] = {
    CRASH(return_zero_slot), CRASH(return_zero_overrun), CRASH(return_zero_stale), CRASH(return_zero_pushed),
    CRASH(call_null), CRASH(call_null_member), CRASH(jump_null_tail), CRASH(jump_null_assembler),
    CRASH(jump_null_over_zero), CRASH(call_null_weak), CRASH(call_null_comparator), CRASH(call_null_thread_start),
    CRASH(return_heap), CRASH(return_data), CRASH(return_constants), CRASH(return_unmapped),
    CRASH(return_small_number), CRASH(return_stack), CRASH(return_text), CRASH(return_integers),
    CRASH(call_data), CRASH(call_heap), CRASH(call_constants), CRASH(call_unmapped), CRASH(call_small_number),
    CRASH(call_noncanonical), CRASH(call_freed_object), CRASH(jump_data_tail), CRASH(jump_unmapped_assembler),
    CRASH(call_closed_library), CRASH(call_unmapped_code), CRASH(call_code_made_writable),
    CRASH(misaligned_low_return), CRASH(misaligned_low_return_text), CRASH(misaligned_low_return_zero),
    CRASH(misaligned_high_return), CRASH(misaligned_high_return_number), CRASH(misaligned_low_call),
    CRASH(misaligned_high_call), CRASH(misaligned_low_deep), CRASH(unaligned_caller),
    CRASH(unaligned_caller_push), CRASH(unaligned_caller_print), CRASH(unaligned_heap_vector),
    CRASH(wild_push_unmapped), CRASH(wild_push_noncanonical), CRASH(wild_call_unmapped),
    CRASH(wild_return_unmapped), CRASH(wild_push_null), CRASH(coroutine_overflow), CRASH(coroutine_read_only),
    CRASH(coroutine_unmapped), CRASH(overflow_recursion), CRASH(overflow_alloca),
    CRASH(overflow_through_library), CRASH(write_below_mapping),
};

MAIN(crashes)
