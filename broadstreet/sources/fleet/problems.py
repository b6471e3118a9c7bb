"""What is wrong with a file of a fleet, row by row."""

from typing import NamedTuple

MOST_KEPT = 100  # to be shown
MOST_COUNTED = 10_000  # a file with more is not read to its end
LONGEST_VALUE = 80


class Problem(NamedTuple):
    """One value that cannot be taken. `row` counts as a spreadsheet does: the header of a CSV file is row 1."""

    file: str
    row: int | None
    column: str
    value: str
    wanted: str

    @property
    def text(self) -> str:
        """One line for people."""
        place = f"{self.file}{f' row {self.row:,}' if self.row is not None else ''}"
        return f"{place}, {self.column}: {self.value or 'nothing'}; wanted {self.wanted}"


class Problems:
    """The problems of one file, the first of them kept and all counted up to a bound."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.kept: list[Problem] = []
        self.count = 0

    def add(self, row: int | None, column: str, value: object, wanted: str) -> None:
        """Note one."""
        self.count += 1
        if len(self.kept) < MOST_KEPT:
            text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
            shown = text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
            self.kept.append(Problem(self.file, row, column, shown, wanted))

    @property
    def full(self) -> bool:
        """Whether there are so many that reading on serves nobody."""
        return self.count >= MOST_COUNTED
