/* The processor or the kernel stops the program for another reason than a wrong address. */

#include "harness.h"
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static volatile uintptr_t sink;
static volatile int none = 0;
static volatile int one = 1;

NOINLINE static void touch(void) { sink++; }

/* illegal_instruction */

static void illegal_byte(void) { __asm__ volatile(".byte 0x06"); touch(); }
static void illegal_salc(void) { __asm__ volatile(".byte 0xd6, 0x90"); touch(); }
static void illegal_lock(void) { __asm__ volatile(".byte 0xf0, 0x90"); touch(); }
static void illegal_ud1(void) { __asm__ volatile(".byte 0x0f, 0xb9, 0xc0"); touch(); }

/* ldtilecfg (%rax): a valid instruction of processors with AMX. */
static void illegal_on_this_processor(void)
{
    __asm__ volatile("xor %%eax, %%eax\n\t.byte 0xc4, 0xe2, 0x78, 0x49, 0x00" ::: "rax");
    touch();
}

static void *code_page(const char *bytes, size_t count)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, bytes, count);
    return page;
}

static void illegal_jump_into_garbage(void)
{
    void (*volatile target)(void) = (void (*)(void))code_page("\x90\x0e\x07\xff\xff", 5);
    target();
    touch();
}

static void illegal_jump_into_text(void)
{
    void (*volatile target)(void) = (void (*)(void))code_page("\x27/37 of it", 10);
    target();
    touch();
}

/* deliberate_trap */

static void trap_builtin(void) { if (one) __builtin_trap(); touch(); }
static void trap_breakpoint(void) { __asm__ volatile("int3"); touch(); }
static void trap_int_3(void) { __asm__ volatile("int $3"); touch(); }
static void trap_ud2(void) { __asm__ volatile("ud2"); touch(); }

NOINLINE static int checked_add(int left, int right)
{
    int sum;
    if (__builtin_add_overflow(left, right, &sum))
        __builtin_trap();
    return sum;
}

static void trap_overflow_check(void) { sink = (uintptr_t)checked_add(0x7fffffff, one); touch(); }

/* divide_error, and neighbours with the same signal */

static void divide_zero(void) { sink = (uintptr_t)(100 / none); touch(); }
static void divide_minimum(void) { volatile int least = -0x7fffffff - 1; sink = (uintptr_t)(least / -one); touch(); }
static void divide_modulo(void) { sink = (uintptr_t)(100u % (unsigned)none); touch(); }
static void divide_quotient(void)
{
    __asm__ volatile("mov $5, %%edx\n\txor %%eax, %%eax\n\tmov $2, %%ecx\n\tdiv %%ecx" ::: "rax", "rdx", "rcx");
    touch();
}

static void float_divide(void)
{
    volatile double zero = none;
    feenableexcept(FE_DIVBYZERO);
    volatile double quotient = 1.0 / zero;
    sink = (uintptr_t)quotient;
}

static void float_overflow(void)
{
    volatile double large = 1e300;
    feenableexcept(FE_OVERFLOW);
    volatile double product = large * large;
    sink = (uintptr_t)product;
}

/* general protection without a wrong address */

static void privileged_halt(void) { __asm__ volatile("hlt"); touch(); }
static void privileged_interrupts(void) { __asm__ volatile("cli"); touch(); }

/* bus_error_truncated_file */

static char *file_pages(size_t bytes, int *file)
{
    char name[] = "zoo-file-XXXXXX";
    *file = mkstemp(name);
    unlink(name);
    if (ftruncate(*file, (off_t)bytes) != 0)
        exit(CANNOT_BE_MADE_HERE);
    return mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
}

static void truncated_read(void)
{
    int file;
    volatile char *bytes = file_pages(4 * 4096, &file);
    bytes[4096] = 1;
    if (ftruncate(file, 100) == 0)
        sink = (uintptr_t)bytes[2 * 4096];
    touch();
}

static void truncated_memcpy(void)
{
    int file;
    char *bytes = file_pages(4 * 4096, &file);
    char *copy = malloc(4 * 4096);
    if (ftruncate(file, 4096) == 0)
        memcpy(copy, bytes, (size_t)(4 * 4096 * one));
    KEEP(copy);
    touch();
}

static void short_file_write(void)
{
    int file;
    volatile char *bytes = file_pages(4096, &file);
    bytes[4096 * one] = 1;
    touch();
}

/* bus_error_alignment */

#define CHECK_ALIGNMENT() __asm__ volatile("pushfq\n\torl $0x40000, (%%rsp)\n\tpopfq" ::: "memory", "cc")

static void alignment_load(void)
{
    uintptr_t *words = malloc(64);
    volatile uintptr_t *odd = (uintptr_t *)((char *)words + one);
    CHECK_ALIGNMENT();
    uintptr_t word = *odd;
    sink = word;
}

static void alignment_store(void)
{
    uint32_t *words = malloc(64);
    volatile uint32_t *odd = (uint32_t *)((char *)words + 2 * one);
    CHECK_ALIGNMENT();
    *odd = 7;
}

/* protection_key */

static void protection_key_write(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int key = pkey_alloc(0, PKEY_DISABLE_WRITE);
    if (key < 0 || pkey_mprotect(page, 4096, PROT_READ | PROT_WRITE, key) != 0)
        exit(CANNOT_BE_MADE_HERE);
    page[one] = 1;
    touch();
}

static void protection_key_read(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int key = pkey_alloc(0, PKEY_DISABLE_ACCESS);
    if (key < 0 || pkey_mprotect(page, 4096, PROT_READ | PROT_WRITE, key) != 0)
        exit(CANNOT_BE_MADE_HERE);
    sink = (uintptr_t)((volatile char *)page)[one];
    touch();
}

/* bad_syscall */

static void forbid(long call, unsigned action)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        exit(CANNOT_BE_MADE_HERE);
}

static void syscall_killed(void)
{
    forbid(SYS_getppid, SECCOMP_RET_KILL_PROCESS);
    sink = (uintptr_t)getppid();
    touch();
}

static void syscall_trapped(void)
{
    forbid(SYS_uname, SECCOMP_RET_TRAP);
    sink = (uintptr_t)syscall(SYS_uname, &sink);
    touch();
}

/* resource_limit */

static void limit_cpu(void)
{
    struct rlimit limit = {1, 5};
    setrlimit(RLIMIT_CPU, &limit);
    for (;;)
        touch();
}

/* The kernel would also cut the core file at the limit: so it is large, and the write far behind it. */
static void limit_file_size(void)
{
    struct rlimit limit = {64 << 20, 64 << 20};
    int file = open("zoo-large", O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink("zoo-large");
    setrlimit(RLIMIT_FSIZE, &limit);
    sink = (uintptr_t)pwrite(file, "text", 4, 65 << 20);
    touch();
}

/* sent_by_process */

static void sent(int signal_number, int queued)
{
    pid_t target = getpid();
    pid_t sender = fork();
    if (sender == 0) {
        union sigval value = {7};
        usleep(20000);
        if (queued) sigqueue(target, signal_number, value);
        else kill(target, signal_number);
        _exit(0);
    }
    for (int i = 0; i < 5000; i++)
        usleep(1000);
    waitpid(sender, NULL, 0);
}

static void sent_segv(void) { sent(SIGSEGV, 0); }
static void sent_abort(void) { sent(SIGABRT, 0); }
static void sent_quit(void) { sent(SIGQUIT, 0); }
static void sent_bus(void) { sent(SIGBUS, 0); }
static void sent_queued(void) { sent(SIGSEGV, 1); }

static void sent_while_busy(void)
{
    pid_t target = getpid();
    if (fork() == 0) {
        usleep(20000);
        kill(target, SIGILL);
        _exit(0);
    }
    for (;;)
        touch();
}

static void raised_by_itself(void) { raise(SIGSEGV); touch(); }
static void killed_by_itself(void) { kill(getpid(), SIGQUIT); touch(); }

static const struct crash crashes[] = {
    CRASH(illegal_byte), CRASH(illegal_salc), CRASH(illegal_lock), CRASH(illegal_ud1),
    CRASH(illegal_on_this_processor), CRASH(illegal_jump_into_garbage), CRASH(illegal_jump_into_text),
    CRASH(trap_builtin), CRASH(trap_breakpoint), CRASH(trap_int_3), CRASH(trap_ud2), CRASH(trap_overflow_check),
    CRASH(divide_zero), CRASH(divide_minimum), CRASH(divide_modulo), CRASH(divide_quotient), CRASH(float_divide),
    CRASH(float_overflow), CRASH(privileged_halt), CRASH(privileged_interrupts), CRASH(truncated_read),
    CRASH(truncated_memcpy), CRASH(short_file_write), CRASH(alignment_load), CRASH(alignment_store),
    CRASH(protection_key_write), CRASH(protection_key_read), CRASH(syscall_killed), CRASH(syscall_trapped),
    CRASH(limit_cpu), CRASH(limit_file_size), CRASH(sent_segv), CRASH(sent_abort), CRASH(sent_quit),
    CRASH(sent_bus), CRASH(sent_queued), CRASH(sent_while_busy), CRASH(raised_by_itself),
    CRASH(killed_by_itself),
};

MAIN(crashes)
