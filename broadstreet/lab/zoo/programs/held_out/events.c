/* Stopped by the processor or the kernel, not by a wrong address. */

#include "cases.h"
#include <fcntl.h>
#include <fenv.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <time.h>

void quiet(void);
void quiet(void) { tick += 0; }

/* ---- no instruction ---- */

CASE(opcode_aaa) { __asm__ volatile(".byte 0x37"); quiet(); }
CASE(opcode_ud0) { __asm__ volatile(".byte 0x0f, 0xff, 0xc1"); quiet(); }
CASE(opcode_group_five) { __asm__ volatile(".byte 0xff, 0xff"); quiet(); }
CASE(locked_load) { __asm__ volatile(".byte 0xf0, 0x48, 0x8b, 0x04, 0x24" : : : "rax"); quiet(); }

/* mulx with an impossible vvvv is no instruction either; here a VEX prefix after a REX prefix. */
CASE(two_prefixes) { __asm__ volatile(".byte 0x48, 0xc5, 0xf8, 0x77"); quiet(); }

static unsigned char heap_of_code[64] = {0xf3, 0x90, 0x66, 0x90, 0x61, 0x60, 0x06};

CASE(code_overwritten)
{
    unsigned char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, heap_of_code, sizeof heap_of_code);
    mprotect(page, PAGE, PROT_READ | PROT_EXEC);
    int (*target)(int) = (int (*)(int))(uintptr_t)page;
    OPAQUE(target);
    result = (uintptr_t)target(1) + 1;
}

/* ---- not allowed to a user ---- */

CASE(read_port) { __asm__ volatile("inb $0x60, %%al" : : : "rax"); quiet(); }
CASE(read_control_register) { __asm__ volatile("mov %%cr3, %%rax" : : : "rax"); quiet(); }
CASE(call_interrupt) { __asm__ volatile("int $0x20"); quiet(); }

/* ---- a stop that was asked for ---- */

APART static int month_days(int month)
{
    switch (month) {
    case 2: return 28;
    case 4: case 6: case 9: case 11: return 30;
    case 1: case 3: case 5: case 7: case 8: case 10: case 12: return 31;
    }
    __builtin_trap();
}

CASE(thirteenth_month) { result = (uintptr_t)month_days((int)number(13)); }
CASE(stop_for_debugger) { __asm__ volatile("nop\n\tint3\n\tnop"); quiet(); }
CASE(one_byte_trap) { __asm__ volatile(".byte 0xf1"); quiet(); }

/* ---- division ---- */

CASE(average_of_none) { result = word(1000) / word(0); }
CASE(rest_of_long) { long least = (long)word((uintptr_t)1 << 63); result = (uintptr_t)(least % (long)word((uintptr_t)-1)); }
CASE(byte_division)
{
    __asm__ volatile("movb $0, %%cl\n\tmovw $7, %%ax\n\tdivb %%cl" : : : "rax", "rcx");
    quiet();
}
CASE(scaled_ratio)
{
    unsigned long high = word(9), low = 1, by = word(3);
    __asm__ volatile("divq %2" : "+d"(high), "+a"(low) : "r"(by));
    result = low;
}

CASE(root_of_minus_one)
{
    feenableexcept(FE_INVALID);
    volatile double value = -1.0 - (double)number(0);
    __asm__ volatile("sqrtsd %1, %%xmm0" : : "x"(0.0), "m"(value) : "xmm0");
    quiet();
}

/* ---- a file that has become short ---- */

static int memory_file(size_t size)
{
    int file = (int)syscall(SYS_memfd_create, "zoo", 0);
    if (file < 0 || ftruncate(file, (off_t)size) != 0)
        SKIP();
    return file;
}

CASE(file_emptied)
{
    int file = memory_file(3 * PAGE);
    const volatile int *numbers = mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE, file, 0);
    result = (uintptr_t)numbers[100];
    if (ftruncate(file, 0) == 0)
        result += (uintptr_t)numbers[1200];
    quiet();
}

CASE(file_searched_too_far)
{
    int file = open("zoo-text", O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink("zoo-text");
    if (write(file, "some text", 9) != 9)
        SKIP();
    char *text = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, file, 0);
    OPAQUE(text);
    result = (uintptr_t)memchr(text + PAGE, '!', number(2 * PAGE));
}

CASE(code_file_emptied)
{
    static const unsigned char code[] = {0x90, 0x90, 0xc3};
    int file = open("zoo-code", O_RDWR | O_CREAT | O_TRUNC, 0700);
    unlink("zoo-code");
    if (write(file, code, sizeof code) != sizeof code)
        SKIP();
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, file, 0);
    int (*target)(int) = (int (*)(int))page;
    OPAQUE(target);
    result = (uintptr_t)target(1);
    if (ftruncate(file, 0) == 0)
        result = (uintptr_t)target(2) + 1;
}

/* ---- alignment checked ---- */

#define ALIGNMENT_CHECK_ON "pushfq\n\tbtsl $18, (%%rsp)\n\tpopfq\n\t"

CASE(word_at_odd_address)
{
    unsigned char bytes[32] = {0};
    unsigned char *at = bytes + number(3);
    __asm__ volatile(ALIGNMENT_CHECK_ON "movzwl 8(%0), %%eax" : : "r"(at) : "rax", "memory", "cc");
}

CASE(sum_at_odd_address)
{
    unsigned char *at = (unsigned char *)malloc(64) + number(5);
    __asm__ volatile(ALIGNMENT_CHECK_ON "addl $1, (%0)" : : "r"(at) : "memory", "cc");
}

/* ---- system calls ---- */

static void allow_all_but(const int *calls, unsigned count, unsigned action)
{
    struct sock_filter filter[24];
    unsigned at = 0;
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < count; i++) {
        filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], 0, 1);
        filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
    }
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {(unsigned short)at, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        SKIP();
}

CASE(open_forbidden)
{
    static const int calls[] = {SYS_open, SYS_openat, SYS_socket};
    allow_all_but(calls, 3, SECCOMP_RET_KILL_PROCESS);
    result = (uintptr_t)fopen("/dev/null", "r");
}

CASE(time_trapped)
{
    static const int calls[] = {SYS_times, SYS_getcwd};
    char place[128];
    allow_all_but(calls, 2, SECCOMP_RET_TRAP);
    result = (uintptr_t)getcwd(place, sizeof place);
}

CASE(thread_forbidden)
{
    static const int calls[] = {SYS_sched_yield};
    allow_all_but(calls, 1, SECCOMP_RET_KILL_THREAD);
    result = (uintptr_t)syscall(SYS_sched_yield);
}

/* ---- limits ---- */

CASE(second_used_up)
{
    struct rlimit limit = {1, RLIM_INFINITY};
    double sum = 0;
    setrlimit(RLIMIT_CPU, &limit);
    for (unsigned long i = 1; result == 0; i++)
        if ((sum += 1.0 / (double)i) < 0)
            result = i;
}

CASE(file_grown_too_far)
{
    struct rlimit limit = {96 << 20, RLIM_INFINITY};
    int file = open("zoo-grown", O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink("zoo-grown");
    setrlimit(RLIMIT_FSIZE, &limit);
    result = (uintptr_t)ftruncate(file, 128 << 20);
    quiet();
}

/* ---- sent ---- */

static pid_t parent;

static void send_from_child(int which, int by_descriptor)
{
    parent = getpid();
    pid_t child = fork();
    if (child != 0)
        return;
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    if (by_descriptor)
        syscall(SYS_pidfd_send_signal, (int)syscall(SYS_pidfd_open, parent, 0), which, NULL, 0);
    else
        syscall(SYS_tgkill, parent, parent, which);
    _exit(0);
}

CASE(killed_while_reading)
{
    int ends[2];
    char byte;
    send_from_child(SIGSEGV, 1);
    if (pipe(ends) == 0)
        result = (uintptr_t)read(ends[0], &byte, 1);
}

CASE(killed_thread) { send_from_child(SIGBUS, 0); for (;;) pause(); }
CASE(killed_while_computing) { send_from_child(SIGFPE, 1); for (;;) result += word(3) * 7; }
CASE(quit_while_waiting) { send_from_child(SIGQUIT, 0); for (;;) sleep(1); }
CASE(bad_system_call_sent) { send_from_child(SIGSYS, 1); for (;;) pause(); }

/* The child is the one that dies, and its parent the sender. */
CASE(child_killed)
{
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    nanosleep(&(struct timespec){0, 20000000}, NULL);
    kill(child, SIGABRT);
    wait_for(child);
}

CASE(watchdog_expired)
{
    struct sigevent event;
    struct itimerspec when = {{0, 0}, {0, 20000000}};
    timer_t timer;
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGABRT;
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    timer_settime(timer, 0, &when, NULL);
    for (;;)
        result += word(3) * 7;
}

CASE(own_trap) { raise(SIGTRAP); quiet(); }
CASE(own_fault) { pthread_kill(pthread_self(), SIGBUS); quiet(); }
