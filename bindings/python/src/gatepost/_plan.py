"""What a decision changes about a request and its answer, read once for all decisions that share it.

The library lays a list out once for all decisions that have it: the names to strip for a policy, the fields to add for a
person. Decisions whose views point to the same places say the same, as long as one of them lives; a plan keeps one.
"""

from ._library import ffi
from .decision import Decision
from .web import SET, SET_IF_ABSENT, Changes, Pairs

# Where the three lists stand in a view: address and count of each.
_FROM, _TO = ffi.offsetof("gatepost_view", "response_headers"), ffi.offsetof("gatepost_view", "body")


class Plan:
    """The changes of a decision that lets in, names in small letters as ASGI has them."""

    __slots__ = ("_of", "added", "changes", "gone", "late", "response")

    def __init__(self, decision: Decision) -> None:
        self._of = decision
        #: Fields for the answer.
        self.response: Changes = [(name.lower(), value, mode) for name, value, mode in decision._response()]
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


_plans: dict[bytes, Plan] = {}
_KEPT = 256


def plan(decision: Decision) -> Plan:
    """The plan of a decision that lets in."""
    place = decision._raw[_FROM:_TO]
    found = _plans.get(place)
    if found is None:
        found = Plan(decision)
        # Lists of one decision alone come by as well, such as those of a client that made up fields.
        if len(_plans) >= _KEPT:
            _plans.clear()
        _plans[place] = found
    return found
