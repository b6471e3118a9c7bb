/* The held-out programs: written apart from the others, with handlers of other designs.

   CASE(name) { ... } defines and registers a crash; argv[1] chooses it and argv[2] the manner. */

#ifndef HELD_OUT_CASES_H
#define HELD_OUT_CASES_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define APART __attribute__((noinline, noipa))
#define SKIP() _exit(77)
#define PAGE 4096

struct crash_case {
    const char *name;
    void (*body)(void);
    struct crash_case *next;
};

static struct crash_case *entries;
static struct crash_case *current;
static unsigned char signal_stack[48 * 1024] __attribute__((aligned(64)));

#define CASE(label)                                                                       \
    static void label(void);                                                              \
    static struct crash_case entry_##label = {#label, label, 0};                               \
    __attribute__((constructor)) static void register_##label(void)                       \
    {                                                                                     \
        entry_##label.next = entries;                                                     \
        entries = &entry_##label;                                                         \
    }                                                                                     \
    __attribute__((noinline)) static void label(void)

/* What the compiler cannot know. */
static volatile long tick;
APART static uintptr_t word(uintptr_t value) { return value + (uintptr_t)tick; }
APART static void *pointer(uintptr_t value) { return (void *)word(value); }
APART static size_t number(size_t value) { return value + (size_t)tick; }
static volatile uintptr_t result;
#define OPAQUE(p) __asm__ volatile("" : "+r"(p) : : "memory")

static void default_action(int which)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(which, &action, NULL);
}

/* Stays pending until the handler has returned; the signal now comes from the process itself. */
static void kill_own_process(int which, siginfo_t *info, void *context)
{
    (void)info, (void)context;
    default_action(which);
    kill(getpid(), which);
}

/* As crash reporters do that want to keep si_code and si_addr. */
static void queue_same_siginfo(int which, siginfo_t *info, void *context)
{
    (void)context;
    default_action(which);
    syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), which, info);
}

static void write_and_unblock(int which, siginfo_t *info, void *context)
{
    char text[256];
    sigset_t set;
    const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    int size = snprintf(text, sizeof text, "*** %s at %p, rip %llx rsp %llx ***\n", strsignal(which), info->si_addr,
                        (unsigned long long)registers[REG_RIP], (unsigned long long)registers[REG_RSP]);
    if (write(STDERR_FILENO, text, (size_t)size) != size)
        return;
    default_action(which);
    sigemptyset(&set);
    sigaddset(&set, which);
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), which);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void abort_now(int which, siginfo_t *info, void *context)
{
    (void)which, (void)info, (void)context;
    abort();
}

static void do_nothing(int which, siginfo_t *info, void *context) { (void)which, (void)info, (void)context; }

static void on_crash(void (*handler)(int, siginfo_t *, void *), int flags)
{
    static const int caught[] = {SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGSYS};
    struct sigaction action;
    stack_t stack;
    memset(&action, 0, sizeof action);
    memset(&stack, 0, sizeof stack);
    stack.ss_sp = signal_stack;
    stack.ss_size = sizeof signal_stack;
    sigaltstack(&stack, NULL);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    sigfillset(&action.sa_mask);
    for (unsigned i = 0; i < sizeof caught / sizeof *caught; i++)
        sigaction(caught[i], &action, NULL);
}

static void alarm_body(int which)
{
    (void)which;
    current->body();
}

/* The signal comes at some instruction of a busy loop. */
static void in_alarm(void)
{
    struct itimerval timer = {{0, 0}, {0, 3000}};
    signal(SIGALRM, alarm_body);
    setitimer(ITIMER_REAL, &timer, NULL);
    for (int i = 0; i < 2000000000; i++)
        result += (uintptr_t)i ^ result >> 3;
}

static void *work(void *argument)
{
    ((struct crash_case *)argument)->body();
    return NULL;
}

/* A thread on a stack of our own, without a guard page, among two idle ones. */
static void *idle(void *unused)
{
    pause();
    return unused;
}

static void in_worker(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    size_t size = 24 * PAGE;
    char *low = (char *)mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(low, PAGE, PROT_NONE);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    pthread_create(&thread, &attributes, idle, NULL);
    pthread_create(&thread, &attributes, idle, NULL);
    pthread_attr_setstack(&attributes, low + PAGE, size);
    pthread_create(&thread, &attributes, work, current);
    pthread_join(thread, NULL);
}

static void wait_for(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 0);
}

static void in_grandchild(void)
{
    for (int generation = 0; generation < 2; generation++) {
        pid_t child = fork();
        if (child > 0)
            wait_for(child);
    }
    current->body();
}

static int perform(const char *manner)
{
    if (!strcmp(manner, "worker")) in_worker();
    else if (!strcmp(manner, "grandchild")) in_grandchild();
    else if (!strcmp(manner, "alarm")) in_alarm();
    else {
        if (!strcmp(manner, "killed")) on_crash(kill_own_process, SA_ONSTACK);
        else if (!strcmp(manner, "killed_same")) on_crash(kill_own_process, 0);
        else if (!strcmp(manner, "queued")) on_crash(queue_same_siginfo, SA_ONSTACK);
        else if (!strcmp(manner, "reported")) on_crash(write_and_unblock, SA_ONSTACK);
        else if (!strcmp(manner, "reported_same")) on_crash(write_and_unblock, 0);
        else if (!strcmp(manner, "aborting")) on_crash(abort_now, SA_ONSTACK | SA_RESETHAND);
        else if (!strcmp(manner, "returned")) on_crash(do_nothing, SA_ONSTACK | SA_RESETHAND);
        else if (strcmp(manner, "plain")) return 78;
        current->body();
    }
    return 0;
}

int main(int count, char **words)
{
    struct rlimit stack;
    getrlimit(RLIMIT_STACK, &stack);
    stack.rlim_cur = 200 * 1024;
    setrlimit(RLIMIT_STACK, &stack);
    tick = count > 3;
    for (current = entries; current; current = current->next)
        if (count > 1 && !strcmp(current->name, words[1]))
            return perform(count > 2 ? words[2] : "plain");
    return 78;
}

#endif
