"""The page of an outbreak, or of a syndrome, as one file to hand over: what `broadstreet report` writes.

A report tells what the page tells, so it stands on the page; it is fetched where it is written.
"""

from collections.abc import Callable
from typing import Literal

from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.web.page import Asked, Download

Form = Literal["html", "md"]
KINDS: dict[Form, str] = {"html": "text/html; charset=utf-8", "md": "text/markdown; charset=utf-8"}


def forms(own: Callable[[Atlas, str], str], name: str) -> dict[str, Callable[[Asked], Download]]:
    """Both forms of a page; `own` is the id of what is called by the part of the path with this name."""

    def download(form: Form) -> Callable[[Asked], Download]:
        def written(asked: Asked) -> Download:
            from broadstreet.surfaces.reports.html import html
            from broadstreet.surfaces.reports.markdown import markdown
            from broadstreet.surfaces.reports.telling import report_of

            of = own(asked.atlas, asked.path[name])
            told = report_of(asked.atlas, of)
            text = html(told) if form == "html" else markdown(told)
            return Download(f"{of}.{form}", KINDS[form], [text.encode("utf-8", "replace")])

        return written

    return {form: download(form) for form in KINDS}
