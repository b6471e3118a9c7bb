"""The weights that ship: `weights.json`, written by `make accuracy` from the crashes of the lab, never by hand."""

from functools import cache
from importlib.resources import files

import msgspec

from broadstreet.records.weights import VERSION, Weights

FILE = "weights.json"


@cache
def weights() -> Weights:
    """How much each finding of a single crash speaks for hardware, with the counts behind it."""
    found = msgspec.json.decode(files(__package__).joinpath(FILE).read_bytes(), type=Weights)
    if found.version != VERSION:
        raise ValueError(f"{FILE} has version {found.version}, this program reads {VERSION}")
    return found
