"""The files that every page uses: style, fonts, script. A browser keeps them, and asks only whether they changed."""

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
    "LICENSE": "text/plain; charset=utf-8",
}
FOR_GOOD = "public, max-age=31536000, immutable"  # an address that names what it holds
ASK_AGAIN = "public, max-age=300"


class StaticFile(NamedTuple):
    """One file as it is sent."""

    body: bytes
    kind: str
    tag: str


class StaticFiles:
    """All of them by their path below /static/."""

    def __init__(self) -> None:
        self.files = dict(_found(files("broadstreet.surfaces.web") / "static", ""))

    def address(self, name: str) -> str:
        """Where a file is, with what it holds in the address, so that it may be kept for good."""
        return f"/static/{name}?v={self.files[name].tag}"

    def answer(self, request: Request, name: str) -> Response | None:
        """The file, or that it has not changed; null where there is none of this name."""
        file = self.files.get(name)
        if file is None:
            return None
        named = request.query_params.get("v") == file.tag
        headers = {"ETag": f'"{file.tag}"', "Cache-Control": FOR_GOOD if named else ASK_AGAIN}
        if f'"{file.tag}"' in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(file.body, media_type=file.kind, headers=headers)


def _found(folder: Traversable, below: str) -> list[tuple[str, StaticFile]]:
    found: list[tuple[str, StaticFile]] = []
    for one in sorted(folder.iterdir(), key=lambda one: one.name):
        if one.is_dir():
            found += _found(one, f"{below}{one.name}/")
        elif (kind := TYPES.get(one.name.rpartition(".")[2])) is not None:
            body = one.read_bytes()
            found.append((below + one.name, StaticFile(body, kind, hashlib.blake2b(body, digest_size=8).hexdigest())))
    return found
