// Objects that are used after they were given back: virtual calls, and writes that hit the next owner.

#include "harness.h"
#include <new>

static volatile uintptr_t sink;
static volatile size_t one = 1;

NOINLINE static void touch() { sink = sink + 1; }

struct Channel {
    long number = 4;
    char name[40] = "a channel";
    virtual ~Channel() = default;
    virtual int capacity() { return static_cast<int>(number); }
    virtual int used() { return static_cast<int>(number) - 1; }
};

static uintptr_t data[16] = {3, 1, 4, 1, 5};
static uintptr_t *table[16] = {data, data, data, data, data};

static Channel *given_back()
{
    auto *channel = new Channel;
    KEEP(channel);
    sink = static_cast<uintptr_t>(channel->used());
    delete channel;
    return channel;
}

static void *next_owner()
{
    void *memory = malloc(sizeof(Channel));
    KEEP(memory);
    return memory;
}

NOINLINE static void use(Channel *channel)
{
    KEEP(channel);
    sink = static_cast<uintptr_t>(channel->used());
    touch();
}

static void virtual_after_free_text()
{
    Channel *channel = given_back();
    strcpy(static_cast<char *>(next_owner()), "closed by the peer");
    use(channel);
}

// The allocator's link stands where the address of the table stood.
static void virtual_after_free_linked()
{
    Channel *first = given_back(), *second = new Channel, *third = new Channel;
    KEEP(second);
    delete second;
    delete third;
    KEEP(third);
    sink = first != third;
    use(third);
}

static void virtual_after_free_zeroed()
{
    Channel *channel = given_back();
    memset(next_owner(), 0, sizeof *channel);
    use(channel);
}

static void virtual_after_free_other()
{
    Channel *channel = given_back();
    *static_cast<uintptr_t ***>(next_owner()) = table;
    use(channel);
}

struct Owner {
    uintptr_t *place;
    uintptr_t counts[6];
};

// The stale pointer writes, and the next owner of the block crashes.
static void write_after_free_text()
{
    auto *old = static_cast<char *>(malloc(sizeof(Owner)));
    KEEP(old);
    free(old);
    auto *owner = static_cast<Owner *>(malloc(sizeof(Owner)));
    owner->place = data;
    KEEP(old);
    memcpy(old, "status: closed", 14 * one);
    KEEP(owner);
    *owner->place = 1;
    touch();
}

static void write_after_free_counts()
{
    auto *old = static_cast<volatile uint32_t *>(malloc(sizeof(Owner)));
    free(const_cast<uint32_t *>(old));
    auto *owner = static_cast<Owner *>(malloc(sizeof(Owner)));
    owner->place = data;
    KEEP(old);
    old[0] = 1200 * static_cast<uint32_t>(one);
    old[1] = 77;
    KEEP(owner);
    *owner->place = 1;
    touch();
}

static const struct crash crashes[] = {
    CRASH(virtual_after_free_text), CRASH(virtual_after_free_linked), CRASH(virtual_after_free_zeroed),
    CRASH(virtual_after_free_other), CRASH(write_after_free_text), CRASH(write_after_free_counts),
};

MAIN(crashes)
