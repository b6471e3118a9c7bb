"""The stacks of many cases merged into one: each frame with its per cent of the cases, and how far it can be trusted.

A list of HTML, for names are read, selected and searched. The left edge is the trust, and the word stands beside it:
thick is a register or an unwind table, double a frame pointer, dotted a stack scan; what is thin and italic has already
returned.
"""

from dataclasses import dataclass

from markupsafe import Markup

from broadstreet.records.frame import Trust
from broadstreet.surfaces.charts.svg import FULL, anchor, box, element, mark, path

DEEPEST = 12  # steps of the indent; frames below stand under one another
_BAR = 44.0
_WORDS = {"below_sp": "below sp"}


@dataclass(frozen=True)
class MergedFrame:
    """A frame at a depth, with the share (0 to 1) and the number of cases that have it; `trust` null is mixed."""

    name: str
    share: float
    trust: Trust | None
    depth: int = 0
    module: str = ""
    cases: str = ""
    link: str | None = None


def draw(frames: tuple[MergedFrame, ...], role: str = "c") -> Markup:
    """The frames in their order, the crash on top."""
    return element("ol", *(_frame(frame, role) for frame in frames), class_="tree")


def trust_word(trust: Trust | None) -> str:
    """The trust in a word or two."""
    return "mixed" if trust is None else _WORDS.get(trust, trust.replace("_", " "))


def _frame(frame: MergedFrame, role: str) -> Markup:
    bar = mark([path(box(0, 2, max(1.0, frame.share * _BAR), 8), FULL[role])], _BAR, 12)
    name = anchor(frame.link, frame.name) if frame.link else element("span", frame.name)
    module = [" ", element("span", frame.module, class_="module")] if frame.module else []
    share = element("span", f"{frame.share:.0%}", class_="share", title=frame.cases or None)
    trust = element("span", trust_word(frame.trust), class_="edge")
    place = element("code", name, *module, class_=f"frame d{min(frame.depth, DEEPEST)}")
    return element("li", bar, share, trust, place, class_=f"t-{(frame.trust or 'mixed').replace('_', '-')}")
