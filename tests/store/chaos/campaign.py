"""Kill scans 200 times with SIGKILL, resume them, and compare every row of every view with an undisturbed scan.

python -m tests.store.chaos.campaign [--kills N] [--seed N] [--crashes N] [--document PATH]

Exit status 1 when anything was lost, doubled, visible in half, or left running.
"""

import argparse
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from broadstreet.store.casebook import open_tables
from tests.store.chaos.trials import Tally, Trials

BATCHES = (5, 10, 20, None)  # specimens; null: the command's own, which is the whole folder
BEGIN, END = "<!-- kills -->\n", "<!-- end of kills -->\n"


def table(tally: Tally, trials: Trials, seed: int) -> str:
    """The figures of a campaign, in Markdown."""
    specimens = open_tables(str(trials.folder / "undisturbed"))[2]["specimens"].to_pyarrow_dataset().count_rows()
    command = f"python -m tests.store.chaos.campaign --kills {tally.kills} --seed {seed} --crashes {trials.crashes}"
    rows = [
        ("specimens in the folder", specimens),
        ("casebooks", tally.casebooks),
        ("kills", tally.kills),
        *((f"of the {victim}", count) for victim, count in sorted(tally.victims.items())),
        ("at a file-system event", tally.moments["event"]),
        ("that left a batch half written", tally.cut_within_commit),
        ("after which a process ran on", tally.left_running),
        ("after which a traceback was printed", tally.tracebacks),
        ("rows lost, doubled or seen in half", len(tally.wrong) - tally.left_running - tally.tracebacks),
    ]
    lines = [f"| {name} | {count:,} |" for name, count in rows]
    return "\n".join([f"    {command}", "", "| what | how many |", "| --- | ---: |", *lines, ""])


def write(document: Path, text: str) -> None:
    """Put the figures between their marks."""
    old = document.read_text()
    document.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}{text}{END}", old, flags=re.DOTALL))


def main() -> None:
    """Run the campaign and say what it came to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--crashes", type=int, default=60)
    parser.add_argument("--document", type=Path, help="write the figures into this page, between their marks")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="broadstreet-chaos-") as folder:
        trials = Trials(Path(folder), given.crashes, BATCHES)
        tally, random = trials.tally, Random(given.seed)
        while tally.kills < given.kills:
            trials.run(random, min(tally.kills + 10, given.kills))
            now = datetime.now(UTC).strftime("%H:%M:%S")
            print(f"  {now}  {tally.kills:,} kills, {tally.missed:,} too late, {len(tally.wrong):,} wrong", flush=True)
        text = table(tally, trials, given.seed)
    print(text)
    for what in tally.wrong:
        print(what, file=sys.stderr)
    if given.document:
        write(given.document, text)
    sys.exit(bool(tally.wrong))


if __name__ == "__main__":
    main()
