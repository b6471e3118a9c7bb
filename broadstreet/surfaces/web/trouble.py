"""What is said instead of a page: what is known, why there is no more, the next step."""

from typing import NamedTuple

from starlette.exceptions import HTTPException

from broadstreet.errors import CasebookError, NotInCasebook, UsageError

NAMES = {
    400: "Cannot be answered",
    403: "Refused",
    404: "No such page",
    405: "Not done here",
    409: "Not now",
    413: "Too much",
    414: "Too long",
    421: "Not this server",
    503: "Not yet",
}
HINTS = {
    403: "Nothing was changed. Go back, load the page again, and try once more.",
    404: "Nothing was lost. The overview links to everything there is.",
    405: "Nothing was changed.",
    413: "Nothing was changed. Send less.",
    414: "A shorter question, or fewer conditions, can be answered.",
    421: "If you followed a link from another page, that page tried to read your casebook, and could not.",
}


class Trouble(NamedTuple):
    """What stands on the page: `status` of HTTP, a word for the kind, what happened, what to do."""

    status: int
    name: str
    what: str
    hint: str


def trouble_of(path: str, error: Exception) -> Trouble:
    """What to say of an error. Of our own mistakes nothing is told but that they happened."""
    if isinstance(error, NotInCasebook):
        return Trouble(404, "Not in the casebook", _sentence(error.what), _sentence(error.hint))
    if isinstance(error, UsageError):
        return Trouble(400, NAMES[400], _sentence(error.what), _sentence(error.hint))
    if isinstance(error, CasebookError):
        return Trouble(503, "Error", "The casebook cannot be read.", _sentence(str(error)))
    if isinstance(error, HTTPException):
        what = f"There is no page {path}." if error.status_code == 404 else error.detail
        name = NAMES.get(error.status_code, "Refused")
        return Trouble(error.status_code, name, what, HINTS.get(error.status_code, "Nothing was changed."))
    what = "This page could not be made."
    return Trouble(500, "Error", what, "Nothing was lost. The terminal of `broadstreet serve` says what failed.")


def _sentence(text: str) -> str:
    if text.startswith("broadstreet "):
        return text  # a command
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) or not text else text + "."
