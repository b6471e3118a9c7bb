"""Who may ask, and how: what stands between a browser full of other pages and a casebook full of other people's hosts.

The server listens on this machine only, but so that any page in any browser here can send requests to it:

- a name that leads here (DNS rebinding) is told by the Host header: only names that were given are answered;
- a request that another site caused is told by Sec-Fetch-Site and Origin: another site may link to a page, no more;
- a change needs a token that only our own pages hold, in the form and in a cookie that other sites cannot cause to be
  sent;
- a value that got through as HTML after all could load and run nothing: the policy allows our own files only.
"""

import hmac
import secrets
from collections.abc import Callable, Collection
from http.cookies import CookieError, SimpleCookie
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer a browser sends a form of our own with `Origin: null`
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
AGAIN = "private, no-cache"  # a page is kept by the browser only to be asked for again, by its tag
OTHERS = ("cross-site", "same-site")  # the same site is any other port of this machine
DOCUMENT = "document"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
METHODS = ("GET", "HEAD", "POST")
LONGEST_ADDRESS = 32 << 10  # bytes; a question of SQL is an address
LARGEST_BODY = 1 << 20
FIELD = "token"


class Token:
    """The token of this process, as a form and a cookie hold it."""

    def __init__(self) -> None:
        self.value = secrets.token_urlsafe(32)

    def cookie(self, port: int) -> str:
        """The header that sets it; servers on other ports of this machine share its cookies, so it names the port."""
        return f"{_name(port)}={self.value}; Path=/; HttpOnly; SameSite=Strict"

    def check(self, port: int, cookies: str, field: str) -> None:
        """Refuse a form that is not from a page of ours."""
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(cookies)
        except CookieError as error:
            raise HTTPException(403, "The cookie of this page cannot be read.") from error
        sent = jar[_name(port)].value if _name(port) in jar else ""
        if not (_same(sent, self.value) and _same(field, self.value)):
            raise HTTPException(403, "This form is older than the server. Load its page again, and send it again.")


class Gate:
    """Lets through what may be answered, and puts the headers on all that is. `page` makes the page of a refusal."""

    def __init__(self, app: ASGIApp, names: Collection[str], page: Callable[[HTTPException], Response]) -> None:
        self.app = app
        self._names = frozenset(name.lower() for name in names)
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        began = perf_counter()

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["Server-Timing"] = f"total;dur={(perf_counter() - began) * 1000:.1f}"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            self._check(scope)
        except HTTPException as refusal:
            await self._page(refusal)(scope, receive, with_headers)
            return
        await self.app(scope, _bounded(receive), with_headers)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _without_port(hosts[0]).lower() not in self._names:
            raise HTTPException(421, "This server does not go by that name. It would with --allow-host NAME.")
        if scope["method"] not in METHODS:
            raise HTTPException(405, f"Only {', '.join(METHODS)} are answered.", {"Allow": ", ".join(METHODS)})
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_ADDRESS:
            raise HTTPException(414, f"The address is longer than {LONGEST_ADDRESS:,} bytes.")
        if headers.get("sec-fetch-site") in OTHERS and (
            headers.get("sec-fetch-mode") != "navigate"
            or headers.get("sec-fetch-dest", DOCUMENT) != DOCUMENT  # a frame would work the page out unseen
            or scope["method"] == "POST"
        ):
            raise HTTPException(403, "Another site may link to a page here, no more.")
        if scope["method"] == "POST":
            _check_own(headers, hosts[0])


def _check_own(headers: Headers, host: str) -> None:
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower()):
        raise HTTPException(403, "This form was sent by another site.")
    if site is not None and site != "same-origin":
        raise HTTPException(403, "This form was sent by another site.")
    if origin is None and site is None:
        raise HTTPException(403, "Nothing tells which site this form is from.")
    length = headers.get("content-length", "")
    if length and (not length.isdecimal() or int(length) > LARGEST_BODY):
        raise HTTPException(413, f"More than {LARGEST_BODY:,} bytes were sent.")


def _bounded(receive: Receive) -> Receive:
    """What is sent, up to a limit, whatever its length was said to be."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > LARGEST_BODY:
            raise HTTPException(413, f"More than {LARGEST_BODY:,} bytes were sent.")
        return message

    return bounded


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() else host


def _name(port: int) -> str:
    return f"broadstreet-{port}"


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
