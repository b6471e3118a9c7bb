"""The web application: the pages of a list, each as HTML and as JSON at the same address."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from broadstreet import __version__
from broadstreet.errors import BroadStreetError, NotInCasebook, UsageError
from broadstreet.records.selection import EVERYTHING
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.web.openapi import described, json_path
from broadstreet.surfaces.web.page import Asked, Page
from broadstreet.surfaces.web.pages import PAGES, TABS
from broadstreet.surfaces.web.rendering import environment, link, part
from broadstreet.surfaces.web.selection import belongs, chips, selection_of
from broadstreet.surfaces.web.static_files import StaticFiles

HTML, JSON = "text/html; charset=utf-8", "application/json"


class Shelf(Protocol):
    """Where the atlas to answer from stands."""

    def atlas(self) -> Atlas:
        """The newest one that is drawn."""


class Trouble(NamedTuple):
    """A page that cannot be: what happened, and what to do."""

    status: int
    name: str
    what: str
    hint: str


def app(shelf: Shelf, pages: Sequence[Page] = PAGES) -> FastAPI:
    """The application that answers from a shelf."""
    made = FastAPI(title="Broad Street", version=__version__, docs_url=None, redoc_url=None)
    document = described(pages)
    made.openapi = lambda: document  # type: ignore[method-assign]
    drawn = Drawn(shelf, pages)
    for page in pages:
        made.add_route(json_path(page.path), drawn.answer(page, as_json=True), methods=["GET"])
        made.add_route(page.path, drawn.answer(page), methods=["GET"])
    made.add_route("/static/{name:path}", drawn.static, methods=["GET"])
    made.add_exception_handler(HTTPException, drawn.refused)
    made.add_exception_handler(BroadStreetError, drawn.refused)
    return made


class Drawn:
    """Pages drawn from the atlas of a shelf."""

    def __init__(self, shelf: Shelf, pages: Sequence[Page]) -> None:
        self._shelf = shelf
        self._static = StaticFiles()
        self._templates = environment()
        there = {page.path: page for page in pages}
        self._templates.globals.update(
            static=self._static.address,
            tabs=tuple((name, path, bool(there[path].selects)) for name, path in TABS if path in there),
            application_version=__version__,
        )

    def answer(self, page: Page, as_json: bool = False) -> Callable[[Request], Response]:
        """What answers for a page."""

        def answer(request: Request) -> Response:
            asked = _asked(page, request, self._shelf.atlas())
            told = page.tell(asked)
            if as_json or _wants_json(request):
                return Response(msgspec.json.encode(told), media_type=JSON)
            return Response(self._html(page, asked, told), media_type=HTML)

        return answer

    def static(self, request: Request) -> Response:
        """A file of the style."""
        found = self._static.answer(request, request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return found

    def refused(self, request: Request, error: Exception) -> Response:
        """The page that says why there is no page."""
        trouble = _trouble(request, error)
        if request.url.path.endswith(".json") or _wants_json(request):
            said = {"what": trouble.what, "hint": trouble.hint}
            return JSONResponse(said, status_code=trouble.status)
        body = self._templates.get_template("trouble.html").render(
            trouble=trouble, atlas=self._shelf.atlas(), selection=EVERYTHING, chips=(), page=None, json_address=None
        )
        return Response(body, trouble.status, media_type=HTML)

    def _html(self, page: Page, asked: Asked, told: Any) -> str:
        here = _filled(page.path, asked)
        own = [(name, value) for name, value in asked.query if not belongs(name)]
        return self._templates.get_template(page.template).render(
            told=told,
            drawn=page.draw(told, asked),
            page=page,
            asked=asked,
            atlas=asked.atlas,
            selection=asked.selection,
            path=here,
            own=own,
            chips=[(chip.text, link(here, chip.without, pairs=own)) for chip in chips(asked.selection)],
            json_address=link(json_path(here), asked.selection, pairs=own),
        )


def _asked(page: Page, request: Request, atlas: Atlas) -> Asked:
    pairs = request.query_params.multi_items()
    declared = {one.name for one in page.parameters}
    return Asked(
        atlas=atlas,
        selection=selection_of(pairs) if "" in page.selects else EVERYTHING,
        path=dict(request.path_params),
        query=tuple(pair for pair in pairs if pair[0] in declared),
        sides={prefix[0]: selection_of(pairs, prefix) for prefix in page.selects if prefix},
    )


def _filled(path: str, asked: Asked) -> str:
    for name, value in asked.path.items():
        path = path.replace(f"{{{name}}}", part(value)).replace(f"{{{name}:path}}", part(value))
    return path


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def _trouble(request: Request, error: Exception) -> Trouble:
    if isinstance(error, NotInCasebook):
        return Trouble(404, "Not here", error.what, error.hint)
    if isinstance(error, UsageError):
        return Trouble(400, "Cannot be answered", error.what, error.hint)
    if isinstance(error, HTTPException) and error.status_code == 404:
        what = f"There is no page {request.url.path}."
        return Trouble(404, "No such page", what, "Nothing was lost. The overview links to everything there is.")
    if isinstance(error, HTTPException):
        return Trouble(error.status_code, "Refused", error.detail, "Go back to the page before, and load it again.")
    return Trouble(500, "Error", str(error), "Nothing was lost. Load the page again.")
