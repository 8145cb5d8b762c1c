"""What is handed in arrives as it is: no name or value is ever read as something else."""

import pytest

import gatepost
from gatepost import Reason, _memory
from gatepost._library import ffi

from .conftest import ask

ODD = [
    (("X-A", "1\r\nAuthorization: Basic x"), 400),
    (("X-A", "1\nb"), 400),
    (("X-A", "1\rb"), 400),
    (("X-A", "1\0b"), 400),
    (("X-A\r\nX-B", "1"), 400),
    (("X-A: 1", "2"), 400),
    (("X-A:", "2"), 400),
    (("", "2"), 400),
    ((" X-A", "2"), 400),
    (("X A", "2"), 400),
    (("X-\xe9", "2"), 400),
    (("X-A", "\xe9\xff"), 200),
    (("X-A", ""), 200),
    (("X-A", "  padded  "), 200),
    (("X-" + "a" * 100, "2"), 200),
]


@pytest.mark.parametrize(("header", "status"), ODD)
def test_odd_header_fields_are_the_engines_to_judge(
    engine: gatepost.Engine, header: tuple[str, str], status: int
) -> None:
    decision = ask(engine, "/public", header)
    assert decision.status == status
    if status == 400:
        assert decision.reason is Reason.REQUEST_MALFORMED


def fields_of(laid: _memory.Laid) -> list[tuple[bytes, bytes]]:
    """Reads a request back, however its fields were laid out."""
    request = laid._pointer
    block = bytes(ffi.buffer(request.header_block.ptr, request.header_block.len))
    if block:
        pairs = [line.split(b": ", 1) for line in block.split(b"\r\n")[:-1]]
        return [(name, value) for name, value in pairs]
    array = [request.headers[index] for index in range(request.header_count)]

    def octets(text: object) -> bytes:
        return bytes(ffi.buffer(text.ptr, text.len))  # type: ignore[attr-defined]

    return [(octets(field.name), octets(field.value)) for field in array]


@pytest.mark.parametrize("header", [header for header, _ in ODD])
def test_fields_are_laid_out_as_they_are(header: tuple[str, str]) -> None:
    name, value = header[0].encode("latin-1"), header[1].encode("latin-1")
    pairs = [(b"host", b"a"), (name, value), (b"accept", b"*/*")]
    laid = _memory.Laid()
    laid.whole((b"GET", b"/x?y", b"h", b"192.0.2.1", b"id", b"cert", b"body"), pairs, 7, 11, 13)
    assert fields_of(laid) == pairs
    request = laid._pointer
    strings = ["method", "target", "host", "peer", "request_id", "client_cert_der", "body"]
    read = [bytes(ffi.buffer(getattr(request, each).ptr, getattr(request, each).len)) for each in strings]
    assert read == [b"GET", b"/x?y", b"h", b"192.0.2.1", b"id", b"cert", b"body"]
    assert (request.flags, request.now, int(ffi.cast("uintptr_t", request.user))) == (7, 11, 13)
    assert request.struct_size == ffi.sizeof("gatepost_request")
    lines = _memory.block(pairs)
    if lines is not None:
        plain = _memory.Laid()
        plain.plain(b"GET", b"/x?y", b"192.0.2.1", lines, 5)
        assert fields_of(plain) == pairs and plain._pointer.flags == 5
        assert bytes(ffi.buffer(plain._pointer.peer.ptr, plain._pointer.peer.len)) == b"192.0.2.1"


def test_memory_grows_and_is_used_again(engine: gatepost.Engine) -> None:
    for size in (1, 100, 9000, 10, 70_000):
        laid = _memory.take()
        lines = _memory.block([(b"host", b"a"), (b"x", b"v" * size)])
        assert lines is not None
        laid.plain(b"GET", b"/public", b"", lines, 0)
        decision = engine.decide(laid)  # type: ignore[arg-type]
        assert decision.status == (200 if size < 16_000 else 431), size
        _memory.give(laid)
        assert (laid in _memory.free) == (size < 70_000)
    assert all(kept.room <= 1 << 16 for kept in _memory.free)


def test_clients_cannot_fill_the_memory_of_names() -> None:
    for number in range(5000):
        assert _memory.block([(b"x-%d" % number, b"")])
    assert len(_memory.names) <= 1024
    assert _memory.block([(b"x" * 5000, b"1")]) == b"x" * 5000 + b": 1\r\n"


def test_nothing_of_a_request_is_shown_in_logs() -> None:
    request = gatepost.Request("GET", "/orders?token=secret", {"Authorization": "Basic c2VjcmV0"})
    assert repr(request) == "<gatepost.Request b'GET' b'/orders'>"


def test_the_peer_counts(engine: gatepost.Engine) -> None:
    text = """
[engine]
state = ":memory:"
[[route]]
path = "/inside"
schemes = ["basic"]
require = { network = ["10.0.0.0/8"] }
"""
    with gatepost.Engine.from_text(text) as other:
        assert ask(other, "/inside", peer="10.1.2.3").reason is Reason.CREDENTIALS_MISSING
        assert ask(other, "/inside", peer="192.0.2.1").reason is Reason.NETWORK_NOT_ALLOWED
        assert ask(other, "/inside", peer="").reason is Reason.NETWORK_NOT_ALLOWED


def test_what_is_no_text_is_no_request() -> None:
    more = {"host": 5, "peer": 5, "request_id": 5, "client_cert": 5, "body": 5, "now": "noon", "tag": 1.5}
    for name, value in more.items():
        with pytest.raises(TypeError):
            gatepost.Request("GET", "/", **{name: value})  # type: ignore[arg-type]
    # `bytes(5)` would be five NULs.
    for wrong in ((5, "/"), ("GET", 5), ("GET", "/", [("Host", 5)]), ("GET", "/", [(5, "a")]), (None, "/")):
        with pytest.raises(TypeError, match="text or bytes are wanted"):
            gatepost.Request(*wrong)  # type: ignore[arg-type]
    for name, number in (("now", 1 << 63), ("tag", -1), ("tag", 1 << 63)):
        with pytest.raises(ValueError, match=name):
            gatepost.Request("GET", "/", **{name: number})  # type: ignore[arg-type]
    whole = gatepost.Request(b"GET", bytearray(b"/"), [(b"Host", memoryview(b"a"))], now=(1 << 63) - 1, tag=1)  # type: ignore[arg-type, list-item]
    assert whole.target == b"/"
