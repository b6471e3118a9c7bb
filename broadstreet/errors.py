"""Every exception that Broad Street raises on purpose."""


class BroadStreetError(Exception):
    """The common base, so that a caller can tell our refusals from bugs."""


class UnreadableSpecimen(BroadStreetError):
    """The bytes are not what they claim to be. Damage is not that: damage gives the best reading."""

    def __init__(self, layout: str, offset: int, wanted: str, found: str) -> None:
        super().__init__(f"{layout} at byte {offset}: wanted {wanted}, found {found}")
        self.layout = layout
        self.offset = offset
        self.wanted = wanted
        self.found = found

    def __reduce__(self) -> tuple[type, tuple[str, int, str, str]]:
        return type(self), (self.layout, self.offset, self.wanted, self.found)


class CasebookError(BroadStreetError):
    """A casebook that cannot be read or written, with what the store said."""


class UnreachableSpecimen(BroadStreetError):
    """The bytes could not be had. `kind` is what aggregates count by; `again`: a later try may have them."""

    def __init__(self, location: str, kind: str, reason: str, again: bool) -> None:
        super().__init__(f"{kind}: {reason}")
        self.location = location
        self.kind = kind
        self.reason = reason
        self.again = again

    def __reduce__(self) -> tuple[type, tuple[str, str, str, bool]]:
        return type(self), (self.location, self.kind, self.reason, self.again)


class ClusterLost(BroadStreetError):
    """The workers of a scan cannot be reached any more. What they returned before counts."""


class UsageError(BroadStreetError):
    """The operator asked for something that cannot be; the hint is the command to try next."""

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class NotInCasebook(UsageError):
    """What was asked for by its name is not there; the hint is where to look."""


class Elsewhere(BroadStreetError):
    """What was asked for by a short name stands at an address of its own."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address
