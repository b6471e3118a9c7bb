"""What an atlas tells besides its tables: the investigation and the share captured, decoded once."""

from functools import lru_cache

import msgspec

from broadstreet.records.capture import Capture
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.investigation_json import InvestigationJson
from broadstreet.surfaces.web.drawing import CAPTURE, INVESTIGATION

ATLASES = 4  # that are looked at at one time: the newest, the one before, those that are replayed


@lru_cache(ATLASES)
def investigation(atlas: Atlas) -> InvestigationJson:
    """The outbreaks with their verdicts; of each list of cases the first thousand."""
    return msgspec.json.decode(atlas.read(INVESTIGATION), type=InvestigationJson)


@lru_cache(ATLASES)
def capture(atlas: Atlas) -> Capture | None:
    """How many crashes were captured; null where no other channel counts them."""
    return msgspec.json.decode(atlas.read(CAPTURE), type=Capture | None)
