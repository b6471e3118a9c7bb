/* Wrong data addresses. */

#include "cases.h"
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/shm.h>

void store_below_rbp(void *), add_through_r13(void *), copy_string(void *, const void *, size_t);
void call_through_memory(void *);
void quiet(void);
void quiet(void) { tick += 0; }

struct account { long balance; int flags, open; char owner[40]; struct account *partner; double rates[120]; };
struct bank { struct account *accounts[16]; struct bank *parent; char archive[1 << 20]; long total; };

APART static long balance_of(const struct account *account) { return account->balance; }
APART static void set_flags(struct account *account, int flags) { account->flags |= flags; }
APART static void copy_rates(double *to, const struct account *from)
{
    for (int i = 0; i < 120; i++)
        to[i] = from->rates[i] * 2;
}

/* ---- null ---- */

CASE(no_partner)
{
    struct account *account = calloc(1, sizeof *account);
    OPAQUE(account);
    result = (uintptr_t)account->partner->open;
}

CASE(no_account)
{
    struct bank *bank = calloc(1, sizeof *bank);
    OPAQUE(bank);
    set_flags(bank->accounts[number(4)], 2);
}

CASE(no_account_rates) { double rates[120]; copy_rates(rates, pointer(0)); result = (uintptr_t)rates[7]; }
CASE(no_counter) { __atomic_add_fetch((long *)pointer(0) + 3, 1, __ATOMIC_SEQ_CST); }
CASE(no_r13) { add_through_r13(pointer(0)); }
CASE(no_text) { result = (uintptr_t)strcmp(pointer(0), "name"); }
CASE(no_file) { result = (uintptr_t)fgetc((FILE *)pointer(0)); }
CASE(no_destination) { memset(pointer(0), 1, number(300)); }
CASE(no_source) { char to[64]; copy_string(to, pointer(0), number(64)); }
CASE(no_environment) { result = (uintptr_t)strlen(getenv("ZOO_THAT_IS_NOT_SET")); }
CASE(no_table) { call_through_memory(pointer(0)); }

CASE(far_field)
{
    struct bank *bank = pointer(0);
    OPAQUE(bank);
    bank->total = 5;
}

CASE(far_row) { result = (uintptr_t)balance_of((struct account *)pointer(0) + number(3000)); }
CASE(error_code_as_pointer) { result = (uintptr_t)balance_of(pointer((uintptr_t)-(long)ENOENT)); }
CASE(descriptor_as_pointer) { set_flags(pointer(7), 1); }
CASE(year_as_pointer) { result = (uintptr_t)balance_of(pointer(20261121)); }

/* ---- not an address ---- */

CASE(text_as_partner)
{
    struct account *account = calloc(2, sizeof *account);
    char *owner = account->owner;
    OPAQUE(owner);
    strcpy(owner, "Frederick William Christopher Montgomery-Smythe");
    OPAQUE(account);
    result = (uintptr_t)account->partner->flags;
}

union value { double real; struct account *account; };

CASE(double_as_account)
{
    union value value;
    value.real = 1024.75 + (double)number(0);
    OPAQUE(value.account);
    set_flags(value.account, 4);
}

CASE(text_as_file) { result = (uintptr_t)fputs("x", (FILE *)pointer(0x3a656d616e20790a)); }
CASE(text_in_rbp) { store_below_rbp(pointer(0x2064656c69616620)); }
CASE(text_in_r13) { add_through_r13(pointer(0x2064656c69616620)); }
CASE(text_as_table) { call_through_memory(pointer(0x7461642f7261762f)); }
CASE(text_as_source) { char to[64]; copy_string(to, pointer(0x5f5f454d414e5f5f), number(64)); }
CASE(text_freed) { free(pointer(0x2f3a707474682220)); }
CASE(high_half) { result = (uintptr_t)balance_of(pointer(0x0000900000000000)); }
CASE(marked_pointer) { set_flags((struct account *)(word(0xfffa000000000000) | (uintptr_t)malloc(200)), 1); }

/* ---- fill patterns ---- */

CASE(fill_cd) { result = (uintptr_t)balance_of(pointer(0xcdcdcdcdcdcdcdcd)); }
CASE(fill_dd) { set_flags(pointer(0xdddddddddddddddd), 1); }
CASE(fill_bad_food) { result = (uintptr_t)balance_of(pointer(0xbaadf00dbaadf00d)); }
CASE(fill_bad_food_short) { set_flags(pointer(0xbaadf00d), 1); }
CASE(fill_feed_face) { result = (uintptr_t)balance_of(pointer(0xfeedfacefeedface)); }

/* Run with MALLOC_PERTURB_=107: freed memory is filled with 0x6b, new memory with 0x94. */
CASE(fill_freed)
{
    struct account *account = malloc(sizeof *account);
    struct account *behind = malloc(sizeof *account);
    account->partner = behind;
    free(account);
    OPAQUE(account);
    result = (uintptr_t)balance_of(account->partner);
}

CASE(fill_fresh)
{
    struct bank *bank = malloc(sizeof *bank / 2048);
    OPAQUE(bank);
    set_flags(bank->accounts[3], 1);
}

/* ---- nothing there ---- */

CASE(block_moved)
{
    struct account *rows = malloc(400 * sizeof *rows);
    struct account *old = rows + 100;
    rows = realloc(rows, 40000 * sizeof *rows);
    OPAQUE(old);
    old->open = 1;
    result = (uintptr_t)rows;
}

CASE(segment_detached)
{
    int id = shmget(IPC_PRIVATE, 4 * PAGE, IPC_CREAT | 0600);
    char *segment = shmat(id, NULL, 0);
    shmctl(id, IPC_RMID, NULL);
    if (segment == (char *)-1)
        SKIP();
    memset(segment, 1, PAGE);
    shmdt(segment);
    OPAQUE(segment);
    segment[number(10)] = 1;
}

CASE(text_without_end)
{
    char *block = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(block + 2 * PAGE, 2 * PAGE);
    memset(block, 'e', 2 * PAGE);
    result = (uintptr_t)strlen(block + 5);
}

CASE(buffer_underrun)
{
    char *block = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(block, 4 * PAGE);
    volatile char *at = block + 4 * PAGE + 100;
    for (size_t i = 0; i < number(200); i++)
        *at-- = 1;
}

static volatile int table[256];

CASE(hash_as_index) { table[number(0x5bd1e995f)] = 1; }
CASE(negative_row) { table[(long)word(-(uintptr_t)0x300000000)] = 1; }
CASE(two_integers_as_account) { result = (uintptr_t)balance_of(pointer(0x00001a2c00000003)); }
CASE(counter_as_account) { set_flags(pointer(0x25b93ee0), 1); }

CASE(closed_window)
{
    struct account *rows = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    rows[3].flags = 1;
    mprotect(rows, 16 * PAGE, PROT_NONE);
    OPAQUE(rows);
    result = (uintptr_t)balance_of(rows + 3);
}

/* ---- there, but only to read ---- */

static const struct account frozen = {5, 1, 1, "nobody", 0, {0}};
static char *const names[3] = {(char *)"first", (char *)"second", (char *)"third"};

CASE(frozen_account)
{
    struct account *account = (struct account *)(uintptr_t)&frozen;
    OPAQUE(account);
    set_flags(account, 8);
}

CASE(name_upper_case) { char *name = names[number(1)]; OPAQUE(name); name[0] ^= 0x20; }
CASE(name_appended) { char *name = names[number(2)]; OPAQUE(name); strcat(name, "!"); }

CASE(names_sorted)
{
    char **first = (char **)(uintptr_t)names;
    OPAQUE(first);
    char *kept = first[0];
    first[0] = first[number(1)];
    first[1] = kept;
}

CASE(own_code)
{
    unsigned char *code = (unsigned char *)(uintptr_t)balance_of;
    OPAQUE(code);
    code[0] = 0x90;
}

CASE(segment_read_only)
{
    int id = shmget(IPC_PRIVATE, 4 * PAGE, IPC_CREAT | 0600);
    char *segment = shmat(id, NULL, SHM_RDONLY);
    shmctl(id, IPC_RMID, NULL);
    if (segment == (char *)-1)
        SKIP();
    segment[number(10)] = 1;
}

CASE(kernel_page)
{
    char *page = (char *)getauxval(AT_SYSINFO_EHDR);
    if (!page)
        SKIP();
    memcpy(page, "text", number(4));
}

CASE(snapshot)
{
    char *block = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(block, 3, 2 * PAGE);
    mprotect(block, 2 * PAGE, PROT_READ);
    copy_string(block + PAGE, block, number(40));
}

/* ---- memory bugs ---- */

struct list { struct list *next; char text[24]; struct account *account; };

CASE(list_item_freed)
{
    struct list *item = calloc(1, sizeof *item);
    item->account = calloc(1, sizeof *item->account);
    OPAQUE(item);
    free(item);
    char *text = malloc(sizeof *item);
    memset(text, '#', sizeof *item);
    OPAQUE(text);
    OPAQUE(item);
    set_flags(item->account, 1);
}

CASE(list_neighbour_overrun)
{
    char *line = malloc(sizeof(struct list));
    struct list *item = calloc(1, sizeof *item);
    item->account = calloc(1, sizeof *item->account);
    for (size_t i = 0; i < number(3 * sizeof *item); i++)
        line[i] = "The rain in Spain stays mainly in the plain. "[i % 45];
    OPAQUE(item);
    set_flags(item->account, 1);
}

APART static void earlier_numbers(void)
{
    uintptr_t local[64], *at = local;
    for (size_t i = 0; i < 64; i++)
        at[i] = 0x0000001100000022;
    OPAQUE(at);
}

APART static void later_use(void)
{
    struct account *local[40], **at = local;
    OPAQUE(at);
    set_flags(at[number(12)], 1);
}

CASE(account_never_set)
{
    earlier_numbers();
    later_use();
    quiet();
}
