"""Times as an operator writes them."""

from datetime import UTC, datetime

import pytest

from broadstreet.surfaces.durations import moment

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "day", "hour", "minute"),
    [
        ("2026-06-12", 12, 0, 0),
        ("2026-06-12T23:57", 12, 23, 57),
        ("2026-06-12T23:57:00Z", 12, 23, 57),
        ("2026-06-13T01:57:00+02:00", 12, 23, 57),
        ("7d ago", 23, 12, 0),
        ("2h", 30, 10, 0),
    ],
)
def test_a_time_is_in_utc(text: str, day: int, hour: int, minute: int) -> None:
    assert moment(text, NOW).isoformat() == datetime(2026, 6, day, hour, minute, tzinfo=UTC).isoformat()


@pytest.mark.parametrize("text", ["", "yesterday", "7 years ago", "2026-13-01", "999999w ago"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time; write 2026-06-30"):
        moment(text, NOW)
