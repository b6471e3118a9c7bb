"""A question of the reader's own: one SELECT over the atlas and its casebook."""

import hashlib
from collections.abc import Callable

import msgspec

from broadstreet.errors import UsageError
from broadstreet.records.atlas import TABLES
from broadstreet.store.views import VIEWS
from broadstreet.surfaces.web import sql_box
from broadstreet.surfaces.web.apart import Cell, Column
from broadstreet.surfaces.web.page import Asked, Download, Page, Parameter

EXAMPLES = (
    ("Crashes by mechanism", "SELECT mechanism, count(*) AS crashes FROM crashes GROUP BY 1 ORDER BY 2 DESC"),
    ("Crashes a day", "SELECT time::date AS day, count(*) AS crashes FROM crashes WHERE dated GROUP BY 1 ORDER BY 1"),
    ("Hosts that crash most", "SELECT host, count(*) AS crashes FROM crashes GROUP BY 1 ORDER BY 2 DESC LIMIT 20"),
    ("Findings that hold", "SELECT label, count(*) FROM findings WHERE state = 'holds' GROUP BY 1 ORDER BY 2 DESC"),
)


class Example(msgspec.Struct, frozen=True):
    """A question to begin with."""

    name: str
    select: str


class Known(msgspec.Struct, frozen=True):
    """A column of `crashes` that can be asked about, with its meaning and what a null in it means."""

    name: str
    type: str
    unit: str
    meaning: str
    null: str


class Answered(msgspec.Struct, frozen=True):
    """A question and its answer.

    `failed` and `hint` say why there is none; null where there is one, or nothing was asked. `more_rows`: only the
    first are here. `more_columns`: so many are left out.
    """

    select: str
    columns: list[Column]
    rows: list[list[Cell]]
    more_rows: bool
    more_columns: int
    failed: str | None
    hint: str | None
    tables: list[str]
    views: list[str]
    known: list[Known]
    examples: list[Example]


def tell(asked: Asked) -> Answered:
    """The answer to the question in the address."""
    select = asked.one("select").strip()
    rows, failed, hint = None, None, None
    if select:
        try:
            rows = sql_box.rows(asked.atlas.about, asked.atlas.folder, select)
        except UsageError as error:
            failed, hint = error.what, error.hint
    return Answered(
        select=select,
        columns=[] if rows is None else rows.columns,
        rows=[] if rows is None else rows.rows,
        more_rows=rows is not None and rows.more_rows,
        more_columns=0 if rows is None else rows.more_columns,
        failed=failed,
        hint=hint,
        tables=list(TABLES),
        views=[view.name for view in VIEWS],
        known=[Known(one.name, one.type, one.unit, one.meaning, one.null) for one in asked.atlas.about.columns],
        examples=[Example(*one) for one in EXAMPLES],
    )


def _download(form: str, kind: str) -> Callable[[Asked], Download]:
    def download(asked: Asked) -> Download:
        select = asked.one("select").strip()
        if not select:
            raise UsageError("nothing was asked", "Give the question as select=")
        chunks = sql_box.file(asked.atlas.about, asked.atlas.folder, select, form)
        next(chunks)  # what cannot be answered is refused here, and not in the middle of a file
        name = hashlib.blake2b(select.encode(), digest_size=4).hexdigest()
        return Download(f"broadstreet-{asked.atlas.about.version}-{name}.{form}", kind, chunks)

    return download


def _status(told: Answered) -> int:
    return 200 if told.failed is None else 400


PAGE = Page(
    path="/sql",
    name="SQL",
    tab="SQL",
    told=Answered,
    tell=tell,
    template="sql.html",
    summary="One SELECT, DuckDB's dialect, over the tables of the atlas and the views of the casebook.",
    parameters=(Parameter("select", "The question: one SELECT."),),
    forms={
        "csv": _download("csv", "text/csv; charset=utf-8"),
        "parquet": _download("parquet", "application/vnd.apache.parquet"),
    },
    needs_cases=False,
    kept=False,
    status=_status,
)
