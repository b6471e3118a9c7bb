"""Values of a file as the types that the columns declare; every one that cannot be is named by its row."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as arrow
import pyarrow.compute as compute

from broadstreet.records.columns import Column
from broadstreet.records.fleet_rows import microseconds
from broadstreet.records.intervals import Numbers
from broadstreet.sources.fleet.mapping import EPOCHS, SHORT_NAME, Source
from broadstreet.sources.fleet.problems import Problems

Array = Any
TIME = arrow.timestamp("us", "UTC")
FIRST_TIME, LAST_TIME = 0, 4_102_444_800_000_000  # 1970 to 2100; a 9999-12-31 in an inventory means: open
LONGEST_TEXT = 1024
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
NAIVE = rf"^{DATE}([T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,9}})?)?)?$"
ZONED = rf"^{DATE}[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,9}})?)?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)$"
EPOCH = r"^[0-9]{9,16}(\.[0-9]+)?$"
WANTED_TIME = "a time from 1970 to 2100 such as 2026-03-12T09:40:00Z (an open row has none)"
WANTED_EPOCH = 'such a time; for seconds since 1970 map it: {0} = {{ column = "{0}", format = "epoch_seconds" }}'


class Typing:
    """The types of one file's columns: what was wrong, and how many times had no zone and were taken as UTC."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.naive_times = 0

    def array(self, column: Column, source: Source, values: Array, rows: Numbers) -> Array:
        """The values of one batch, of the column's type; null where one is empty or wrong."""
        if source.constant is not None:
            values = arrow.repeat(arrow.scalar(source.constant), len(rows))
        place = _Place(self, column.name, source, rows)
        if arrow.types.is_nested(values.type):
            self.problems.add(None, column.name, values.type, "text, numbers or times")
            return arrow.nulls(len(values), _types()[column.type])
        return {"text": place.texts, "time": place.times, "int": place.counts, "float": place.numbers}[column.type](
            values
        )


class _Place:
    def __init__(self, typing: Typing, column: str, source: Source, rows: Numbers) -> None:
        self.typing, self.column, self.source, self.rows = typing, column, source, rows

    def texts(self, values: Array) -> Array:
        found = self._strings(values)
        if self.source.format == SHORT_NAME:
            found = compute.replace_substring_regex(found, r"^([^.]+)\..*$", r"\1")
        if self.source.suffix:
            found = compute.binary_join_element_wise(found, self.source.suffix, "")
        long = compute.greater(compute.binary_length(found), LONGEST_TEXT)
        self._refuse(long, found, f"at most {LONGEST_TEXT} bytes")
        self._refuse(compute.match_substring_regex(found, r"[\x00-\x1f\x7f]"), found, "text without control characters")
        return found.dictionary_encode()

    def times(self, values: Array) -> Array:
        kind, form = values.type, self.source.format
        if arrow.types.is_timestamp(kind) or arrow.types.is_date(kind):
            if arrow.types.is_date(kind) or kind.tz is None:
                self.typing.naive_times += len(values) - values.null_count
            exact = arrow.types.is_date(kind) or kind.unit != "ns"  # of seconds, a cast that is not safe wraps around
            stamp = TIME if not arrow.types.is_date(kind) else arrow.timestamp("us")
            found = self._each(values, lambda some: some.cast(stamp, safe=exact).cast(TIME), WANTED_TIME)
        elif form in EPOCHS:
            numbers = self.numbers(values, signed=True)
            scaled = compute.multiply(numbers, float(EPOCHS[form]))
            fits = compute.less(compute.abs(scaled), 9e18)
            found = compute.if_else(fits, scaled, float(LAST_TIME)).cast(arrow.int64(), safe=False).cast(TIME)
        else:
            found = self._time_of_text(self._strings(values))
        numbers = microseconds(found, FIRST_TIME)
        outside = arrow.array((numbers < FIRST_TIME) | (numbers >= LAST_TIME))
        self._refuse(outside, values, WANTED_TIME)
        return compute.if_else(outside, arrow.scalar(None, TIME), found)

    def _time_of_text(self, texts: Array) -> Array:
        form = self.source.format
        if form is not None:
            wanted = f"a time like {form}"
            self.typing.naive_times += len(texts) - texts.null_count if "%z" not in form else 0

            def parsed(some: Array) -> Array:
                return compute.strptime(some, format=form, unit="us").cast(arrow.timestamp("us")).cast(TIME)

            return self._each(texts, parsed, wanted)
        epoch = compute.match_substring_regex(texts, EPOCH)
        self._refuse(epoch, texts, WANTED_EPOCH.format(self.column))
        naive = compute.fill_null(compute.match_substring_regex(texts, NAIVE), False)
        zoned = compute.fill_null(compute.match_substring_regex(texts, ZONED), False)
        neither = compute.and_(compute.is_valid(texts), compute.invert(compute.or_(naive, zoned)))
        self._refuse(compute.and_not(neither, compute.fill_null(epoch, False)), texts, WANTED_TIME)
        self.typing.naive_times += compute.sum(naive).as_py() or 0
        nothing = arrow.scalar(None, arrow.string())
        return compute.coalesce(
            self._each(
                compute.if_else(zoned, texts, nothing),
                lambda some: some.cast(arrow.timestamp("ns", "UTC")).cast(TIME, safe=False),
                WANTED_TIME,
            ),
            self._each(
                compute.if_else(naive, texts, nothing),
                lambda some: some.cast(arrow.timestamp("ns")).cast(arrow.timestamp("us"), safe=False).cast(TIME),
                WANTED_TIME,
            ),
        )

    def numbers(self, values: Array, signed: bool = False) -> Array:
        wanted = "a number" if signed else "a number, 0 or more"
        plain = values if _is_number(values.type) else self._strings(values)
        found = self._each(plain, lambda some: some.cast(arrow.float64(), safe=False), wanted)
        wrong = compute.invert(compute.is_finite(found))
        if not signed:
            wrong = compute.or_(wrong, compute.less(found, 0.0))
        self._refuse(wrong, values, wanted)
        return compute.if_else(compute.fill_null(wrong, False), arrow.scalar(None, arrow.float64()), found)

    def counts(self, values: Array) -> Array:
        wanted = "a whole number, 0 or more"
        if arrow.types.is_integer(values.type):
            found = self._each(values, lambda some: some.cast(arrow.int64()), wanted)
            wrong = compute.less(found, 0)
        else:
            numbers = self.numbers(values)
            wrong = compute.or_(compute.not_equal(compute.floor(numbers), numbers), compute.greater(numbers, 2.0**53))
            found = compute.if_else(wrong, 0.0, numbers).cast(arrow.int64())
        self._refuse(wrong, values, wanted)
        return compute.if_else(compute.fill_null(wrong, False), arrow.scalar(None, arrow.int64()), found)

    def _strings(self, values: Array) -> Array:
        if arrow.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if arrow.types.is_string(values.type):  # of a damaged file it may be none, which only a cast to text finds
            values = values.cast(arrow.binary())
        elif arrow.types.is_large_string(values.type):
            values = values.cast(arrow.large_binary())
        found = self._each(values, lambda some: some.cast(arrow.string()), "text in UTF-8")
        trimmed = compute.utf8_trim_whitespace(found)
        return compute.if_else(compute.equal(trimmed, ""), arrow.scalar(None, arrow.string()), trimmed)

    def _each(self, values: Array, convert: Callable[[Array], Array], wanted: str, first: int = 0) -> Array:
        try:
            return convert(values)
        except arrow.ArrowInvalid:
            pass
        if len(values) == 1 or self.typing.problems.full:
            self.typing.problems.add(int(self.rows[first]), self.column, _shown(values[0]), wanted)
            return convert(arrow.nulls(len(values), values.type))
        half = len(values) // 2
        parts = (
            self._each(values[:half], convert, wanted, first),
            self._each(values[half:], convert, wanted, first + half),
        )
        return arrow.concat_arrays(parts)

    def _refuse(self, wrong: Array, values: Array, wanted: str) -> None:
        problems = self.typing.problems
        for index in np.flatnonzero(compute.fill_null(wrong, False).to_numpy(zero_copy_only=False)):
            if problems.full:
                return
            problems.add(int(self.rows[index]), self.column, _shown(values[int(index)]), wanted)


def _shown(value: Any) -> Any:
    if not arrow.types.is_timestamp(value.type) or not value.is_valid:
        return value.as_py()
    try:
        return value.cast(arrow.string()).as_py()
    except arrow.ArrowInvalid:  # Python knows no year 10000, nor Arrow some far beyond it
        return str(value.value)


def _types() -> dict[str, Any]:
    text = arrow.dictionary(arrow.int32(), arrow.string())
    return {"text": text, "time": TIME, "int": arrow.int64(), "float": arrow.float64()}


def _is_number(kind: Any) -> bool:
    types = arrow.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_null(kind))
