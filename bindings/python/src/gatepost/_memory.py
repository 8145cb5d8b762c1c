"""The hot path's memory: requests laid out and views read with few calls.

A struct of the header is written and read as a tuple of numbers, in an order that is taken from its declaration.
"""

import struct
from typing import Any

from ._header import RequestFlag
from ._library import ffi

_FORMATS = {"size_t": "N", "uint32_t": "I", "int32_t": "i", "int64_t": "q", "uint64_t": "Q"}


def layout(kind: str) -> tuple[struct.Struct, dict[str, int]]:
    """The format of a struct and the place of each field among its numbers; a string is two: address and length."""
    letters, places = "@", {}
    count = 0
    for name, field in ffi.typeof(kind).fields:
        places[name] = count
        cname = field.type.cname
        if cname.removeprefix("struct ") == "gatepost_str":
            letters, count = letters + "PN", count + 2
        elif field.type.kind == "pointer":
            letters, count = letters + "P", count + 1
        else:
            letters, count = letters + _FORMATS[cname], count + 1
    made = struct.Struct(letters)
    if not made.size <= ffi.sizeof(kind) < made.size + 8:
        raise ImportError(f"{kind} is laid out in a way that this package does not know")
    return made, places


VIEW, VIEW_PLACE = layout("gatepost_view")
_REQUEST, _ = layout("gatepost_request")
_HEADER, _ = layout("gatepost_header")
_STR, _ = layout("gatepost_str")

_SIZE = ffi.sizeof("gatepost_request")
_ROOM = 4096
# Larger memory than this is not kept for the next request.
KEPT = 1 << 16
_pack = _REQUEST.pack_into


def _only(kind: str, *names: str) -> struct.Struct:
    """The format of some fields of a struct; packing makes all others zero."""
    letters = "@"
    for name, field in ffi.typeof(kind).fields:
        size = ffi.sizeof(field.type)
        aligned = {"gatepost_str": "PN", "size_t": "N", "uint32_t": "I"}.get(field.type.cname.removeprefix("struct "))
        letters += aligned if aligned and name in names else f"{size}x"
    return struct.Struct(letters)


_pack_plain = _only("gatepost_request", "struct_size", "method", "target", "peer", "header_block", "flags").pack_into

TLS = int(RequestFlag.TLS)
BODY_COMPLETE = int(RequestFlag.BODY_COMPLETE)
CERT_VERIFIED = int(RequestFlag.CERT_VERIFIED)


def new_output() -> tuple[Any, Any, Any, Any]:
    """Where the library puts its answers: decision **, view *, the view's bytes, job **."""
    view = ffi.new("gatepost_view *")
    view.struct_size = ffi.sizeof("gatepost_view")
    return ffi.new("gatepost_decision **"), view, ffi.buffer(view), ffi.new("gatepost_job **")


class Laid:
    """One request as the library reads it: the struct, and the strings behind it."""

    __slots__ = ("_pointer", "base", "memory", "output", "room", "view")

    # Of those that `take` gives.
    output: tuple[Any, Any, Any, Any]

    def __init__(self, room: int = _ROOM) -> None:
        self.room = room
        # Of large numbers, so that it is aligned for structs.
        self.memory = ffi.new("uint64_t[]", (_SIZE + room + 7) // 8)
        self._pointer = ffi.cast("gatepost_request *", self.memory)
        self.base = int(ffi.cast("uintptr_t", self.memory)) + _SIZE
        self.view = memoryview(ffi.buffer(self.memory)).cast("B")

    def plain(self, method: bytes, target: bytes, peer: bytes, block: bytes, flags: int) -> None:
        """Lays out what most requests have."""
        data = b"".join((method, target, peer, block))
        size = len(data)
        if size > self.room:
            self.__init__(size)  # type: ignore[misc]
        self.view[_SIZE : _SIZE + size] = data
        at = self.base
        m, t, p = len(method), len(target), len(peer)
        end = at + m + t
        _pack_plain(self.view, 0, _SIZE, at, m, at + m, t, end, p, end + p, len(block), flags)

    def whole(self, strings: tuple[bytes, ...], headers: list[tuple[bytes, bytes]], flags: int, now: int, tag: int) -> None:
        """Lays out everything that a request can have.

        strings: method, target, host, peer, request id, client certificate, body.
        """
        lines = block(headers)
        if lines is None:
            self._array(strings, headers, flags, now, tag)
            return
        data = b"".join(strings) + lines
        if len(data) > self.room:
            self.__init__(len(data))  # type: ignore[misc]
        self.view[_SIZE : _SIZE + len(data)] = data
        numbers: list[int] = []
        place = self.base
        for string in strings:
            numbers += (place, len(string))
            place += len(string)
        _pack(self.view, 0, _SIZE, *numbers, 0, 0, place, len(lines), flags, now, tag)

    def _array(
        self, strings: tuple[bytes, ...], headers: list[tuple[bytes, bytes]], flags: int, now: int, tag: int
    ) -> None:
        # Whatever the header fields hold: it is the engine's to refuse.
        every = list(strings)
        for pair in headers:
            every += pair
        data = b"".join(every)
        # The array stands first, where it is aligned.
        array = _HEADER.size * len(headers)
        if array + len(data) > self.room:
            self.__init__(array + len(data))  # type: ignore[misc]
        numbers: list[int] = []
        place = self.base + array
        for string in every:
            numbers += (place, len(string))
            place += len(string)
        self.view[_SIZE + array : _SIZE + array + len(data)] = data
        for index in range(len(headers)):
            at = 14 + 4 * index
            _HEADER.pack_into(self.view, _SIZE + index * _HEADER.size, *numbers[at : at + 4], 0, 0)
        _pack(self.view, 0, _SIZE, *numbers[:14], self.base, len(headers), 0, 0, flags, now, tag)


# As many as were ever taken at once.
free: list[Laid] = []


def take() -> Laid:
    """Memory for one request and its answer, nobody else's until `give`: also in a signal handler, a finalizer or a
    callback."""
    try:
        return free.pop()
    except IndexError:
        laid = Laid()
        laid.output = new_output()
        return laid


def give(laid: Laid) -> None:
    """Hands memory back for the next request."""
    if laid.room <= KEPT:
        free.append(laid)


class _Names(dict[bytes, bytes]):
    """Names of header fields that may stand in a block, each with its colon. Bounded: clients make up names."""

    def __missing__(self, name: bytes) -> bytes:
        if not name or name.translate(None, _TOKEN):
            raise ValueError
        line = name + b": "
        if len(self) < 1024 and len(name) < 64:
            self[name] = line
        return line


_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
names = _Names()


class _TextNames(dict[str, str]):
    """The same for names that are text."""

    def __missing__(self, name: str) -> str:
        line = names[name.encode("latin-1")].decode("latin-1")
        if len(self) < 1024 and len(name) < 64:
            self[name] = line
        return line


_text_names = _TextNames()


def text_block(headers: Any) -> bytes | None:
    """As `block`, of fields that are text; None also where they are not, or not all of ISO 8859-1."""
    try:
        fields = [_text_names[name] + value for name, value in headers]
        if breaks("".join(fields).encode("latin-1")):
            return None
        fields.append("")
        return "\r\n".join(fields).encode("latin-1")
    except (AttributeError, TypeError, ValueError):
        return None


def block(headers: Any) -> bytes | None:
    """Header fields as lines, or None where they must go as an array, because a name or value could be read as more."""
    try:
        fields = [names[name] + value for name, value in headers]
    except ValueError:
        return None
    if breaks(b"".join([value for _, value in headers])):
        return None
    # For the last line break.
    fields.append(b"")
    return b"\r\n".join(fields)


def breaks(values: bytes) -> bool:
    """Whether a value holds what ends a line, or a text. (`in` would be slower: it asks first whether it is a number.)"""
    return values.find(b"\n") >= 0 or values.find(b"\r") >= 0 or values.find(b"\0") >= 0


# All memory as one run of bytes, of which only what the library handed out is ever read: the quickest copy there is.
_memory = ffi.buffer(ffi.cast("char *", 0), 2 ** (8 * struct.calcsize("P") - 1) - 1)


def read(address: int, size: int) -> bytes:
    """Copies bytes that the library owns."""
    return bytes(_memory[address : address + size])


def headers_at(address: int, count: int) -> list[tuple[bytes, bytes, int]]:
    """Copies an array of header fields: name, value, mode."""
    if not count:
        return []
    memory = _memory
    return [
        (memory[name : name + n], memory[value : value + v], mode)
        for name, n, value, v, mode, _ in _HEADER.iter_unpack(memory[address : address + count * _HEADER.size])
    ]


def strings_at(address: int, count: int) -> list[bytes]:
    """Copies an array of strings."""
    if not count:
        return []
    memory = _memory
    return [memory[at : at + n] for at, n in _STR.iter_unpack(memory[address : address + count * _STR.size])]
