// Exceptions and objects.

#include "cases.h"
#include <any>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <typeinfo>
#include <variant>
#include <vector>

struct Overloaded : std::exception {
    std::string text;
    explicit Overloaded(const char *why) : text(why) {}
    const char *what() const noexcept override { return text.c_str(); }
};

APART static void admit(size_t requests, size_t limit)
{
    std::vector<std::string> queue(3, "a request with a rather long description in it");
    if (requests > limit)
        throw Overloaded("too many requests are waiting here");
    admit(requests + 1, limit);
    result = queue.size();
}

// ---- nobody catches

CASE(overloaded_server) { admit(number(0), number(8)); }
CASE(thread_overloaded) { std::thread([] { admit(number(5), 4); }).join(); }
CASE(empty_function) { std::function<int(int)> call; result = static_cast<uintptr_t>(call(3)); }
CASE(wrong_alternative) { std::variant<int, std::string> value(3); result = std::get<std::string>(value).size(); }
CASE(wrong_any) { std::any value = 5; result = std::any_cast<std::string>(value).size(); }
CASE(missing_key) { std::map<int, int> map{{1, 2}}; result = static_cast<uintptr_t>(map.at(static_cast<int>(number(7)))); }
CASE(broken_promise)
{
    std::future<int> answer;
    { std::promise<int> promise; answer = promise.get_future(); }
    result = static_cast<uintptr_t>(answer.get());
}

struct Guard {
    size_t level;
    APART ~Guard() { admit(level, 0); }
};

CASE(destructor_overloaded)
{
    try { Guard guard{number(1)}; } catch (const Overloaded &) { result = 1; }
}

CASE(overloaded_while_overloaded)
{
    try { Guard guard{number(1)}; admit(2, 1); } catch (const Overloaded &) { result = 1; }
}

struct Base {
    virtual ~Base() { describe(); }
    APART void describe() { result = static_cast<uintptr_t>(kind()); }
    virtual int kind() const = 0;
};
struct Derived : Base {
    int kind() const override { return 2; }
};
struct Unrelated : Base {
    int kind() const override { return 3; }
};

CASE(described_at_end) { auto *object = new Derived; OPAQUE(object); delete object; }

CASE(wrong_cast)
{
    std::unique_ptr<Base> object = std::make_unique<Unrelated>();
    Base *base = object.release();
    OPAQUE(base);
    result = reinterpret_cast<uintptr_t>(&dynamic_cast<Derived &>(*base));
}

CASE(own_terminate)
{
    std::set_terminate([] { fputs("last words\n", stderr); abort(); });
    admit(number(4), 2);
}

CASE(replacement_assertion)
{
    std::vector<int> row(4);
    result = static_cast<uintptr_t>(row[number(4)]);
}

CASE(caught_and_gave_up)
{
    try { admit(number(1), 0); } catch (...) { std::abort(); }
}

// ---- while the stack is unwound

struct Lease {
    struct Owner { long id; long uses; } *owner;
    APART ~Lease() { owner->uses--; }
};

APART static void with_lease(Lease::Owner *owner)
{
    Lease lease{owner};
    admit(number(3), 2);
    result = 1;
}

CASE(lease_without_owner)
{
    try { with_lease(static_cast<Lease::Owner *>(pointer(0))); } catch (...) { result = 2; }
}

CASE(lease_of_text_owner)
{
    try { with_lease(static_cast<Lease::Owner *>(pointer(0x2a2a2a206e656f70))); } catch (...) { result = 2; }
}

struct Finally {
    void (*action)();
    APART ~Finally() { action(); result = 3; }
};

APART static void with_action(void (*action)())
{
    Finally finally{action};
    admit(number(3), 2);
    result = 1;
}

CASE(finally_nothing)
{
    try { with_action(reinterpret_cast<void (*)()>(pointer(0))); } catch (...) { result = 2; }
}

CASE(finally_data)
{
    static long data[4];
    try { with_action(reinterpret_cast<void (*)()>(&data[1])); } catch (...) { result = 2; }
}

CASE(finally_division)
{
    try { with_action([] { result = word(4) / word(0); }); } catch (...) { result = 2; }
}

CASE(finally_abort)
{
    try { with_action([] { abort(); }); } catch (...) { result = 2; }
}

struct Eraser {
    size_t count;
    APART ~Eraser()
    {
        uintptr_t local[2];
        uintptr_t *at = local;
        OPAQUE(at);
        for (size_t i = 0; i < count; i++)
            at[i] = 0;
        OPAQUE(at);
    }
};

APART static void with_eraser()
{
    Eraser eraser{number(14)};
    admit(number(9), 8);
    result = 1;
}

CASE(erased_while_unwinding)
{
    try { with_eraser(); } catch (...) { result = 2; }
}

// ---- near it, but not in it

CASE(lease_ends_normally) { Lease lease{static_cast<Lease::Owner *>(pointer(0))}; result = 1; }

CASE(caught_then_wrote)
{
    try { admit(number(3), 2); } catch (const Overloaded &) { static_cast<Lease::Owner *>(pointer(0))->uses = 1; }
}

CASE(after_the_catch)
{
    try { admit(number(3), 2); } catch (const Overloaded &) { result = 1; }
    reinterpret_cast<void (*)()>(pointer(0))();
    result = 2;
}

struct Node {
    std::unique_ptr<Node> next;
    long payload[12];
};

CASE(long_list)
{
    std::unique_ptr<Node> head;
    for (size_t i = 0; i < number(20000); i++) {
        auto node = std::make_unique<Node>();
        node->next = std::move(head);
        head = std::move(node);
    }
    head.reset();
    result = 1;
}

CASE(object_of_text)
{
    auto *memory = static_cast<char *>(calloc(1, 64));
    memcpy(memory, "no object here", 14);
    auto *object = reinterpret_cast<Base *>(memory);
    OPAQUE(object);
    result = static_cast<uintptr_t>(object->kind());
}

CASE(object_never_made)
{
    auto *object = static_cast<Base *>(pointer(0));
    OPAQUE(object);
    result = static_cast<uintptr_t>(object->kind());
}
