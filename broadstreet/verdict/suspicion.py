"""How unusual a host or a machine is, in words: its crashes against what its time at risk leads to expect."""

from broadstreet.records.suspect import Excess, Suspect
from broadstreet.verdict.figures import amount, interval, ratio, small
from broadstreet.verdict.sentences import measure
from broadstreet.verdict.words import PLACES, plural

SURE = 0.01  # of what is called unusual at most one in a hundred is chance


def unusual(one: Suspect) -> bool:
    """Whether it has more crashes, or more with a finding that failing hardware makes, than chance gives."""
    return _sure(one.every) or _sure(one.hardware)


def answer(one: Suspect) -> str:
    """Machine ph-7c41e9 has 61 crashes where 0.7 are expected."""
    name = f"{PLACES[one.attribute]} {one.value}"
    if one.every.expected is None:
        if _sure(one.hardware):
            return f"{_capital(name)} has {_hardware(one)} by its other crashes."
        return f"{_capital(name)} has {_crashes(one.every)}; how many to expect cannot be told."
    if _sure(one.every):
        return f"{_capital(name)} has {_crashes(one.every)} where {_expected(one.every)} expected."
    if _sure(one.hardware):
        return f"{_capital(name)} has {_hardware(one)}."
    return f"Nothing unusual: {name} has {_crashes(one.every)} where {_expected(one.every)} expected."


def expectation(one: Suspect) -> str:
    """What is expected of a place, and how far it is from that."""
    if one.every.expected is None:
        return "How many to expect cannot be told: nobody tells the time at risk."
    time = "" if one.hours is None or one.measure is None else f" in {amount(one.hours)} {measure(one.measure)}"
    text = f"{ratio(one.every.expected)} expected{time}"
    if not unusual(one):
        return f"{text}; nothing unusual."
    of = one.every if _sure(one.every) else one.hardware
    of_hardware = "" if of is one.every else " crashes that show what failing hardware does"
    times = "" if of.ratio is None else f": {interval(of.ratio)} times its share{of_hardware and ' of' + of_hardware}"
    return f"{text}{times}."


def chance(of: Excess, one: Suspect) -> str:
    """How likely so many would be anywhere among all that were asked about."""
    if of.q is None:
        return "not known"
    return f"q {small(of.q)}: the chance of so many anywhere among the {plural(one.asked, PLACES[one.attribute])}"


def _sure(of: Excess) -> bool:
    return of.q is not None and of.q < SURE


def _crashes(of: Excess) -> str:
    return plural(of.episodes, "crash", "crashes")


def _hardware(one: Suspect) -> str:
    shows = "that shows" if one.hardware.episodes == 1 else "that show"
    text = f"{_crashes(one.hardware)} {shows} what failing hardware does"
    return text if one.hardware.expected is None else f"{text}, where {_expected(one.hardware)} expected"


def _expected(of: Excess) -> str:
    assert of.expected is not None
    return f"{ratio(of.expected)} {'is' if ratio(of.expected) == '1' else 'are'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
