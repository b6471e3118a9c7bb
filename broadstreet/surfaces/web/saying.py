"""Say something of a syndrome, in a process of its own: a name, a note, a merge, a split.

    python -m broadstreet.surfaces.web.saying < WORD.json

All cases are grouped first, which of a million cases takes memory that the server must not keep.
"""

import os
import subprocess
import sys
from typing import Literal

import msgspec

from broadstreet.errors import BroadStreetError, UsageError
from broadstreet.pipeline.syndromes import hearing
from broadstreet.store.questions import Questions
from broadstreet.store.syndromes import events
from broadstreet.surfaces.web.child import command, import_path

COMMAND = command("broadstreet.surfaces.web.saying")
SECONDS = 600.0


class Word(msgspec.Struct, frozen=True):
    """What is said: `text` is the name, the note, the other syndrome, or the frame whose traces are taken out."""

    url: str
    author: str
    kind: Literal["name", "note", "merge", "split"]
    syndrome: str
    text: str


class Heard(msgspec.Struct, frozen=True):
    """The number of what was kept, and the syndrome to look at now; or why it was not kept, with a hint."""

    number: int = 0
    syndrome: str = ""
    refused: str = ""
    hint: str = ""


def say(word: Word) -> Heard:
    """Say it, and wait until it is kept."""
    ran = subprocess.run(
        COMMAND,
        input=msgspec.json.encode(word),
        capture_output=True,
        timeout=SECONDS,
        check=False,
        env=os.environ | {"PYTHONPATH": import_path()},
    )
    if ran.returncode:
        raise UsageError(
            "It could not be kept.", (ran.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
        )
    heard = msgspec.json.decode(ran.stdout, type=Heard)
    if heard.refused:
        raise UsageError(heard.refused, heard.hint)
    return heard


def keep(word: Word) -> Heard:
    """Keep it, in this process."""
    with hearing(word.url, word.author) as heard:
        syndrome = word.syndrome
        if word.kind == "name":
            heard.name(syndrome, word.text)
        elif word.kind == "note":
            heard.note(syndrome, word.text)
        elif word.kind == "merge":
            syndrome, _ = heard.merge(word.text, [syndrome])
        else:
            heard.split(syndrome, word.text, ())
    with Questions(word.url) as questions:
        return Heard(events(questions)[-1].number, syndrome)


def main() -> None:
    """Keep what is told on standard input; print what came of it."""
    word = msgspec.json.decode(sys.stdin.buffer.read(), type=Word)
    try:
        heard = keep(word)
    except UsageError as error:
        heard = Heard(refused=error.what, hint=error.hint)
    except BroadStreetError as error:
        heard = Heard(refused=str(error))
    sys.stdout.buffer.write(msgspec.json.encode(heard))


if __name__ == "__main__":
    main()
