"""One HTTP request, as the client sent it."""

from collections.abc import Iterable, Mapping
from typing import Any, Union

from ._memory import BODY_COMPLETE, CERT_VERIFIED, TLS, Laid, heads

Text = Union[str, bytes]
#: Header fields: pairs in the order received, repeated ones one by one; or a mapping where none is repeated.
Headers = Union[Mapping[str, str], Iterable[tuple[Text, Text]]]


def octets(value: Text) -> bytes:
    """Bytes as they are, text as ISO 8859-1, in which servers hand out what came over the wire."""
    if isinstance(value, str):
        try:
            return value.encode("latin-1")
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogateescape")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    # `bytes(5)` would be five NULs.
    raise TypeError(f"text or bytes are wanted, not {type(value).__name__}")


def _joined(head: bytes, method: bytes, target: bytes, peer: bytes, every: list[Any]) -> bytes:
    """A request in one text: as `gatepost_decide_text` has it, where no string has a line break in it."""
    try:
        # Text all at once, which is quicker.
        behind = "\n".join(every).encode("latin-1")
    except (TypeError, UnicodeEncodeError):
        behind = b"\n".join(map(octets, every))
    return b"\n".join((head, method, target, peer, behind) if every else (head, method, target, peer))


def number(name: str, value: int, least: int) -> int:
    """A number that the library can take."""
    if not isinstance(value, int):
        raise TypeError(f"{name} is a whole number, not {type(value).__name__}")
    if not least <= value < 1 << 63:
        raise ValueError(f"{name} is from {least} to 2**63 - 1")
    return value


class Request:
    """What the engine needs to know of a request. It does not change, and may be decided on any number of times.

    method: as received.
    target: the raw request-target, not decoded, with its query: "/orders/7?x=1". Without the "/" it is refused.
    headers: all fields, complete, in the order received; see `Headers`.
    host: `:authority` of HTTP/2; empty: the Host field counts.
    peer: address of the direct peer, with or without a port, or "unix:". Empty: nobody in particular; then no
        requirement on networks holds and all such clients share one counter of failures.
    tls: whether the connection to the direct peer is TLS.
    request_id: your own id for the request; empty: the engine draws one.
    client_cert: the client certificate of the connection in DER, from a handshake in which the client proved its key.
    cert_verified: whether you verified that certificate up to an authority. Without it, it says nothing of who asks.
    body: only where `Engine.wants_body` asks for it.
    now: Unix seconds to decide at; 0: the engine's clock.
    tag: a number of your own that the events of this request carry, from 1 to 2**63 - 1; 0: none.
    """

    __slots__ = ("__weakref__", "_flags", "_made", "_text", "method", "target")

    def __init__(
        self,
        method: Text = "GET",
        target: Text = "/",
        headers: Headers = (),
        *,
        host: Text = b"",
        peer: Text = b"",
        tls: bool = False,
        request_id: Text = b"",
        client_cert: bytes = b"",
        cert_verified: bool = False,
        body: bytes | None = None,
        now: int = 0,
        tag: int = 0,
    ) -> None:
        pairs: Any = headers
        if type(pairs) is not list:
            if isinstance(headers, (str, bytes)):
                raise TypeError("headers are pairs of a name and a value, or a mapping, not one text")
            if isinstance(headers, Mapping):
                pairs = headers.items()
            elif iter(headers) is headers:
                pairs = list(headers)
        flags = (TLS if tls else 0) | (CERT_VERIFIED if cert_verified else 0) | (BODY_COMPLETE if body is not None else 0)
        #: The method, as given.
        self.method = octets(method)
        #: The target, as given.
        self.target = octets(target)
        every = [part for name, value in pairs for part in (name, value)]
        self._flags = flags
        self._made: Laid | None = None
        self._text: bytes | None = None
        if not (host or request_id or client_cert or body or now or tag):
            # What most have.
            text = _joined(heads[flags][len(every) // 2], self.method, self.target, octets(peer), every)
            if text.count(b"\n") == len(every) + 4:
                self._text = text
                return
        octet = [octets(part) for part in every]
        strings = (
            self.method,
            self.target,
            octets(host),
            octets(peer),
            octets(request_id),
            octets(client_cert),
            b"" if body is None else octets(body),
        )
        fields = list(zip(octet[::2], octet[1::2]))
        self._made = Laid(strings, fields, flags, number("now", now, -1 << 63), number("tag", tag, 0))

    def _laid(self) -> Laid:
        """As the library's struct."""
        made, text = self._made, self._text
        if made is None and text is not None:
            _, _, method, target, peer, *every = text.split(b"\n")
            strings = (method, target, b"", peer, b"", b"", b"")
            made = self._made = Laid(strings, list(zip(every[::2], every[1::2])), self._flags)
        assert made is not None
        return made

    def __repr__(self) -> str:
        # Neither query nor header fields: they may hold secrets, and this ends up in logs.
        return f"<gatepost.Request {self.method!r} {self.target.split(b'?')[0]!r}>"

    def __reduce__(self) -> Any:
        raise TypeError("a Request is not copied: it does not change")
