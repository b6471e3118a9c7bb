/* Runs one crash, named by argv[1], in the manner that argv[2] names.

   Exit status 77 says that this machine cannot make the crash, 78 that no such crash exists, 79 that
   the handler itself would have crashed; a crash function that returns gives 0, and the maker then counts a program that did not dump. */

#ifndef ZOO_HARNESS_H
#define ZOO_HARNESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))
/* The compiler may assume nothing about this pointer and the memory behind it. */
#define KEEP(pointer) __asm__ volatile("" : "+r"(pointer) : : "memory")
#define CANNOT_BE_MADE_HERE 77
#define CRASHED_IN_HANDLER 79
#define STACK_BYTES (256 * 1024)

struct crash {
    const char *name;
    void (*run)(void);
};

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
static void (*chosen)(void);

static void reset(int signal_number) { signal(signal_number, SIG_DFL); }

/* The signal is blocked while its handler runs: it is delivered after the handler has returned. */
static void raise_and_return(int signal_number)
{
    reset(signal_number);
    raise(signal_number);
}

static void report_and_raise(int signal_number)
{
    static volatile sig_atomic_t entered;
    char line[128];
    void *frames[16];
    if (entered++)
        _exit(CRASHED_IN_HANDLER);
    int length = snprintf(line, sizeof line, "signal %d in %d\n", signal_number, (int)getpid());
    if (write(2, line, (size_t)length) < 0)
        _exit(1);
    backtrace_symbols_fd(frames, backtrace(frames, 16), 2);
    reset(signal_number);
    raise(signal_number);
}

static void call_abort(int signal_number)
{
    (void)signal_number;
    reset(SIGABRT);
    abort();
}

static void only_reset(int signal_number) { reset(signal_number); }

static void run_in_handler(int signal_number)
{
    (void)signal_number;
    chosen();
}

static void use_alternate_stack(void)
{
    stack_t stack;
    memset(&stack, 0, sizeof stack);
    stack.ss_size = 64 * 1024;
    stack.ss_sp = malloc(stack.ss_size);
    sigaltstack(&stack, NULL);
}

static void handle_fatal(void (*handler)(int), int flags)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    if (flags & SA_ONSTACK)
        use_alternate_stack();
    for (size_t i = 0; i < sizeof fatal_signals / sizeof *fatal_signals; i++)
        sigaction(fatal_signals[i], &action, NULL);
}

static void inside_handler(int flags)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = run_in_handler;
    action.sa_flags = flags;
    if (flags & SA_ONSTACK)
        use_alternate_stack();
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

static void *thread_body(void *unused)
{
    chosen();
    return unused;
}

static void inside_thread(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_create(&thread, &attributes, thread_body, NULL);
    pthread_join(thread, NULL);
}

static void inside_child(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        chosen();
    else if (waitpid(child, &status, 0) == child && WIFEXITED(status))
        exit(WEXITSTATUS(status));
}

static void *sleep_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

/* Of several threads only the one that calls fork() lives on in the child. */
static void inside_child_of_threads(void)
{
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, sleep_for_ever, NULL);
    }
    inside_child();
}

static int run_manner(const char *manner)
{
    if (!strcmp(manner, "thread")) return inside_thread(), 0;
    if (!strcmp(manner, "forked")) return inside_child(), 0;
    if (!strcmp(manner, "forked_threaded")) return inside_child_of_threads(), 0;
    if (!strcmp(manner, "in_handler")) return inside_handler(0), 0;
    if (!strcmp(manner, "in_handler_alternate")) return inside_handler(SA_ONSTACK), 0;
    if (!strcmp(manner, "raised_alternate")) handle_fatal(raise_and_return, SA_ONSTACK);
    else if (!strcmp(manner, "raised_same")) handle_fatal(raise_and_return, 0);
    else if (!strcmp(manner, "raised_live")) handle_fatal(report_and_raise, SA_ONSTACK | SA_NODEFER);
    else if (!strcmp(manner, "aborted")) handle_fatal(call_abort, SA_ONSTACK);
    else if (!strcmp(manner, "aborted_same")) handle_fatal(call_abort, 0);
    else if (!strcmp(manner, "executed_again")) handle_fatal(only_reset, SA_ONSTACK);
    else if (strcmp(manner, "plain")) return 78;
    chosen();
    return 0;
}

static void limit_main_stack(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = STACK_BYTES;
    setrlimit(RLIMIT_STACK, &limit);
}

static int run_crash(const struct crash *crashes, int count, char **words)
{
    const char *manner = words[1] && words[2] ? words[2] : "plain";
    limit_main_stack();
    for (int i = 0; i < count; i++)
        if (words[1] && !strcmp(crashes[i].name, words[1])) {
            chosen = crashes[i].run;
            return run_manner(manner);
        }
    return 78;
}

#define CRASH(function) {#function, function}
#define MAIN(crashes)                                                                  \
    int main(int count, char **words)                                                  \
    {                                                                                  \
        (void)count;                                                                   \
        return run_crash(crashes, (int)(sizeof crashes / sizeof *crashes), words);     \
    }

#endif
