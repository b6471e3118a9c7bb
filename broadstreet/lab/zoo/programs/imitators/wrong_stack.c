// Software that leaves the stack pointer, or what it points to, as a bad CPU would. x86-64 only.
#define _GNU_SOURCE
#include "cases.h"

#include <alloca.h>
#include <emmintrin.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { STACK_BYTES = 64 << 10 };

// Calls its first argument with the stack 8 bytes off the ABI's alignment; the unwind tables are right.
asm(".text\n"
    ".type misaligned_call, @function\n"
    "misaligned_call:\n"
    ".cfi_startproc\n"
    "push %rbx\n"
    ".cfi_adjust_cfa_offset 8\n"
    "sub $8, %rsp\n"
    ".cfi_adjust_cfa_offset 8\n"
    "mov %rdi, %rax\n"
    "mov %rsi, %rdi\n"
    "call *%rax\n"
    "add $8, %rsp\n"
    ".cfi_adjust_cfa_offset -8\n"
    "pop %rbx\n"
    ".cfi_adjust_cfa_offset -8\n"
    "ret\n"
    ".cfi_endproc\n"
    ".size misaligned_call, . - misaligned_call\n"
    // Three routines with a push or a pop too many.
    ".type push_too_many, @function\n"
    "push_too_many:\n"
    "push %rbx\n"
    "push %rdi\n"
    "mov %rdi, %rbx\n"
    "lea 1(%rbx), %rax\n"
    "push %rbx\n"
    "pop %rbx\n"
    "pop %rbx\n"
    "ret\n"
    ".size push_too_many, . - push_too_many\n"
    ".type pop_too_many, @function\n"
    "pop_too_many:\n"
    "push %rbx\n"
    "mov %rdi, %rbx\n"
    "pop %rbx\n"
    "pop %rdx\n"
    "ret\n"
    ".size pop_too_many, . - pop_too_many\n"
    ".type add_too_much, @function\n"
    "add_too_much:\n"
    "sub $24, %rsp\n"
    "mov %rdi, 8(%rsp)\n"
    "add $32, %rsp\n"
    "ret\n"
    ".size add_too_much, . - add_too_much\n"
    ".type push_zero_return, @function\n"
    "push_zero_return:\n"
    "push $0\n"
    "ret\n"
    ".size push_zero_return, . - push_zero_return\n");
void misaligned_call(void (*function)(long), long argument);
long push_too_many(void *word);
long pop_too_many(void *word);
long add_too_much(void *word);
long push_zero_return(void *word);

static NOINLINE void aligned_store(long value)
{
    __m128i pair[2] __attribute__((aligned(16)));
    volatile __m128i *out = pair;
    out[0] = _mm_set_epi64x(value, 1);
    out[1] = _mm_set_epi64x(2, value);
    total += ((volatile long *)pair)[1];
}

static NOINLINE void print_double(long value)
{
    char text[64];
    snprintf(text, sizeof text, "%f %ld", value / 3.0, value);
    total += text[0];
}

static NOINLINE void read_null(long value)
{
    total += *(volatile long *)(value * 0 + 24);
}

static NOINLINE void give_up(long value)
{
    total += value;
    abort();
}

static void misaligned(int variant)
{
    void (*const functions[])(long) = {aligned_store, print_double, read_null, give_up};
    misaligned_call(functions[variant % 4], 7);
}

static void unbalanced_push(int variant)
{
    void *const words[] = {records, (char *)&read_null + 5, (void *)0x6f6c6c65680a};
    total += push_too_many(words[variant % 3]);
}

static void unbalanced_pop(int variant)
{
    long (*const routines[])(void *) = {pop_too_many, add_too_much};
    total += routines[variant % 2](records);
}

static void zero_return(int variant)
{
    total += push_zero_return(records) + variant;
}

// The caller of this one has a frame pointer and leaves with it.
static NOINLINE void smash_frame_pointer(int variant)
{
    uintptr_t *frame = __builtin_frame_address(0);
    if (variant % 3 == 0)
        *(volatile unsigned char *)frame = 0; // a string one byte too long
    else if (variant % 3 == 1)
        memcpy(frame, "overlong", 8);
    else
        *frame = (uintptr_t)records;
}

static NOINLINE void frame_pointer_user(int variant)
{
    volatile char *line = alloca(16 + variant * 16);
    line[0] = 1;
    smash_frame_pointer(variant);
    total += line[0];
}

static void rbp_smashed(int variant)
{
    frame_pointer_user(variant);
    total += 1;
}

static ucontext_t outside, inside;
static void *coroutine_stack;

static NOINLINE void yield(void)
{
    swapcontext(&inside, &outside);
    total += 1;
}

static NOINLINE void coroutine_body(void)
{
    volatile char line[200];
    memset((char *)line, 7, sizeof line);
    for (;;) {
        yield();
        total += line[17];
    }
}

static void start_coroutine(void *stack)
{
    coroutine_stack = stack;
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = STACK_BYTES;
    inside.uc_link = &outside;
    makecontext(&inside, coroutine_body, 0);
    swapcontext(&outside, &inside);
}

static void *mapped_stack(void)
{
    return mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void *volatile new_owner;

static void coroutine_freed(int variant)
{
    start_coroutine(malloc(STACK_BYTES));
    free(coroutine_stack);
    char *again = malloc(STACK_BYTES - 64 * (variant % 3));
    memset(again, variant % 2 ? 0xdd : 0, STACK_BYTES - 64 * 2);
    new_owner = again;
    swapcontext(&outside, &inside);
}

static void coroutine_unmapped(int variant)
{
    char *stack = mapped_stack();
    start_coroutine(stack);
    munmap(stack, STACK_BYTES);
    total += variant;
    swapcontext(&outside, &inside);
}

static void coroutine_protected(int variant)
{
    start_coroutine(mapped_stack());
    mprotect(coroutine_stack, STACK_BYTES, variant % 2 ? PROT_READ : PROT_NONE);
    swapcontext(&outside, &inside);
}

static NOINLINE long recursion(long depth)
{
    volatile char block[300];
    block[depth % 300] = 1;
    return depth + recursion(depth + 1) + block[0];
}

static void coroutine_overflow_body(void)
{
    total += recursion(1);
}

static void coroutine_overflow(int variant)
{
    char *area = mmap(NULL, 2 * STACK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(area + STACK_BYTES, STACK_BYTES, PROT_READ | PROT_WRITE);
    getcontext(&inside);
    inside.uc_stack.ss_sp = area + STACK_BYTES;
    inside.uc_stack.ss_size = STACK_BYTES - 256 * (size_t)variant;
    inside.uc_link = &outside;
    makecontext(&inside, coroutine_overflow_body, 0);
    swapcontext(&outside, &inside);
}

static jmp_buf dead_frame;

static NOINLINE void remember(void)
{
    volatile long mine[8] = {1, 2, 3};
    if (setjmp(dead_frame) != 0)
        total += mine[2];
}

static NOINLINE void overwrite_stack(int variant)
{
    volatile char line[700];
    memset((char *)line, variant % 2 ? 'a' : 0, sizeof line);
    total += line[3];
}

static void jump_to_dead_frame(int variant)
{
    remember();
    overwrite_stack(variant);
    longjmp(dead_frame, 1);
}

static NOINLINE void use_block(volatile char *block)
{
    block[0] = 1;
    fill(1);
    total += block[0];
}

static void huge_alloca(int variant)
{
    volatile size_t size = (size_t)1 << (28 + 4 * variant);
    use_block(alloca(size));
}

static const struct bug_case bugs[] = {
    {"misaligned", misaligned},
    {"unbalanced_push", unbalanced_push},
    {"unbalanced_pop", unbalanced_pop},
    {"zero_return", zero_return},
    {"rbp_smashed", rbp_smashed},
    {"coroutine_freed", coroutine_freed},
    {"coroutine_unmapped", coroutine_unmapped},
    {"coroutine_protected", coroutine_protected},
    {"coroutine_overflow", coroutine_overflow},
    {"jump_to_dead_frame", jump_to_dead_frame},
    {"huge_alloca", huge_alloca},
};

int main(int argc, char **argv)
{
    return run_case(bugs, sizeof bugs / sizeof *bugs, argc, argv);
}
