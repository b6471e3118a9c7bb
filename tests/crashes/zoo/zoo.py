"""The zoo: programs that crash for real by a known mechanism, and what a perfect reader of one core could say."""

from tests.crashes.zoo.development import DEVELOPMENT
from tests.crashes.zoo.held_out import HELD_OUT

SETS = {"development": DEVELOPMENT, "held_out": HELD_OUT}
