"""Which frames say little of where a crash is from: the rules of `frame-rules.toml`, or those that a person gave.

Four lists of regular expressions, matched at the beginning of a normalised frame; the first that has a frame decides.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from importlib import resources
from typing import Literal

from broadstreet.errors import UsageError

Role = Literal["sentinel", "checker", "irrelevant", "prefix", "relevant"]
ROLES: tuple[Role, ...] = ("sentinel", "checker", "irrelevant", "prefix")
DIGITS = 8


@dataclass(frozen=True, eq=False)
class FrameRules:
    """Rules on frames. `version` is what their author says and the beginning of the hash of the text."""

    version: str
    patterns: Mapping[Role, re.Pattern[str]]
    _known: dict[str, Role] = field(default_factory=dict)

    def role(self, frame: str) -> Role:
        """What a frame counts as."""
        if frame not in self._known:
            held = (role for role, pattern in self.patterns.items() if pattern.match(frame))
            self._known[frame] = next(held, "relevant")
        return self._known[frame]


def frame_rules(text: str) -> FrameRules:
    """The rules in a text of the form of `frame-rules.toml`."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the rules on frames are not TOML: {error}", _HINT) from error
    strange = sorted(set(told) - {*ROLES, "version"})
    if strange:
        raise UsageError(f"rules on frames have no {', '.join(strange)}", _HINT)
    patterns = {role: _pattern(role, told.get(role, [])) for role in ROLES}
    digest = blake2b(text.encode(), digest_size=DIGITS // 2).hexdigest()
    return FrameRules(f"{told.get('version', 0)}-{digest}", patterns)


def _pattern(role: str, lines: object) -> re.Pattern[str]:
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise UsageError(f"{role} is not a list of texts", _HINT)
    for line in lines:
        try:
            re.compile(line)
        except re.error as error:
            raise UsageError(f"{role} has {line!r}: {error}", _HINT) from error
    return re.compile("|".join(f"(?:{line})" for line in lines) if lines else r"(?!)")


_HINT = "broadstreet syndromes rules prints those in force, to begin with."


@lru_cache(maxsize=1)
def own_rules_text() -> str:
    """The rules that come with Broad Street."""
    return resources.files("broadstreet.cases").joinpath("frame-rules.toml").read_text("utf-8")


@lru_cache(maxsize=1)
def own_rules() -> FrameRules:
    """The same, read."""
    return frame_rules(own_rules_text())
