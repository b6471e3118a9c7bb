"""Objects in buckets: what their addresses mean, who answers for them, and what their errors say.

S3 and what speaks like it, Azure's blobs, Google's, and plain HTTP, through obstore. Credentials are what obstore reads
from the environment: AWS_*, AZURE_*, GOOGLE_*. Each request is tried a few times, with a random wait that grows, for
throttling, slowness and broken connections pass; what is forbidden, gone or changed does not.
"""

import os
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from broadstreet.errors import UnreachableSpecimen, UsageError

S3, AZURE, GOOGLE, HTTP = ("s3", "s3a"), ("az", "azure", "adl", "abfs", "abfss"), ("gs",), ("http", "https")
SCHEMES = (*S3, *AZURE, *GOOGLE, *HTTP)
TRIES = 5
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.2, 5.0  # each wait is drawn between zero and twice the last limit
ANSWER_SECONDS = 20.0  # for a range: 64 KiB at 3 KiB/s, so what takes longer is stuck
SILENCE_SECONDS = 20.0  # between two pieces of a stream
STREAM_SECONDS = 24 * 3600.0  # for all of a stream
REQUESTS_AT_ONCE = 64  # of one process
ALLOW_HTTP = ("AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP", "AZURE_STORAGE_USE_EMULATOR", "GOOGLE_ALLOW_HTTP")
T = TypeVar("T")


class Address(NamedTuple):
    """Where an object is: the bucket as a URL, and the name in it."""

    root: str
    key: str

    @property
    def location(self) -> str:
        return f"{self.root}/{self.key}"


def is_remote(place: str) -> bool:
    """Whether this is the URL of a bucket or an object, not a path."""
    return place.partition("://")[0] in SCHEMES and "://" in place


def address(location: str) -> Address:
    """The bucket and the name in it. The name stands as it is; only that of a web address is percent-encoded."""
    scheme, _, rest = location.partition("://")
    bucket, _, key = rest.partition("/")
    if not bucket:
        raise UsageError(f"{location}: no bucket is named", f"broadstreet scan {scheme}://BUCKET/PREFIX")
    if scheme in HTTP and urlsplit(location).query:
        raise UsageError(f"{location}: an address with a query", "Only plain addresses can be asked for ranges.")
    return Address(f"{scheme}://{bucket}", unquote(key) if scheme in HTTP else key)


@cache
def store_at(root: str, seconds: float) -> Any:
    """The client for a bucket, one per process; `seconds` is how long an answer may take."""
    from obstore.store import AzureStore, GCSStore, HTTPStore, S3Store

    scheme, _, bucket = root.partition("://")
    options: Any = {
        "timeout": timedelta(seconds=seconds),
        "read_timeout": timedelta(seconds=SILENCE_SECONDS),
        "connect_timeout": timedelta(seconds=5),
        "allow_http": scheme == "http" or any(os.environ.get(name, "").lower() in ("1", "true") for name in ALLOW_HTTP),
        "pool_max_idle_per_host": str(REQUESTS_AT_ONCE),
    }
    once: Any = {"max_retries": 0}  # we count and wait ourselves
    try:
        if scheme in S3:
            return S3Store(bucket, client_options=options, retry_config=once)
        if scheme in GOOGLE:
            return GCSStore(bucket, client_options=options, retry_config=once)
        if scheme in HTTP:
            return HTTPStore(root, client_options=options, retry_config=once)
        if "@" in bucket:
            return AzureStore.from_url(root, client_options=options, retry_config=once)
        return AzureStore(bucket, client_options=options, retry_config=once)
    except errors() as error:
        raise UsageError(f"{root}: {_said(error)}", _credentials(scheme)) from error


@cache
def errors() -> tuple[type[Exception], ...]:
    """What a request may fail with."""
    from obstore.exceptions import BaseError

    return (BaseError, OSError, ValueError)


@cache
def requests_at_once() -> ThreadPoolExecutor:
    """The threads that wait for answers, one set per process."""
    return ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="request")


def patiently(attempt: Callable[[], T], location: str) -> T:
    """The answer of the first attempt that succeeds; an UnreachableSpecimen after the last, or where none can help."""
    limit = FIRST_WAIT_SECONDS
    for left in reversed(range(TRIES)):
        try:
            return attempt()
        except errors() as error:
            failure = failed(location, error)
            if not left or not failure.again:
                raise failure from error
        time.sleep(random.uniform(0, limit))
        limit = min(2 * limit, LONGEST_WAIT_SECONDS)
    raise AssertionError("the last attempt returns or raises")


class Short(OSError):
    """An answer with fewer bytes than it was asked for."""


def failed(location: str, error: Exception) -> UnreachableSpecimen:
    """What an error of a request means for the specimen, and whether another try may help."""
    from obstore import exceptions as known

    said = _said(error)
    if isinstance(error, FileNotFoundError | known.NotFoundError):
        return UnreachableSpecimen(location, "vanished", said, again=False)
    if isinstance(error, PermissionError | known.PermissionDeniedError | known.UnauthenticatedError):
        return UnreachableSpecimen(location, "forbidden", said, again=False)
    if isinstance(error, known.PreconditionError | known.NotModifiedError):
        return UnreachableSpecimen(location, "changed meanwhile", said, again=False)
    if isinstance(error, known.NotSupportedError):
        return UnreachableSpecimen(location, "no ranges", said, again=False)  # as python3 -m http.server
    status = re.search(r"status code: (\d{3})", said)
    if status is not None:
        kind = _KINDS.get(status[1]) or ("server error" if status[1][0] == "5" else f"refused ({status[1]})")
        return UnreachableSpecimen(location, kind, said, again=kind in ("throttled", "server error"))
    if isinstance(error, Short) or "body error" in said:
        return UnreachableSpecimen(location, "cut off", said, again=True)
    kind = "timed out" if "TimedOut" in str(error) else "no connection"
    return UnreachableSpecimen(location, kind, said, again=isinstance(error, known.GenericError | OSError))


_KINDS = {"429": "throttled", "503": "throttled", "403": "forbidden", "401": "forbidden", "404": "vanished"}


def listing_failed(place: str, error: UnreachableSpecimen) -> UsageError:
    """Why a place could not be listed, and what to try."""
    scheme = place.partition("://")[0]
    hints = {
        "vanished": "Check the name of the bucket, and AWS_REGION and AWS_ENDPOINT_URL if it is no bucket of AWS."
        if scheme in S3
        else "Check the name of the bucket and of the account.",
        "forbidden": _credentials(scheme),
    }
    hint = hints.get(error.kind, f"Check the network to it, then scan again. {_credentials(scheme)}")
    return UsageError(f"{place} cannot be listed: {error}", hint)


def _credentials(scheme: str) -> str:
    if scheme in S3:
        return (
            "Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and for another server AWS_ENDPOINT_URL"
            " (with AWS_ALLOW_HTTP=true for plain HTTP)."
        )
    if scheme in AZURE:
        return "Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_SAS_KEY."
    return "Set GOOGLE_APPLICATION_CREDENTIALS." if scheme in GOOGLE else "Try it with curl -I."


def _said(error: Exception) -> str:
    text = str(error).partition("\n\nDebug source")[0]
    text = re.sub(r"(https?://[^\s?]+)\?\S+", r"\1?...", text)  # a query may hold a signature
    return re.sub(r"\s+", " ", text)[:400]
