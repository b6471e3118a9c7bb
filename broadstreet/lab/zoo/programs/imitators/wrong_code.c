// Software that changes its own code, or runs code at an address that is no function. x86-64 only.
#define _GNU_SOURCE
#include "cases.h"

#include <dlfcn.h>
#include <stdint.h>
#include <sys/mman.h>

enum { PAGE = 4096, JUMP = 0xe9, JUMP_BYTES = 5 };

typedef long (*function)(long);

static NOINLINE long weigh(long value)
{
    long sum = 0;
    for (long i = 1; i <= (value & 15) + 1; i++)
        sum += (value ^ i) * (i + 3) + (sum >> 2);
    total += sum;
    return sum & 1023;
}

static NOINLINE long instead(long value)
{
    total += value;
    return 1;
}

static NOINLINE long read_null(long value)
{
    return *(volatile long *)(value * 0 + 16);
}

// A routine whose first test a patch turns round: je (74) and jne (75) differ in one bit.
asm(".text\n"
    ".type checked_read, @function\n"
    "checked_read:\n"
    ".cfi_startproc\n"
    "test %rdi, %rdi\n"
    ".globl checked_read_branch\n"
    "checked_read_branch:\n"
    "je 1f\n"
    "mov (%rdi), %rax\n"
    "ret\n"
    "1: mov $-1, %rax\n"
    "ret\n"
    ".cfi_endproc\n"
    ".size checked_read, . - checked_read\n"
    ".type tail_call, @function\n"
    "tail_call:\n"
    ".cfi_startproc\n"
    "mov %rdi, %rax\n"
    "mov %rsi, %rdi\n"
    "jmp *%rax\n"
    ".cfi_endproc\n"
    ".size tail_call, . - tail_call\n");
long checked_read(long *from);
long tail_call(function target, long value);
extern char checked_read_branch[];

static NOINLINE void patch(void *at, const void *bytes, size_t size)
{
    char *page = (char *)((uintptr_t)at & -(uintptr_t)PAGE);
    mprotect(page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    memcpy(at, bytes, size);
    mprotect(page, 2 * PAGE, PROT_READ | PROT_EXEC);
}

static void hook(char *at, function target)
{
    unsigned char jump[JUMP_BYTES] = {JUMP};
    int32_t distance = (int32_t)((char *)target - (at + JUMP_BYTES));
    memcpy(jump + 1, &distance, sizeof distance);
    patch(at, jump, sizeof jump);
}

static NOINLINE function moved(function target, long bytes)
{
    volatile long distance = bytes;
    return (function)((char *)target + distance);
}

static void hooked(int variant)
{
    hook((char *)weigh, instead);
    total += ((volatile function)moved(weigh, 0))(3) + variant;
    total += read_null(variant);
}

static void hooked_in_the_wrong_place(int variant)
{
    hook((char *)weigh + 6 + variant, (function)((char *)instead + 64 * PAGE));
    total += moved(weigh, 0)(variant);
    total += read_null(variant);
}

static void breakpoint_left(int variant)
{
    patch((char *)instead + variant, "\xcc", 1);
    total += moved(instead, 0)(variant);
    total += read_null(variant);
}

static void branch_turned(int variant)
{
    patch(checked_read_branch, "\x75", 1);
    total += checked_read((long *)(uintptr_t)(variant * 0));
}

static void *library(void)
{
    void *handle = dlopen("plugin.so", RTLD_NOW); // beside the program: it is linked with -rpath $ORIGIN
    if (handle == NULL)
        exit(3);
    return handle;
}

static void closed_library_called(int variant)
{
    void *handle = library();
    function target = (function)dlsym(handle, "plugin_work");
    total += target(1);
    dlclose(handle);
    total += variant % 2 ? tail_call(target, 2) : target(2);
}

static void *open_handle;

static NOINLINE long close_it(long value)
{
    return dlclose(open_handle) + value;
}

static void closed_library_returned_to(int variant)
{
    open_handle = library();
    long (*visit)(function, long) = (long (*)(function, long))dlsym(open_handle, "plugin_visit");
    total += visit(close_it, variant);
}

static void middle_of_function(int variant)
{
    function target = moved(weigh, 1 + 5 * variant);
    total += target((long)(uintptr_t)records);
    total += read_null(variant);
}

static void flagged_function(int variant)
{
    function target = moved(weigh, 0);
    target = (function)((uintptr_t)target ^ (uintptr_t)1 << (variant * 7));
    total += target(5);
    total += read_null(variant);
}

static void data_called(int variant)
{
    function target = (function)(uintptr_t)(variant % 2 ? (char *)records : (char *)&total);
    total += variant > 1 ? tail_call(target, 2) : target(2);
}

static void null_called(int variant)
{
    function target = (function)(uintptr_t)(variant / 2 * 8);
    total += variant % 2 ? tail_call(target, 2) : target(2);
}

static const struct bug_case bugs[] = {
    {"hooked", hooked},
    {"hooked_in_the_wrong_place", hooked_in_the_wrong_place},
    {"breakpoint_left", breakpoint_left},
    {"branch_turned", branch_turned},
    {"closed_library_called", closed_library_called},
    {"closed_library_returned_to", closed_library_returned_to},
    {"middle_of_function", middle_of_function},
    {"flagged_function", flagged_function},
    {"data_called", data_called},
    {"null_called", null_called},
};

int main(int argc, char **argv)
{
    return run_case(bugs, sizeof bugs / sizeof *bugs, argc, argv);
}
