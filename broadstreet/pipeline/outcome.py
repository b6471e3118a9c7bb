"""One specimen must not stop ten thousand: the only `except Exception` stands here.

What it catches is a bug of ours, and is reported as such.
"""

from broadstreet.errors import UnreachableSpecimen, UnreadableSpecimen, UsageError
from broadstreet.pipeline.reading import case_of_specimen
from broadstreet.records.case import Outcome, Unreadable
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.specimens import specimen_at


def examine(specimen: Specimen, binaries: Binaries) -> Examined:
    """The case of one specimen, or why there is none."""
    return Examined(specimen, _outcome(specimen, binaries))


def outcome_at(path: str, binaries: Binaries) -> Outcome:
    """The case of one core dump, or why there is none."""
    return examine(specimen_at(path), binaries).outcome


def _outcome(specimen: Specimen, binaries: Binaries) -> Outcome:
    path = specimen.location
    try:
        return case_of_specimen(specimen, binaries)[0]
    except UnreadableSpecimen as error:
        return Unreadable(path, f"{error.layout}: wanted {error.wanted}", str(error))
    except UnreachableSpecimen as error:
        return Unreadable(path, error.kind, error.reason, retry=error.again)
    except UsageError as error:
        return Unreadable(path, "sidecar", error.what)
    except OSError as error:
        return Unreadable(path, error.strerror or type(error).__name__, str(error))
    except Exception as error:
        return Unreadable(path, f"a bug of ours ({type(error).__name__})", f"{type(error).__name__}: {error}")
