"""A test as it is told: its inputs as plain lists, and p corrected for the questions of its family."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from broadstreet.records.outbreak import Test


def lists(arrays: Mapping[str, NDArray[Any]]) -> dict[str, float | tuple[float, ...]]:
    """The inputs of a test, by name."""
    return {name: tuple(values.tolist()) for name, values in arrays.items()}


def in_family(test: Test, family: str, asked: int) -> Test:
    """The same test, of a family of which so much was asked."""
    return Test(test.name, test.arguments, test.p, min(1.0, test.p * asked), family, asked)
