"""The hot path's memory: where the library writes decisions, and requests laid out as it reads them."""

import struct
from collections import deque
from itertools import chain
from typing import Any

from ._header import RequestFlag
from ._library import ffi

TLS = int(RequestFlag.TLS)
BODY_COMPLETE = int(RequestFlag.BODY_COMPLETE)
CERT_VERIFIED = int(RequestFlag.CERT_VERIFIED)

class _Heads(dict[int, bytes]):
    """How many header fields there are -> how the text of a request begins that has so many, and these flags."""

    def __init__(self, flags: int) -> None:
        super().__init__()
        self._flags = flags

    def __missing__(self, fields: int) -> bytes:
        head = b"%d\n%d" % (self._flags, fields)
        if fields < 128:
            self[fields] = head
        return head


heads = [_Heads(flags) for flags in range(8)]

# How many bytes of a decision there is room for; a larger one the library keeps and hands out.
_ROOM = 8192
#: Where the decision begins in the memory of a place: behind the struct.
BEGIN = ffi.sizeof("gatepost_place")

#: Where the library writes: gatepost_place *, and it and the decision behind it as bytes.
Place = tuple[Any, Any]

#: Of the bytes of a place: the decision that the library kept; of the one that it wrote mark, size, action and length of the
#: id.
written = struct.Struct(
    f"@{ffi.offsetof('gatepost_place', 'decision')}xP"
    f"{ffi.offsetof('gatepost_place', 'mark') - ffi.offsetof('gatepost_place', 'job')}xQ"
    f"{BEGIN - ffi.offsetof('gatepost_place', 'mark') - 8}xI"
    f"{ffi.offsetof('gatepost_flat', 'action') - 4}xI"
    f"{ffi.offsetof('gatepost_flat', 'id') - ffi.offsetof('gatepost_flat', 'action') - 4}xI"
).unpack_from

# As many as were ever wanted at once. Whoever takes one owns it until it is put back: so does a signal handler, a
# finalizer or a callback that decides while another decision is under way, which takes another. A list gives its memory
# back with its last item, and asks for it again with the next.
free: deque[Place] = deque()


def new_place() -> Place:
    """Memory for one decision."""
    # Of large numbers, so that it is aligned for structs.
    memory = ffi.new("uint64_t[]", (BEGIN + _ROOM) // 8)
    place = ffi.cast("gatepost_place *", memory)
    place.struct_size = BEGIN
    place.memory = ffi.cast("gatepost_flat *", place + 1)
    place.room = _ROOM
    # The bytes hold the memory.
    return place, ffi.buffer(memory)


_FORMATS = {"size_t": "N", "uint32_t": "I", "int32_t": "i", "int64_t": "q", "uint64_t": "Q"}
_FORMATS |= {f"gatepost_{name}": "I" for name in ("action", "reason")}


def layout(kind: str) -> struct.Struct:
    """The format of a struct, in an order that is taken from its declaration; a string is two numbers: address, length."""
    letters = "@"
    for _, field in ffi.typeof(kind).fields:
        cname = field.type.cname.removeprefix("struct ")
        letters += "PN" if cname == "gatepost_str" else "P" if field.type.kind == "pointer" else _FORMATS[cname]
    made = struct.Struct(letters)
    if not made.size <= ffi.sizeof(kind) < made.size + 8:
        raise ImportError(f"{kind} is laid out in a way that this package does not know")
    return made


_REQUEST, _HEADER = layout("gatepost_request"), layout("gatepost_header")
_SIZE = ffi.sizeof("gatepost_request")


class Laid:
    """A request as the library's struct, and the strings behind it: for what no text of a request can say."""

    __slots__ = ("memory", "pointer")

    def __init__(
        self, strings: tuple[bytes, ...], headers: list[tuple[bytes, bytes]], flags: int, now: int = 0, tag: int = 0
    ) -> None:
        """strings: method, target, host, peer, request id, client certificate, body."""
        every = [*strings, *chain.from_iterable(headers)]
        # The array stands first, where it is aligned.
        array = _HEADER.size * len(headers)
        data = b"".join(every)
        # Of large numbers, so that it is aligned for structs.
        self.memory = ffi.new("uint64_t[]", (_SIZE + array + len(data) + 7) // 8)
        self.pointer = ffi.cast("gatepost_request *", self.memory)
        view = ffi.buffer(self.memory)
        base = int(ffi.cast("uintptr_t", self.memory)) + _SIZE
        numbers: list[int] = []
        place = base + array
        for string in every:
            numbers += (place, len(string))
            place += len(string)
        view[_SIZE + array : _SIZE + array + len(data)] = data
        for index in range(len(headers)):
            at = 14 + 4 * index
            _HEADER.pack_into(view, _SIZE + index * _HEADER.size, *numbers[at : at + 4], 0, 0)
        _REQUEST.pack_into(view, 0, _SIZE, *numbers[:14], base, len(headers), 0, 0, flags, now, tag)
