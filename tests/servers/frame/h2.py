"""HTTP/2 without encryption, as far as tests need it: any fields in any order, several streams at once, the status of each answer."""

import socket
import struct

from .places import PATIENCE


def _text(value) -> bytes:
    value = value if isinstance(value, bytes) else value.encode("latin-1")
    if len(value) < 127:
        return bytes([len(value)]) + value
    rest, size = len(value) - 127, b"\x7f"
    while rest >= 128:
        size, rest = size + bytes([rest % 128 + 128]), rest // 128
    return size + bytes([rest]) + value


def _status(block: bytes) -> int:
    """The status that a block of fields begins with, as nginx and httpd write it."""
    while block[0] & 0xE0 == 0x20:
        block = block[1:]
    known = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}
    if block[0] in known:
        return known[block[0]]
    if block[0] in (0x08, 0x48) and block[1] == 3:
        return int(block[2:5])
    if block[0] in (0x08, 0x48) and block[1] == 0x82:  # three digits by Huffman's code, five bits each
        bits = int.from_bytes(block[2:4], "big") >> 1
        return sum((bits >> (10 - 5 * n) & 31) * 10 ** (2 - n) for n in range(3))
    raise ValueError(f"no status in {block[:8].hex()}")


class Connection:
    """One connection with as many streams as wanted."""

    def __init__(self, port: int, timeout=PATIENCE):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self._frame(4, 0, 0, b""))
        self.stream, self.kept = -1, b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    @staticmethod
    def _frame(kind, flags, stream, content) -> bytes:
        return struct.pack(">I", len(content))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + content

    def send(self, target, fields=(), method="GET", authority="localhost") -> int:
        """Sends a request; authority None: without :authority. The number of its stream."""
        self.stream += 2
        pairs = [(":method", method), (":scheme", "http"), (":path", target)]
        pairs += [] if authority is None else [(":authority", authority)]
        block = b"".join(b"\x00" + _text(name) + _text(value) for name, value in [*pairs, *fields])
        self.socket.sendall(self._frame(1, 0x5, self.stream, block))
        return self.stream

    def reset(self, stream):
        self.socket.sendall(self._frame(3, 0, stream, struct.pack(">I", 8)))

    def statuses(self, streams) -> dict:
        """The status of each of these streams, once all have ended; 0 for one that was reset."""
        found, ended = {}, set()
        while not ended >= set(streams):
            kind, flags, stream, content = self._read()
            if kind == 1:
                found[stream] = _status(content)
            if kind == 3:
                found.setdefault(stream, 0)
                ended.add(stream)
            if kind in (0, 1) and flags & 1:
                ended.add(stream)
            if kind == 7:
                raise ConnectionError(f"the server ends the connection: {content!r}")
            if kind == 4 and not flags & 1:
                self.socket.sendall(self._frame(4, 1, 0, b""))
        return {stream: found[stream] for stream in streams}

    def ask(self, target, fields=(), **more) -> int:
        stream = self.send(target, fields, **more)
        return self.statuses([stream])[stream]

    def _exactly(self, count):
        while len(self.kept) < count:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the server closed the connection")
            self.kept += data
        found, self.kept = self.kept[:count], self.kept[count:]
        return found

    def _read(self):
        head = self._exactly(9)
        size = int.from_bytes(head[:3], "big")
        return head[3], head[4], struct.unpack(">I", head[5:])[0] & 0x7FFFFFFF, self._exactly(size)
