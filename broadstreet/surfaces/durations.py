"""Spans of time as an operator writes them: 400d, 12h, 30m."""

import re
from datetime import timedelta
from typing import Any

import click

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST_DAYS = 36_500


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
