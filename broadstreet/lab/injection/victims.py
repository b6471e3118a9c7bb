"""The programs that the faults are put into: one thread each, 2 to 3 seconds of user code.

But for the service `ingest`, which the lab compiles, they are those that are installed, unmodified.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from broadstreet.errors import UsageError
from broadstreet.lab.order import Order, Workshop
from broadstreet.lab.zoo import ingest

INSTALLED = "installed"

PYTHON_WORK = r"""
import json, random, re, zlib
draw = random.Random(7)
words = ["".join(draw.choices("abcdefghij", k=draw.randint(2, 9))) for _ in range(3000)]
pattern = re.compile(r"(a+b|c[d-g]*h)(\w?)")
for turn in range(800):
    records = [{"id": i, "name": w, "tags": [w[:2], w[-2:], turn], "value": i / 7} for i, w in enumerate(words[:600])]
    text = json.dumps(records)
    again = json.loads(zlib.decompress(zlib.compress(text.encode(), 6)))
    again.sort(key=lambda record: (record["name"], -record["id"]))
    hits = [match.group(1) for match in pattern.finditer(text)]
    counts = {}
    for word in words:
        counts[word[:3]] = counts.get(word[:3], 0) + len(word)
    assert len(again) == 600 and len(hits) > 0 and sum(counts.values()) > 0
"""

PERL_WORK = r"""
srand(7);
my @words = map { join "", map { chr(97 + int rand 10) } 1 .. 2 + int rand 8 } 1 .. 3000;
for my $turn (1 .. 1100) {
    my %count;
    $count{substr $_, 0, 3} += length for @words;
    my @sorted = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
    my $text = join " ", @words;
    my $hits = 0;
    $hits++ while $text =~ /(a+b|c[d-g]*h)(\w?)/g;
    my %record = map { $_ => { name => $_, size => length, list => [split //, $_] } } @words[0 .. 500];
    my $total = 0;
    $total += @{ $record{$_}{list} } for sort keys %record;
    die unless $hits && $total && @sorted;
}
"""

SQLITE_WORK = r"""
create table item (id integer primary key, name text, kind integer, price real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 250000)
insert into item select i, 'name' || (i * 7919 % 250007), i % 97, i / 7.0 from n;
create index item_name on item (name);
select count(*), sum(a.price) from item a join item b on b.name = 'name' || (a.id % 250007);
select kind, count(*), max(name), avg(price) from item group by kind order by 4 limit 5;
update item set price = price + 1 where kind < 50;
select name, price from item where name like '%99%' order by price desc, name limit 5;
delete from item where kind = 3;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000000)
select sum(length(hex(i * 31)) + instr('abcdefgh' || i, '7')) from n;
select count(distinct substr(name, 1, 6)), group_concat(distinct kind) from item;
select sum(a.price) from item a join item b on b.name = a.name where a.kind > 20;
"""


BASH_WORK = r"""
words=(); seed=7
for ((i = 0; i < 600; i++)); do seed=$(( (seed * 1103515245 + 12345) & 0x7fffffff )); words+=("w$seed"); done
declare -A count
for ((turn = 0; turn < 300; turn++)); do
  for word in "${words[@]}"; do
    key=${word:0:4}; count[$key]=$(( ${count[$key]:-0} + ${#word} ))
    [[ $word =~ ^w([0-9]+)7 ]] && last=${BASH_REMATCH[1]}
    text=${word/1/x}; text=${text//2/yy}; printf -v line '%s-%05d' "$text" "$turn"
  done
  sorted=("${!count[@]}")
done
"""

AWK_WORK = r"""
BEGIN {
  srand(7)
  for (i = 0; i < 4000; i++) { w = ""; for (j = 0; j < 6; j++) w = w sprintf("%c", 97 + int(rand() * 10)); word[i] = w }
  for (turn = 0; turn < 2400; turn++) {
    delete count
    for (i in word) count[substr(word[i], 1, 3)] += length(word[i])
    for (key in count) total += count[key] * 1.5
    for (i = 0; i < 4000; i++) {
      n = split(word[i], part, "a"); text = word[i]; gsub(/b[c-f]+/, "x", text)
      if (text ~ /x.*[gh]/) hits += n
    }
  }
  print total, hits
}
"""


class Victim(NamedTuple):
    """A program, and what it is given to do.

    Where the lab compiles it, `builder` gives the program of a build, its variants are what it is given to do, and
    `obstacle` says why it cannot be compiled here.
    """

    name: str
    command: tuple[str, ...]
    runtime: str
    builds: tuple[str, ...] = (INSTALLED,)
    variants: tuple[str, ...] = ("",)
    builder: Callable[[Workshop, str], Path] | None = None
    obstacle: Callable[[], str | None] | None = None

    @property
    def absence(self) -> str | None:
        """Why this machine has it not; null: it has."""
        if self.obstacle is not None:
            return self.obstacle()
        return None if shutil.which(self.command[0]) else "not installed"

    def words(self, order: Order, workshop: Workshop) -> tuple[str | Path, ...]:
        """What is run for this order."""
        if order.build not in self.builds or order.variant not in self.variants:
            known = f"builds {', '.join(self.builds)}; variants {', '.join(self.variants) or 'none'}"
            raise UsageError(f"{self.name} has no build {order.build!r} with variant {order.variant!r}", known)
        return (self.builder(workshop, order.build), order.variant) if self.builder else self.command


VICTIMS = {
    victim.name: victim
    for victim in (
        Victim("python3", ("/usr/bin/python3", "-c", PYTHON_WORK), "Python"),
        Victim("perl", ("/usr/bin/perl", "-e", PERL_WORK), "Perl"),
        Victim("sqlite3", ("/usr/bin/sqlite3", ":memory:", SQLITE_WORK), "SQL"),
        Victim("bash", ("/bin/bash", "-c", BASH_WORK), "shell"),
        Victim("mawk", ("/usr/bin/mawk", AWK_WORK), "AWK"),
        Victim(
            ingest.PROGRAM,
            (),
            ingest.RUNTIME,
            ingest.RELEASES,
            ingest.WORKLOADS,
            ingest.program,
            ingest.obstacle,
        ),
    )
}


def present() -> tuple[Victim, ...]:
    """The victims that this machine has."""
    return tuple(victim for victim in VICTIMS.values() if victim.absence is None)
