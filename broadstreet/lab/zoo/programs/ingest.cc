// The service of the founding story: it takes batches of records, one thread, most of its time in `Replica::drain`.
// Under pressure it refuses records by an exception, through frames with clean-ups, and goes on.
//
// ingest WORKLOAD               runs for some seconds
// ingest WORKLOAD wait          the same, after a line on its standard output and one on its standard input
// ingest WORKLOAD bug NAME N    has the bug of this name in its N-th batch
//
// -DRELEASE="26.1" -DHANDLER_BYTES=4096: what a release has of its own is how deep its profiler's handler goes.

#include <algorithm>
#include <cassert>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#define NOINLINE __attribute__((noinline, noclone))
#define INLINE __attribute__((always_inline)) inline
#define KEEP(pointer) __asm__ volatile("" : "+r"(pointer) : : "memory")
#define STACK_BYTES (256 * 1024)
#define FEEDS 8

struct Workload {
    const char *name;
    size_t records, fields, keys;  // of a batch; different keys of all
    unsigned refused_one_in;       // records
    size_t batches;
};

static const Workload workloads[] = {
    {"bulk", 600, 10, 4000, 3000, 8000},
    {"serve", 60, 3, 300, 400, 160000},
    {"replay", 250, 5, 40000, 1500, 30000},
};

struct Backpressure : std::runtime_error {
    size_t waiting;
    explicit Backpressure(size_t queue) : std::runtime_error("the queue is full"), waiting(queue) {}
};

struct Record {
    std::string key;
    std::vector<std::string> fields;
    uint64_t digest = 0;
    long amount = 0;
};

struct Total {
    long count = 0, amount = 0;
    std::string last;
};

struct Peer {
    char name[32];
    Peer *next;
    long sequence;
};

static uint64_t state = 7;
static volatile size_t leases, refused;
static volatile uint64_t written;
static const char *bug = "";
static size_t bug_batch;
static int (*volatile on_commit)(const Record &);

static INLINE unsigned draw(unsigned below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<unsigned>(state >> 33) % below;
}

// What a sampling profiler does at its signal: it walks the stack into a buffer of its own.
static void sample(int)
{
    char frames[HANDLER_BYTES];
    char *start = frames;
    memset(start, 0, sizeof frames);
    KEEP(start);
}

struct Lease {
    std::string name;
    explicit Lease(const std::string &key) : name("a lease that ends with the request: " + key) { leases = leases + 1; }
    NOINLINE ~Lease() { leases = leases - 1; }
};

NOINLINE static void refuse(size_t waiting) { throw Backpressure(waiting); }

NOINLINE static size_t reserve(const Record &record, unsigned one_in)
{
    Lease lease(record.fields.front());
    if (draw(one_in) == 0)
        refuse(leases);
    return lease.name.size();
}

NOINLINE static size_t admit(const Record &record, unsigned one_in)
{
    Lease lease(record.key);
    return reserve(record, one_in) + lease.name.size();
}

NOINLINE static int nested(const char *text, int level)
{
    volatile char frame[256];
    frame[0] = text[level & 7];
    return nested(text, level + 1) + frame[0];
}

class Replica {
public:
    explicit Replica(const Workload &given) : workload(given) {}
    void drain(const std::string &batch, size_t number);

private:
    Record parse(const char *&at, const char *end) const;
    uint64_t digest(const Record &record) const;
    void commit(const Record &record);
    void trouble(std::vector<Record> &records);

    const Workload &workload;
    std::map<std::string, Total> totals;
    Peer *peer = nullptr;
};

INLINE Record Replica::parse(const char *&at, const char *end) const
{
    Record record;
    const char *stop = std::find(at, end, '\n');
    const char *comma = std::find(at, stop, ',');
    record.key.assign(at, comma);
    while (comma < stop) {
        const char *next = std::find(comma + 1, stop, ',');
        record.fields.emplace_back(comma + 1, next);
        for (const char *digit = comma + 1; digit < next; digit++)
            record.amount = record.amount * 7 + (*digit - '0');
        comma = next;
    }
    at = stop + 1;
    return record;
}

INLINE uint64_t Replica::digest(const Record &record) const
{
    uint64_t sum = 14695981039346656037u;
    for (const std::string &field : record.fields)
        for (char letter : field)
            sum = (sum ^ static_cast<unsigned char>(letter)) * 1099511628211u;
    return sum ^ sum >> 29;
}

INLINE void Replica::commit(const Record &record)
{
    Total &total = totals[record.key];
    total.count += 1;
    total.amount += record.amount;
    if (total.last < record.fields.front())
        total.last = record.fields.front();
    written = written + record.digest;
}

NOINLINE void Replica::drain(const std::string &batch, size_t number)
{
    std::vector<Record> records;
    const char *at = batch.data(), *end = at + batch.size();
    while (at < end) {
        records.push_back(parse(at, end));
        records.back().digest = digest(records.back());
    }
    if (number == bug_batch && *bug)
        trouble(records);
    std::sort(records.begin(), records.end(), [](const Record &left, const Record &right) {
        return left.digest != right.digest ? left.digest < right.digest : left.key < right.key;
    });
    for (const Record &record : records) {
        std::string line = record.key + '=' + record.fields.back();
        try {
            written = written + admit(record, workload.refused_one_in) + line.size();
            commit(record);
        } catch (const Backpressure &full) {
            refused = refused + 1 + full.waiting;
        }
    }
    if (totals.size() > workload.keys / 2)
        totals.erase(totals.begin(), std::next(totals.begin(), static_cast<long>(workload.keys / 4)));
}

static void average(std::vector<Record> &records, long zero)
{
    written = written + static_cast<uint64_t>(records.front().amount / zero);
}

static void read_cut_file()
{
    int file = open(".", O_TMPFILE | O_RDWR, 0600);
    if (file < 0 || ftruncate(file, 8192))
        _exit(77);
    char *log = static_cast<char *>(mmap(nullptr, 8192, PROT_READ, MAP_SHARED, file, 0));
    if (log == MAP_FAILED || ftruncate(file, 0))
        _exit(77);
    written = written + static_cast<unsigned char>(*static_cast<volatile char *>(log + 5000));
}

INLINE void Replica::trouble(std::vector<Record> &records)
{
    if (!strcmp(bug, "null_field")) {
        written = written + static_cast<uint64_t>(peer->sequence);
    } else if (!strcmp(bug, "assertion")) {
        assert(records.size() < 10);
    } else if (!strcmp(bug, "double_free")) {
        char *first = new char[40], *second = first;
        KEEP(second);
        delete[] first;
        delete[] second;
    } else if (!strcmp(bug, "uncaught")) {
        written = written + static_cast<uint64_t>(totals.at("no such key").count);
    } else if (!strcmp(bug, "divide")) {
        long zero = 0;
        KEEP(zero);
        average(records, zero);
    } else if (!strcmp(bug, "use_after_free")) {
        Peer *old = new Peer();
        KEEP(old);
        delete old;
        char *text = new char[sizeof(Peer)];
        memset(text, 'x', sizeof(Peer));
        KEEP(text);
        written = written + static_cast<uint64_t>(old->next->sequence);
    } else if (!strcmp(bug, "null_callback")) {
        written = written + static_cast<uint64_t>(on_commit(records.front()));
    } else if (!strcmp(bug, "stack_overflow")) {
        written = written + static_cast<uint64_t>(nested(records.front().key.c_str(), 0));
    } else if (!strcmp(bug, "truncated_log")) {
        read_cut_file();
    } else if (!strcmp(bug, "heap_overrun")) {
        char *buffer = new char[1200], *neighbour = new char[1200];
        KEEP(buffer);
        KEEP(neighbour);
        memset(buffer, '0', 1232);
        KEEP(buffer);
        delete[] neighbour;
        delete[] buffer;
    } else {
        _exit(78);
    }
}

static std::string batch_of(const Workload &workload)
{
    std::string text;
    char piece[32];
    for (size_t record = 0; record < workload.records; record++) {
        snprintf(piece, sizeof piece, "key-%u", draw(static_cast<unsigned>(workload.keys)));
        text += piece;
        for (size_t field = 0; field < workload.fields; field++) {
            snprintf(piece, sizeof piece, ",%u%u", draw(1000), draw(1u << 30));
            text += piece;
        }
        text += '\n';
    }
    return text;
}

static void wait_to_be_told()
{
    char line[16];
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        exit(1);
}

NOINLINE static void serve(const Workload &workload)
{
    std::vector<std::string> feed;
    for (int count = 0; count < FEEDS; count++)
        feed.push_back(batch_of(workload));
    Replica replica(workload);
    for (size_t number = 0; number < workload.batches; number++)
        replica.drain(feed[number % FEEDS], number);
}

int main(int count, char **words)
{
    struct sigaction action = {};
    action.sa_handler = sample;
    sigaction(SIGUSR2, &action, nullptr);
    struct rlimit limit = {STACK_BYTES, RLIM_INFINITY};
    getrlimit(RLIMIT_STACK, &limit);
    limit.rlim_cur = STACK_BYTES;
    setrlimit(RLIMIT_STACK, &limit);
    if (count > 4 && !strcmp(words[2], "bug")) {
        bug = words[3];
        bug_batch = static_cast<size_t>(atol(words[4]));
    }
    for (const Workload &workload : workloads) {
        if (count < 2 || strcmp(words[1], workload.name))
            continue;
        fprintf(stderr, "ingest " RELEASE ": %s\n", workload.name);
        if (count > 2 && !strcmp(words[2], "wait"))
            wait_to_be_told();
        serve(workload);
        return 0;
    }
    return 78;
}
