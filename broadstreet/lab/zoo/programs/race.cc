// Throws through frames with clean-ups, while a signal handler that uses some stack is installed.
// race KIND DEPTH [thread]: writes a line when ready, then waits for one on its standard input.

#include <pthread.h>
#include <signal.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#define NOINLINE __attribute__((noinline, noclone))

static volatile size_t cleaned, caught;
static const char *kind;
static size_t depth;

static void use_stack(int)
{
    char area[4096];
    char *start = area;
    memset(start, 0, sizeof area);
    __asm__ volatile("" : : "r"(start) : "memory");
}

struct Resource {
    std::string name;
    size_t level;
    explicit Resource(size_t at) : name("a resource that is given back in the end"), level(at) {}
    NOINLINE ~Resource() { cleaned = cleaned + level; }
};

struct Backpressure : std::runtime_error {
    long queue[12] = {};
    using std::runtime_error::runtime_error;
};

NOINLINE static void refuse()
{
    if (!strcmp(kind, "number"))
        throw 7;
    if (!strcmp(kind, "memory"))
        throw std::bad_alloc();
    throw Backpressure("the queue is full");
}

NOINLINE static void admit(size_t level)
{
    Resource resource(level);
    if (level == 0)
        refuse();
    else
        admit(level - 1);
    cleaned = cleaned + 1;
}

NOINLINE static void serve()
{
    try {
        admit(depth);
    } catch (const std::exception &) {
        caught = caught + 1;
    } catch (int) {
        caught = caught + 2;
    }
}

static void *work(void *unused)
{
    for (int request = 0; request < 100; request++)
        serve();
    return unused;
}

static void wait_to_be_told()
{
    char line[16];
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        exit(1);
}

int main(int count, char **words)
{
    struct sigaction action = {};
    action.sa_handler = use_stack;
    sigaction(SIGUSR2, &action, nullptr);
    kind = words[1];
    depth = static_cast<size_t>(atoi(words[2]));
    serve();
    if (count > 3) {
        // The tracer watches this one thread only.
        pthread_t thread;
        pthread_create(&thread, nullptr, [](void *unused) { wait_to_be_told(); return work(unused); }, nullptr);
        pthread_join(thread, nullptr);
    } else {
        wait_to_be_told();
        work(nullptr);
    }
    return 0;
}
