// Exceptions that nobody catches, and crashes while or after one is thrown.

#include "harness.h"
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static volatile uintptr_t sink;
static volatile size_t one = 1;
static volatile uintptr_t none = 0;

NOINLINE static void touch() { sink = sink + 1; }

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

NOINLINE static void fail_at(size_t depth)
{
    std::string name = "a name that does not fit the small string buffer";
    if (depth == 0)
        throw Failure(name);
    fail_at(depth - 1);
    touch();
}

// abort_uncaught_exception

static void uncaught_deep() { fail_at(5 * one); }
static void uncaught_number() { throw 42; }
static void uncaught_range() { std::vector<int> row(3); sink = static_cast<uintptr_t>(row.at(5 * one)); }
static void uncaught_memory() { sink = reinterpret_cast<uintptr_t>(::operator new(static_cast<size_t>(-1) / 4 * one)); }
static void uncaught_again() { throw; }

NOINLINE static void promise() noexcept { fail_at(2 * one); touch(); }
static void uncaught_noexcept() { try { promise(); } catch (...) { touch(); } }

static void terminated() { std::terminate(); }

static void terminated_joinable() { std::thread worker([] { usleep(1000); }); touch(); }

struct Shape {
    Shape() { measure(); }
    virtual ~Shape() = default;
    NOINLINE void measure() { sink = sink + static_cast<uintptr_t>(area()); }
    virtual int area() = 0;
};

struct Square : Shape {
    int area() override { return 4; }
};

static void pure_virtual() { Square square; touch(); }

struct Twice {
    NOINLINE ~Twice() noexcept(false) { fail_at(one); }
};

static void uncaught_in_destructor()
{
    try { Twice twice; fail_at(3 * one); } catch (const Failure &) { touch(); }
}

static void caught_and_aborted()
{
    try { fail_at(2 * one); } catch (const Failure &) { abort(); }
}

// unwinding_exception

struct Reads {
    volatile uintptr_t *address;
    NOINLINE ~Reads() { sink = *address; }
};

NOINLINE static void clean_up_reading(uintptr_t address)
{
    Reads reads{reinterpret_cast<volatile uintptr_t *>(address)};
    fail_at(2 * one);
    touch();
}

static void unwinding_null() { try { clean_up_reading(none); } catch (const Failure &) { touch(); } }

static void unwinding_noncanonical()
{
    try { clean_up_reading(0x4141414141414141 + none); } catch (const Failure &) { touch(); }
}

struct Calls {
    void (*volatile target)();
    NOINLINE ~Calls() { target(); touch(); }
};

NOINLINE static void clean_up_calling(uintptr_t target)
{
    Calls calls{reinterpret_cast<void (*)()>(target)};
    fail_at(one);
    touch();
}

static void unwinding_call_null() { try { clean_up_calling(none); } catch (...) { touch(); } }

struct Clears {
    NOINLINE ~Clears()
    {
        reinterpret_cast<volatile uintptr_t *>(__builtin_frame_address(0))[1] = none;
        touch();
    }
};

NOINLINE static void clean_up_clearing()
{
    Clears clears;
    fail_at(3 * one);
    touch();
}

static void unwinding_return_zero() { try { clean_up_clearing(); } catch (...) { touch(); } }

// The clean-up is over when a catch block runs, and an ordinary destructor needs no exception.
static void caught_then_null()
{
    try { fail_at(2 * one); } catch (const Failure &) { sink = *reinterpret_cast<volatile uintptr_t *>(none); }
}

static void destructor_null() { Reads reads{reinterpret_cast<volatile uintptr_t *>(none)}; touch(); }

static void null_object()
{
    Shape *volatile shape = reinterpret_cast<Shape *>(none);
    sink = static_cast<uintptr_t>(shape->area());
}

static void null_table()
{
    void *memory = calloc(1, 64);
    Shape *volatile shape = static_cast<Shape *>(memory);
    sink = static_cast<uintptr_t>(shape->area());
}

static void wrong_table()
{
    auto *table = static_cast<uintptr_t *>(calloc(8, 8));
    auto **object = static_cast<uintptr_t **>(calloc(1, 64));
    *object = table;
    Shape *volatile shape = reinterpret_cast<Shape *>(object);
    sink = static_cast<uintptr_t>(shape->area());
}

static const struct crash crashes[] = {
    CRASH(uncaught_deep), CRASH(uncaught_number), CRASH(uncaught_range), CRASH(uncaught_memory),
    CRASH(uncaught_again), CRASH(uncaught_noexcept), CRASH(terminated), CRASH(terminated_joinable),
    CRASH(pure_virtual), CRASH(uncaught_in_destructor), CRASH(caught_and_aborted), CRASH(unwinding_null),
    CRASH(unwinding_noncanonical), CRASH(unwinding_call_null), CRASH(unwinding_return_zero),
    CRASH(caught_then_null), CRASH(destructor_null), CRASH(null_object), CRASH(null_table), CRASH(wrong_table),
};

MAIN(crashes)
