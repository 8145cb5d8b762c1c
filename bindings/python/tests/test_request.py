"""What is handed in arrives as it is: no name or value is ever read as something else."""

from typing import Any

import pytest

import gatepost
from gatepost import Reason, _answer, _memory
from gatepost._library import ffi

from .conftest import Place, ask

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


@pytest.mark.parametrize("header", [header for header, _ in ODD])
def test_requests_are_laid_out_as_they_are(header: tuple[str, str]) -> None:
    name, value = header[0].encode("latin-1"), header[1].encode("latin-1")
    pairs = [(b"host", b"a"), (name, value), (b"accept", b"*/*")]
    laid = _memory.Laid((b"GET", b"/x?y", b"h", b"192.0.2.1", b"id", b"cert", b"body"), pairs, 7, 11, 13)
    request = laid.pointer

    def octets(text: Any) -> bytes:
        return bytes(ffi.buffer(text.ptr, text.len))

    array = [request.headers[index] for index in range(request.header_count)]
    assert [(octets(field.name), octets(field.value)) for field in array] == pairs
    strings = ["method", "target", "host", "peer", "request_id", "client_cert_der", "body"]
    assert [octets(getattr(request, each)) for each in strings] == [
        b"GET", b"/x?y", b"h", b"192.0.2.1", b"id", b"cert", b"body",
    ]  # fmt: skip
    assert (request.flags, request.now, int(ffi.cast("uintptr_t", request.user))) == (7, 11, 13)
    assert request.struct_size == ffi.sizeof("gatepost_request")


@pytest.mark.parametrize("kind", [str, bytes])
def test_a_request_is_one_text_where_that_says_all(kind: type) -> None:
    def request(value: str, **more: Any) -> gatepost.Request:
        text, name = (value, "X-A") if kind is str else (value.encode(), b"X-A")
        return gatepost.Request("GET", "/a", [(name, text)], peer="192.0.2.7", tls=True, **more)

    assert request("1")._text == b"1\n1\nGET\n/a\n192.0.2.7\nX-A\n1"
    assert gatepost.Request()._text == b"0\n0\nGET\n/\n"
    for odd in (request("1\n2"), request("1", host="a"), request("1", now=1), request("1", request_id="a")):
        assert odd._text is None
    # What wants the struct gets it.
    laid = request("1")._laid().pointer
    assert laid.flags == _memory.TLS and laid.header_count == 1
    assert bytes(ffi.buffer(laid.headers[0].value.ptr, laid.headers[0].value.len)) == b"1"


def test_a_decision_for_which_there_is_no_room_says_the_same(engine: gatepost.Engine) -> None:
    def everything(target: str) -> list[object]:
        decision = ask(engine, target)
        names = [name for name in dir(gatepost.Decision) if not name.startswith("_") and name not in ("attribute", "close")]
        return [decision.body.replace(decision.id.encode(), b"")] + [
            getattr(decision, name) for name in names if name not in ("id", "body", "response_headers")
        ]

    for target in ("/public", "/private", "/nowhere"):
        usual = everything(target)
        place, memory = _memory.new_place()
        place.room = 80
        before = list(_memory.free)
        _memory.free.clear()
        _memory.free.append((place, memory))
        try:
            assert everything(target) == usual
            assert place.decision != ffi.NULL and list(_memory.free) == [(place, memory)]
        finally:
            _memory.free.clear()
            _memory.free.extend(before)


def test_clients_cannot_fill_the_memory(engine: gatepost.Engine) -> None:
    for fields in range(300):
        _memory.heads[0][fields]
    assert len(_memory.heads[0]) <= 128 and _memory.heads[3][300] == b"3\n300"
    # No refusal is kept: each has an id in its body.
    ask(engine, "/public")
    ask(engine, "/private")
    assert _answer.answers
    assert all(answer.action in _answer.LETS_IN for answer in _answer.answers.values())


def test_a_mark_that_two_answers_have_in_common_mixes_nobody_up(orders: gatepost.Engine, place: Place) -> None:
    def seen(target: str, *headers: tuple[str, str]) -> Any:
        decision = ask(orders, target, *headers)
        return decision._answer, decision.id, decision.subject, decision.reason, decision.upstream_headers

    key = ("X-API-Key", place.key)
    # The first one is a job's.
    public, _, alice = seen("/health"), seen("/orders/7", key), seen("/orders/7", key)
    assert (alice[2], public[2]) == ("alice", None)
    again = seen("/orders/7", key)
    assert again[0] is alice[0] and again[1] != alice[1] and again[2:] == alice[2:]
    (mark,) = [number for number, answer in _answer.answers.items() if answer is alice[0]]
    # Another person of a name as long, and what has nothing in common with it.
    other = _answer.learn(-1, alice[0]._raw.replace(b"alice", b"frank"), alice[0].action)
    for wrong in (other, public[0]):
        _answer.answers[mark] = wrong
        for _ in range(2):
            assert seen("/orders/7", key)[2:] == alice[2:]
    del _answer.answers[-1]


def test_the_answers_that_are_kept_are_bounded() -> None:
    before = dict(_answer.answers)
    try:
        for number in range(_answer.KEPT + 5):
            raw = bytearray(_answer._HEAD.size)
            raw[4:8], raw[8:16], raw[16:20] = (len(raw)).to_bytes(4, "little"), number.to_bytes(8, "little"), b"\1\0\0\0"
            assert _answer.learn(number, bytes(raw), 1).numbers[_answer.GENERATION] == number
            assert _answer.learn(-1, bytes(raw) + b"0", 0) not in _answer.answers.values()
            assert len(_answer.answers) <= _answer.KEPT
    finally:
        _answer.answers.clear()
        _answer.answers.update(before)


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
            gatepost.Request(*wrong)
    for text in ("Host: x", b"Host: x"):
        with pytest.raises(TypeError, match="pairs of a name and a value"):
            gatepost.Request("GET", "/", text)  # type: ignore[arg-type]
    for name, number in (("now", 1 << 63), ("tag", -1), ("tag", 1 << 63)):
        with pytest.raises(ValueError, match=name):
            gatepost.Request("GET", "/", **{name: number})  # type: ignore[arg-type]
    whole = gatepost.Request(b"GET", bytearray(b"/"), [(b"Host", memoryview(b"a"))], now=(1 << 63) - 1, tag=1)  # type: ignore[arg-type, list-item]
    assert whole.target == b"/"
