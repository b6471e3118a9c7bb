"""A case as one flat row: the declared columns, then every feature."""

from broadstreet.formats.names import demangled
from broadstreet.records.case import Case
from broadstreet.records.columns import CASES, FEATURES
from broadstreet.records.finding import Value
from broadstreet.records.frame import Frame, frame_name

COLUMNS = (*CASES, *FEATURES)


def case_row(case: Case) -> dict[str, Value]:
    """The row of a case, in the order of the columns."""
    where = case.circumstances
    own: dict[str, Value] = {
        "holds": ",".join(f.label for f in case.findings if f.state == "holds"),
        "could_not_be_judged": ",".join(f.label for f in case.findings if f.state == "not_judged"),
        "frames": "|".join(frame_name(frame) for frame in case.frames),
        "missing": "|".join(gap.what for gap in case.missing),
    }
    row = {}
    for column in CASES:
        if column.name in own:
            row[column.name] = own[column.name]
        else:
            row[column.name] = getattr(case if hasattr(case, column.name) else where, column.name)
    return row | case.features


def readable_name(frame: Frame) -> str:
    """A frame in one word for people: function names are written as in the source."""
    return demangled(frame.function) if frame.function else frame_name(frame)
