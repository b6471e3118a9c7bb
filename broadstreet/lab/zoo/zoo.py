"""The zoo: programs that crash for real by a known mechanism, and what a perfect reader of one core dump could say."""

from broadstreet.lab.zoo.development import DEVELOPMENT
from broadstreet.lab.zoo.entries import Catalogue
from broadstreet.lab.zoo.held_out import HELD_OUT
from broadstreet.lab.zoo.imitators import IMITATORS

SETS: dict[str, Catalogue] = {"bugs": DEVELOPMENT, "bugs-held-out": HELD_OUT, "imitators": IMITATORS}
