"""Numbers as a report says them: two figures in a ratio, one decimal below 10, dates without a year."""

import math
from datetime import datetime

from broadstreet.records.weights import Interval


def ratio(value: float) -> str:
    """5.2, 51, 32,000; below a tenth 0.02."""
    if math.isinf(value):
        return "∞"
    if value >= 9.95:
        return f"{float(f'{value:.2g}'):,.0f}"
    return f"{value:.1f}" if value >= 0.0995 or value == 0 else f"{value:.1g}"


def interval(of: Interval) -> str:
    """5.2 (4.0–6.8); where there is no upper end, over 51, and where there is none at all, not known."""
    if of.low <= 0 and math.isinf(of.high):
        return "not known"
    if math.isinf(of.value) or math.isinf(of.high):
        return f"over {ratio(of.low)}"
    return f"{ratio(of.value)} ({ratio(of.low)}–{ratio(of.high)})"


def rounded_odds(value: float) -> str:
    """190 : 1, 1 : 3.4, 36,000,000 : 1: no more figures than a ratio has."""
    return f"{ratio(value)} : 1" if value >= 1 else f"1 : {ratio(1 / value)}"


def percent(share: float) -> str:
    """97%: never rounded up to all, nor down to nothing."""
    whole = math.floor(share * 100 + 0.5)
    if share < 1 and whole == 100:
        return "more than 99%"
    return "less than 1%" if share > 0 and whole == 0 else f"{whole}%"


def amount(value: float) -> str:
    """A large amount, such as time at risk: 21.4 million, 31,000."""
    for name, unit in (("billion", 1e9), ("million", 1e6)):
        if value >= unit:
            return f"{float(f'{value / unit:.3g}'):,g} {name}"
    return f"{float(f'{value:.3g}'):,.0f}" if value >= 100 else ratio(value)


def small(p: float) -> str:
    """A probability as a power of ten, where it is small: 4e-09 is said 10^-8, rounded up."""
    if p <= 0:
        return "less than 10^-300"
    return f"10^{math.ceil(math.log10(p))}" if p < 0.001 else f"{p:.2g}"


def day(at: datetime) -> str:
    """12 March."""
    return f"{at.day} {at:%B}"


def short_day(at: datetime) -> str:
    """12 Mar."""
    return f"{at.day} {at:%b}"
