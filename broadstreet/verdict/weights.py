"""The weights that ship: `weights.json`, written by `make accuracy` from the crashes of the lab, never by hand."""

from functools import cache
from hashlib import blake2b
from importlib.resources import files

import msgspec

from broadstreet.records.weights import VERSION, Weights

FILE = "weights.json"
ITEMS = "items.json"


@cache
def weights() -> Weights:
    """How much each finding of a single crash speaks for hardware, with the counts behind it."""
    found = msgspec.json.decode(files(__package__).joinpath(FILE).read_bytes(), type=Weights)
    if found.version != VERSION:
        raise ValueError(f"{FILE} has version {found.version}, this program reads {VERSION}")
    return found


@cache
def fingerprint() -> str:
    """Which weights a verdict was argued with: a digest of both files."""
    place = files(__package__)
    return blake2b(place.joinpath(FILE).read_bytes() + place.joinpath(ITEMS).read_bytes(), digest_size=4).hexdigest()
