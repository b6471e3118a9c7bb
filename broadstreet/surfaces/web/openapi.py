"""The description of every page's JSON, made of the records that the pages tell."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from broadstreet import __version__
from broadstreet.surfaces.web.page import Page

Document = dict[str, Any]

REFERENCE = "#/components/schemas/{name}"
OF_A_SELECTION = (
    ("from", "Crashes from this time on, UTC: 2026-03-12 or 2026-03-12T14:00."),
    ("to", "Crashes before this time, UTC."),
    ("is.COLUMN", "The column has this value; repeated, one of them; empty: it is not known."),
    ("not.COLUMN", "The column does not have this value; may be repeated."),
    ("min.COLUMN", "The column is at least this number."),
    ("max.COLUMN", "The column is at most this number."),
)


def json_path(path: str) -> str:
    """Where the JSON of a page is."""
    return "/index.json" if path == "/" else path + ".json"


def described(pages: Sequence[Page]) -> Document:
    """The OpenAPI document of these pages."""
    told = list(dict.fromkeys(page.told for page in pages))
    schemas, components = msgspec.json.schema_components(told, ref_template=REFERENCE)
    schema_of = dict(zip(told, schemas, strict=True))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Broad Street",
            "version": __version__,
            "summary": "Every page as JSON: at its address with .json, or with the header Accept: application/json.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {_plain(json_path(page.path)): {"get": _asked(page, schema_of[page.told])} for page in pages},
        "components": {"schemas": components},
    }


def _asked(page: Page, schema: Document) -> Document:
    failed = {"description": "What was asked cannot be answered; `what` says why, `hint` what to try."}
    return {
        "summary": page.name,
        "description": page.summary,
        "operationId": re.sub(r"\W+", "_", page.path).strip("_") or "overview",
        "parameters": [*_in_path(page), *_selections(page), *_own(page)],
        "responses": {
            "200": {"description": page.summary, "content": {"application/json": {"schema": schema}}},
            "400": failed,
            "404": failed,
        },
    }


def _in_path(page: Page) -> list[Document]:
    text = {"type": "string"}
    names = re.findall(r"{(\w+)(?::path)?}", page.path)
    return [{"name": name, "in": "path", "required": True, "schema": text} for name in names]


def _selections(page: Page) -> list[Document]:
    return [
        {"name": prefix + name, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for prefix in page.selects
        for name, meaning in OF_A_SELECTION
    ]


def _own(page: Page) -> list[Document]:
    return [
        {"name": one.name, "in": "query", "description": one.meaning, "schema": {"type": "string"}}
        for one in page.parameters
    ]


def _plain(path: str) -> str:
    return path.replace(":path}", "}")
