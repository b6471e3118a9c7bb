"""Control of false discoveries inside one family of questions (Benjamini and Hochberg, 1995)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def q_values(p: ArrayLike, asked: int) -> Floats:
    """Each p corrected for a family of `asked` questions, in the order given.

    `p` holds the smallest of the family; the rest count as 1. Taking all with q <= 1 % makes 1 % of them false on
    average, if the questions are independent or go together.
    """
    told = np.asarray(p, np.float64)
    if asked < len(told):
        raise ValueError(f"{len(told)} answers to {asked} questions")
    order = np.argsort(told, kind="stable")
    raised = told[order] * asked / np.arange(1, len(told) + 1)
    least = np.minimum.accumulate(raised[::-1])[::-1]
    corrected = np.empty_like(told)
    corrected[order] = np.minimum(least, 1.0)
    return corrected


def discovered(p: ArrayLike, asked: int, rate: float) -> NDArray[np.bool_]:
    """Which of them are discoveries, where this share of false ones is accepted."""
    return q_values(p, asked) <= rate
