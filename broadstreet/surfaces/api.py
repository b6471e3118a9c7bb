"""A casebook in Python: the same verbs as the command line, and tables as Arrow, pandas or Polars.

import broadstreet

with broadstreet.open("casebook") as book:
    book.sql("select host, count(*) as n from cases group by host").pandas()
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from broadstreet.errors import UsageError
from broadstreet.pipeline.engines import Engine, Local, examined
from broadstreet.pipeline.evidence import Keep
from broadstreet.pipeline.examination import Examination
from broadstreet.pipeline.scanning import Scan, relabel, stored_cases
from broadstreet.pipeline.together import examined_again
from broadstreet.records.case import Case
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.store.casebook import Casebook, open_for_writing
from broadstreet.store.coverage import Contents, contents
from broadstreet.store.forgetting import Forgotten, What, forget
from broadstreet.store.pages import Wanted, case_named, page_of
from broadstreet.store.questions import Questions
from broadstreet.store.tidying import Tidied, tidy
from broadstreet.surfaces.options import binary_sources
from broadstreet.surfaces.scan import full
from broadstreet.surfaces.source_options import asked_sources

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from broadstreet.records.verdict import Investigation


Result = TypeVar("Result")


class Rows:
    """Rows of a table or of an answer, in the library of your choice."""

    def __init__(self, table: "pyarrow.Table") -> None:
        self._table = table

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def arrow(self) -> "pyarrow.Table":
        """As a pyarrow.Table."""
        return self._table

    def pandas(self) -> "pandas.DataFrame":
        """As a pandas.DataFrame; needs pandas. What was not observed is NA, also in whole numbers and yes/no."""
        import pandas

        return pandas.DataFrame({name: _column(pandas, column) for name, column in self._columns()})

    def polars(self) -> "polars.DataFrame":
        """As a polars.DataFrame; needs polars."""
        import polars

        frame = polars.from_arrow(self._table)
        if not isinstance(frame, polars.DataFrame):
            raise TypeError("an answer is a table")
        return frame

    def dicts(self) -> list[dict[str, Any]]:
        """As one dictionary a row."""
        rows: list[dict[str, Any]] = self._table.to_pylist()
        return rows

    def _columns(self) -> Iterator[tuple[str, Any]]:
        return zip(self._table.column_names, self._table.columns, strict=True)


class Scanned(NamedTuple):
    """What a scan did: specimens read now, known before, and not readable of those read now.

    `ungrouped` says why the syndromes of what is new could not be kept; null: they are.
    """

    read: int
    known: int
    unreadable: int
    ungrouped: str | None = None


class Book:
    """A casebook, open at one version. A verb that changes it moves it to the new one. Not shared between threads."""

    def __init__(self, url: str, version: int | None = None) -> None:
        self.url = url
        self._fixed = version
        self._questions = Questions(url, version)

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of its files."""
        self._questions.close()

    @property
    def version(self) -> int:
        """The version that is asked."""
        return self._questions.version.number

    @property
    def simulated(self) -> bool | None:
        """Whether its cases stand on a simulated fleet; null while it has none."""
        return self._questions.simulated()

    def sql(self, select: str) -> Rows:
        """The answer to one SELECT over the views of docs/columns.md."""
        import pyarrow

        batches = list(self._questions.ask(select))
        return Rows(pyarrow.Table.from_batches(batches, schema=batches[0].schema))

    def table(self, view: str) -> Rows:
        """All rows of one view, such as `cases` or `findings`."""
        return self.sql(f'SELECT * FROM "{view.replace(chr(34), "")}"')

    def cases(self, wanted: Wanted | None = None, after: str | None = None, most: int | None = None) -> Iterator[Case]:
        """Whole cases, the newest first; with `most`, a page of them after the case with this id."""
        return stored_cases(self._questions, page_of(self._questions, wanted or Wanted(), after, most).readings)

    def case(self, name: str) -> Case:
        """One case, by its id or the beginning of it."""
        return next(stored_cases(self._questions, [case_named(self._questions, name)["reading"]]))

    def evidence(self, name: str) -> bytes | None:
        """The slim core dump of a case, a valid ELF file; null where none is kept."""
        return self._questions.evidence(case_named(self._questions, name)["case_id"])

    def investigate(self, syndrome: str | None = None) -> "Investigation":
        """The outbreaks with their verdicts, as `broadstreet investigate` has them; of one syndrome, if named."""
        from broadstreet.pipeline.investigation import investigation

        return investigation(self.url, self.version, syndrome)

    def info(self) -> Contents:
        """What it holds and what each table costs."""
        return contents(self._questions)

    def scan(
        self,
        *sources: str,
        keep: Keep = "pointers",
        reread: bool = False,
        engine: Engine = Local(),  # noqa: B008 frozen
        binaries: Sequence[str] = (),
        layout: str | None = None,
        since: str | None = None,
        until: str | None = None,
        sample: str | None = None,
    ) -> Scanned:
        """Read what is new at these places; each specimen once. The options are those of `broadstreet scan`.

        With workers, as `Local(2)`, the calling program must be importable, as for every pool of Python processes.
        """
        found = binary_sources(tuple(binaries), ())
        asked = asked_sources(layout, since, until, sample=sample)
        places = tuple(map(full, sources))

        def examine(new: Iterable[Specimen]) -> Iterator[Examined]:
            return examined_again(lambda some: examined(some, Examination(found, keep), engine), new)

        def scan(book: Casebook) -> Scanned:
            one = Scan(book, self.url, places, keep, reread, found.open() if reread else None)
            for _ in one.outcomes(asked.specimens(places), examine, lambda _: None):
                pass  # each is kept as it comes
            return Scanned(one.read, one.known, one.unreadable, one.ungrouped)

        return self._changed(scan)

    def relabel(self) -> int:
        """Judge again all cases that other rules judged; how many."""
        return self._changed(lambda book: sum(relabel(book, self.url)))

    def tidy(self, keep: timedelta | None = None, keep_evidence: timedelta | None = None, now: bool = False) -> Tidied:
        """Drop cases and evidence older than this; make few large files of many small ones, sorted by time."""
        return self._changed(lambda book: tidy(book, self.url, keep, keep_evidence, now), alone=True)

    def forget(self, host: str | None = None, before: datetime | None = None, case_id: str | None = None) -> Forgotten:
        """Forget for good, and search every byte that is left for what was forgotten."""
        if sum(one is not None for one in (host, before, case_id)) != 1:
            raise UsageError("say what to forget", "one of host, before and case_id")
        return self._changed(lambda book: forget(book, self.url, What(host, before, case_id)), alone=True)

    def _changed(self, change: Callable[[Casebook], Result], alone: bool = False) -> Result:
        if self._fixed is not None:
            raise UsageError(
                f"this casebook is open at version {self._fixed}", "Open it without a version to change it."
            )
        book = open_for_writing(self.url, alone)
        try:
            return change(book)
        finally:
            book.close()
            self._questions.close()
            self._questions = Questions(self.url)


def open_book(url: str, version: int | None = None, create: bool = False) -> Book:
    """The casebook at a folder or bucket URL, at a version or as it is now. With `create`, made where there is none."""
    if create:
        open_for_writing(url).close()
    return Book(url, version)


_NULLABLE: Mapping[str, str] = {
    "int64": "Int64",
    "uint64": "UInt64",
    "int32": "Int32",
    "bool": "boolean",
    "double": "Float64",
}


def _column(pandas: Any, column: Any) -> Any:
    kind = _NULLABLE.get(str(column.type))
    values = column.to_pylist() if kind else column.to_pandas()
    return pandas.Series(values, dtype=kind) if kind else values
