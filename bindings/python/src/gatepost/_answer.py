"""What a decision says besides its id, which alone is every decision's own: read once for all that say the same."""

import struct
from typing import Any, NamedTuple

from ._header import Action
from ._library import Borrowed, ffi, lib, octets
from ._memory import layout
from .errors import failure

# name, value, mode
Fields = list[tuple[bytes, bytes, int]]

_HEAD = layout("gatepost_flat")
# The table behind it: for each header field lengths and mode, for each name to strip its length.
_FIELD, _LENGTH = struct.Struct("@III"), struct.Struct("@I")
# Where among the numbers the lengths of the strings begin.
GENERATION, STATUS, REASON, RETRY_AFTER, ID, _TEXTS = 2, 4, 5, 6, 7, 8
LETS_IN = (int(Action.ALLOW), int(Action.PASS))


class Parts(NamedTuple):
    """All that stands behind the numbers of an answer. Roles and scopes are joined as the library joins them."""

    subject: str
    issuer: str
    scheme: str
    roles: str
    scopes: str
    response: Fields
    upstream: Fields
    strip: list[bytes]
    body: bytes


class Answer:
    """A `gatepost_flat`, of which the id that stands behind it is no part."""

    __slots__ = ("_numbers", "_parts", "_raw", "action", "environ", "plan")

    #: What to do.
    action: int
    #: What it changes about a request, once the middleware for ASGI or WSGI has asked; only of one that lets in.
    plan: Any
    environ: Any

    # Filled in where they are made, without a constructor, which would cost as much as all of these: for a refusal, which
    # no other decision shares, with no more than these. The rest is read when it is first asked for.
    _raw: bytes
    _numbers: tuple[int, ...] | None
    _parts: Parts | None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the struct, in their order."""
        found = self._numbers
        if found is None:
            found = self._numbers = _HEAD.unpack_from(self._raw)
        return found

    @property
    def parts(self) -> Parts:
        """What stands behind them."""
        found = self._parts
        if found is None:
            found = self._parts = self._read()
        return found

    def _read(self) -> Parts:
        raw = self._raw
        # A newer library may have more numbers: the table begins where it says.
        table = self.numbers[1]
        *texts, responses, upstreams, strips, body = self.numbers[_TEXTS:]
        fields = table + _FIELD.size * (responses + upstreams)
        names = fields + _LENGTH.size * strips
        place = names

        def take(length: int) -> bytes:
            nonlocal place
            place += length
            return raw[place - length : place]

        words = [take(length).decode("utf-8", "replace") for length in texts]
        every = [(take(name), take(value), mode) for name, value, mode in _FIELD.iter_unpack(raw[table:fields])]
        stripped = [take(length) for (length,) in _LENGTH.iter_unpack(raw[fields:names])]
        subject, issuer, scheme, roles, scopes = words
        return Parts(subject, issuer, scheme, roles, scopes, every[:responses], every[responses:], stripped, take(body))


# By the mark that the library gives them, or, of those that it did not write, by their octets. Bounded: there may be any
# number of persons, and some lists are one client's alone, who made up fields.
answers: dict[int | bytes, Answer] = {}
KEPT = 2048


def learn(key: int | bytes, raw: bytes, action: int) -> Answer:
    """The answer of a decision, where it is not among those that are known."""
    answer: Answer = object.__new__(Answer)
    answer._raw = raw
    answer._numbers = answer._parts = None
    answer.action = action
    # The body of a refusal has its id.
    if action in LETS_IN:
        answer.plan = answer.environ = None
        if len(answers) >= KEPT:
            answers.clear()
        answers[key] = answer
    return answer


def flattened(pointer: Any) -> tuple[bytes, int, bytes]:
    """The answer, its action and the id of a decision that the library handed out, as it would have written them; it is ended."""
    view = ffi.new("gatepost_view *")
    view.struct_size = ffi.sizeof("gatepost_view")
    try:
        status = lib.gatepost_decision_view(pointer, view)
        if status:
            raise failure(status)
        ident = octets(view.id)
        words = [octets(view.subject), octets(view.issuer), octets(view.scheme)]
        for name in ("roles", "scopes"):
            borrowed = Borrowed()
            words.append(octets(lib.gatepost_decision_attribute(pointer, borrowed.text(name))))
        response, upstream = (
            [(octets(array[index].name), octets(array[index].value), array[index].mode) for index in range(count)]
            for array, count in (
                (view.response_headers, view.response_header_count),
                (view.upstream_headers, view.upstream_header_count),
            )
        )
        strip = [octets(view.strip[index]) for index in range(view.strip_count)]
        body = octets(view.body)
        numbers = (view.generation, view.action, view.status, view.reason, view.retry_after)
    finally:
        lib.gatepost_decision_free(pointer)
    fields = [*response, *upstream]
    table = [_FIELD.pack(len(name), len(value), mode) for name, value, mode in fields]
    table += [_LENGTH.pack(len(name)) for name in strip]
    strings = [*words, *(part for name, value, _ in fields for part in (name, value)), *strip, body]
    behind = b"".join([*table, *strings])
    counts = [*map(len, (ident, *words)), len(response), len(upstream), len(strip), len(body)]
    size = _HEAD.size + len(behind) + len(ident)
    return _HEAD.pack(size, _HEAD.size, *numbers, *counts) + behind, numbers[1], ident
