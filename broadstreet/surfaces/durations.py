"""Times and spans of time as an operator writes them: 2026-06-30T12:00, 7d ago; 400d, 12h, 30m."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST_DAYS = 36_500
MOMENTS = "2026-06-30, 2026-06-30T12:00, or 7d ago"


def moment(text: str, now: datetime) -> datetime:
    """When that is, in UTC, which is meant where no other zone is named; a ValueError where it is no time."""
    ago = re.fullmatch(r"(\d{1,6})([mhdw])(?: ago)?", text)
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        stamp = datetime.fromisoformat(text)
        return stamp.astimezone(UTC) if stamp.tzinfo else stamp.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time; write {MOMENTS}; in UTC") from error


class Moment(click.ParamType[datetime]):
    """A time such as 2026-06-30T12:00, or 7d ago."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """When a text says."""
        if isinstance(value, datetime):
            return value
        try:
            return moment(value, datetime.now(UTC))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Span(click.ParamType[timedelta]):
    """A span such as 400d."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The span that a text says."""
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,6})([mhdw])", value)
        span = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
        if span is None or span.days > LONGEST_DAYS:
            self.fail(f"{value!r} is no span of time; write 400d, 12h or 30m", param, ctx)
        return span
