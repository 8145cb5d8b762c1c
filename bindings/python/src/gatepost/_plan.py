"""What a decision changes about a request and its answer, read once for all decisions that share it.

The library lays a list out once for all decisions that have it: the names to strip for a policy, the fields to add for a
person. Decisions whose views point to the same places say the same, as long as one of them lives; a plan keeps one.
"""

from ._library import ffi
from .decision import Decision
from .web import SET, SET_IF_ABSENT, Changes, Pairs

# Where the three lists stand in a view: address and count of each.
FROM, TO = ffi.offsetof("gatepost_view", "response_headers"), ffi.offsetof("gatepost_view", "body")


class Plan:
    """The changes of a decision that lets in, names in small letters as ASGI has them."""

    __slots__ = ("_of", "added", "changes", "gone", "late", "once", "response")

    def __init__(self, decision: Decision) -> None:
        self._of = decision
        #: Fields for the answer.
        self.response: Changes = [(name.lower(), value, mode) for name, value, mode in decision._response()]
        #: The only one of them, where the application's own counts more.
        self.once = self.response[0][:2] if [mode for _, _, mode in self.response] == [SET_IF_ABSENT] else None
        stripped = decision._stripped()
        gone = {*stripped, *map(bytes.lower, stripped)}
        #: Fields that the request gets, and those that it gets where it has none of that name.
        self.added: Pairs = []
        self.late: Changes = []
        for name, value, mode in decision._upstream():
            name = name.lower()
            if mode == SET_IF_ABSENT:
                self.late.append((name, value, mode))
                continue
            self.added.append((name, value))
            if mode == SET:
                gone.add(name)
        #: Names of fields that it loses.
        self.gone = frozenset(gone)
        self.changes = bool(self.gone or self.added or self.late)


plans: dict[bytes, Plan] = {}
_KEPT = 256


def plan(decision: Decision) -> Plan:
    """The plan of a decision that lets in."""
    raw = decision._raw
    if type(raw) is not bytes:
        return Plan(decision)
    place = raw[FROM:TO]
    found = plans.get(place)
    if found is None:
        found = Plan(decision)
        # Lists of one decision alone come by as well, such as those of a client that made up fields.
        if len(plans) >= _KEPT:
            plans.clear()
        plans[place] = found
    return found
