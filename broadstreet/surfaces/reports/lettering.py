"""Letters that a report has and a terminal may not."""

import re

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def raised(text: str) -> str:
    """Powers of ten as they are printed: 10^-8 with a raised -8."""
    return re.sub(r"10\^(-?\d+)", lambda found: "10" + found[1].translate(_RAISED), text)
