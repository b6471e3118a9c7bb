"""The web application: the pages of a list, each as HTML and as JSON at the same address."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from broadstreet import __version__
from broadstreet.errors import BroadStreetError, Elsewhere
from broadstreet.records.selection import EVERYTHING
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.web.answers import Answers, Kept, packed
from broadstreet.surfaces.web.asking import as_json, asked_of, beside, canonical, filled, form_of, given, wants_json
from broadstreet.surfaces.web.live import Stream
from broadstreet.surfaces.web.openapi import described, json_path
from broadstreet.surfaces.web.page import Asked, Change, Page
from broadstreet.surfaces.web.pages import CHANGES, PAGES, TABS
from broadstreet.surfaces.web.rendering import environment, hidden_token, link
from broadstreet.surfaces.web.safety import AGAIN, FIELD, LOOPBACK, Gate, Token
from broadstreet.surfaces.web.selection import chips
from broadstreet.surfaces.web.standing import Stand, State
from broadstreet.surfaces.web.static_files import StaticFiles
from broadstreet.surfaces.web.trouble import Trouble, trouble_of

HTML, JSON = "text/html; charset=utf-8", "application/json"
RETRY_SECONDS = "2"


def app(
    shelf: Stand,
    pages: Sequence[Page] = PAGES,
    changes: Sequence[Change] = CHANGES,
    names: Collection[str] = LOOPBACK,
) -> Gate:
    """The application that answers from a shelf, to whom asks for it by one of these names."""
    made = FastAPI(title="Broad Street", version=__version__, docs_url=None, redoc_url=None)
    document = described(pages)
    made.openapi = lambda: document  # type: ignore[method-assign]
    drawn = Drawn(shelf, pages)
    for page in pages:
        for form, download in page.forms.items():
            made.add_route(f"{page.path}.{form}", drawn.download(page, download), methods=["GET"])
        made.add_route(json_path(page.path), drawn.answer(page, JSON), methods=["GET"])
        made.add_route(page.path, drawn.answer(page), methods=["GET"])
    for change in changes:
        made.add_route(change.path, drawn.change(change), methods=["POST"])
    stream = Stream(shelf.news, lambda: shelf.closed)
    made.add_route("/events", stream.answer, methods=["GET"])
    made.add_route("/static/{name:path}", drawn.static, methods=["GET"])
    for kind in (HTTPException, BroadStreetError, Exception):
        made.add_exception_handler(kind, drawn.refused)
    made.add_exception_handler(Elsewhere, drawn.elsewhere)
    return Gate(made, names, drawn.outside)


class Drawn:
    """Pages drawn from the atlas of a shelf."""

    def __init__(self, shelf: Stand, pages: Sequence[Page]) -> None:
        self._shelf = shelf
        self._answers = Answers()
        self._shown: tuple[object, ...] | None = None
        self._static = StaticFiles()
        self._token = Token()
        self._templates = environment()
        there = {page.path: page for page in pages}
        self._templates.globals.update(
            static=self._static.address,
            tabs=tuple((name, path, "" in there[path].selects) for name, path in TABS if path in there),
            token=lambda: hidden_token(FIELD, self._token.value),
        )

    def answer(self, page: Page, always: str | None = None) -> Callable[[Request], Response]:
        """What answers for a page."""

        def answer(request: Request) -> Response:
            atlas, state = self._shelf.standing()
            kind = always or (JSON if wants_json(request) else HTML)
            if atlas is None or (kind == HTML and page.needs_cases and not atlas.about.cases):
                return self._instead(request, page, atlas, state)
            asked = asked_of(page, request, atlas)

            def made(told: Any) -> bytes:
                return msgspec.json.encode(told) if kind == JSON else self._html(page, asked, told, state).encode()

            if not page.kept:
                told = page.tell(asked)
                return self._sent(request, packed(made(told), kind), page.status(told))
            shown = (atlas.about.casebook, atlas.about.version, atlas.about.drawn)
            if shown != self._shown:
                self._answers.clear()  # nobody asks for the version before, and it may tell what was forgotten
                self._shown = shown
            question = hashlib.blake2b(repr(canonical(page, asked)).encode("utf-8", "surrogatepass")).digest()
            key = (shown, question, kind, state)
            return self._sent(request, self._answers.of(key, kind, lambda: made(page.tell(asked))))

        return answer

    def download(self, page: Page, download: Callable[[Asked], Any]) -> Callable[[Request], Response]:
        """What answers for another form of a page."""

        def answer(request: Request) -> Response:
            atlas, state = self._shelf.standing()
            if atlas is None:
                return self._instead(request, page, atlas, state)
            file = download(asked_of(page, request, atlas))
            headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": AGAIN}
            return StreamingResponse(file.chunks, media_type=file.kind, headers=headers)

        return answer

    def change(self, change: Change) -> Callable[[Request], Any]:
        """What answers for a form that changes the casebook."""

        async def answer(request: Request) -> Response:
            fields = form_of(request.headers.get("content-type", ""), await request.body())
            port = request.scope["server"][1]
            self._token.check(port, request.headers.get("cookie", ""), fields.pop(FIELD, ""))
            atlas, state = self._shelf.standing()
            if atlas is None:
                raise HTTPException(503, state.what if state else "There is no casebook yet.")
            if self._shelf.fixed:
                raise HTTPException(409, f"Version {atlas.about.version} is shown as it was; it cannot be changed.")
            asked = Asked(atlas, EVERYTHING, given(request), tuple(request.query_params.multi_items()))
            address = await run_in_threadpool(change.change, asked, fields)
            self._shelf.look()
            return RedirectResponse(address, 303)

        return answer

    async def static(self, request: Request) -> Response:
        """A file of the style."""
        found = self._static.answer(request, request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return found

    def refused(self, request: Request, error: Exception) -> Response:
        """The page that says why there is no page."""
        trouble = trouble_of(request.url.path, error)
        if as_json(request):
            said = {"what": trouble.what, "hint": trouble.hint}
            return JSONResponse(said, status_code=trouble.status)
        return self._page_of(trouble, self._shelf.standing().atlas)

    def elsewhere(self, request: Request, error: Exception) -> Response:
        """The way to what stands at another address."""
        assert isinstance(error, Elsewhere)
        path, question, query = error.address.partition("?")
        return RedirectResponse((json_path(path) if as_json(request) else path) + question + query, 302)

    def outside(self, error: HTTPException) -> Response:
        """The same for who may not know anything of the casebook."""
        response = self._page_of(trouble_of("", error), None)
        response.headers.update(error.headers or {})
        return response

    def _instead(self, request: Request, page: Page, atlas: Atlas | None, state: State | None) -> Response:
        if atlas is not None:
            return self._page_of(Trouble(200, "Empty", "No crashes yet.", ""), atlas, page, empty=True)
        state = state or State("Not yet", "There is no casebook yet.", "")
        if as_json(request) or "." in request.url.path.rpartition("/")[2]:
            said = {"what": state.what, "hint": state.hint}
            return JSONResponse(said, status_code=503, headers={"Retry-After": RETRY_SECONDS})
        return self._page_of(Trouble(503, state.name, state.what, state.hint), None, page, state)

    def _page_of(
        self,
        trouble: Trouble,
        atlas: Atlas | None,
        page: Page | None = None,
        state: State | None = None,
        empty: bool = False,
    ) -> Response:
        body = self._templates.get_template("trouble.html").render(
            trouble=trouble,
            atlas=atlas,
            page=page,
            standing=state,
            empty=empty,
            selection=EVERYTHING,
            chips=(),
            json_address=None,
        )
        return Response(body, trouble.status, media_type=HTML, headers={"Cache-Control": "no-store"})

    def _sent(self, request: Request, kept: Kept, status: int = 200) -> Response:
        tag = f'W/"{kept.tag}"'
        headers = {"ETag": tag, "Cache-Control": AGAIN, "Vary": "Accept, Accept-Encoding"}
        if kept.kind == HTML:
            headers["Set-Cookie"] = self._token.cookie(request.scope["server"][1])
        if status == 200 and kept.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(kept.packed, status, media_type=kept.kind, headers=headers | {"Content-Encoding": "gzip"})
        return Response(kept.plain(), status, media_type=kept.kind, headers=headers)

    def _html(self, page: Page, asked: Asked, told: Any, state: State | None) -> str:
        here, own = filled(page.path, asked), beside(asked)
        return self._templates.get_template(page.template).render(
            told=told,
            drawn=page.draw(told, asked),
            page=page,
            asked=asked,
            atlas=asked.atlas,
            standing=state,
            selection=asked.selection,
            path=here,
            own=own,
            chips=[(chip.text, link(here, chip.without, pairs=own)) for chip in chips(asked.selection)],
            json_address=link(json_path(here), asked.selection, pairs=own),
        )
