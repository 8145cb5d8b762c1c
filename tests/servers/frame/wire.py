"""A client on a bare socket: sends exactly the octets it is told to, and shows exactly what came."""

import base64
import json
import socket
import ssl
from dataclasses import dataclass, field

from .places import PATIENCE


class Ended(Exception):
    """The server closed the connection where an answer was expected."""


@dataclass
class Response:
    """One answer, as it came."""

    status: int
    phrase: str
    fields: list = field(default_factory=list)
    body: bytes = b""

    def all(self, name: str) -> list:
        """The values of all fields of that name, in order."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name: str, default=None):
        """The value of the first field of that name."""
        return next(iter(self.all(name)), default)

    def json(self):
        return json.loads(self.body)


def octets(text) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


def basic(user: str, password: str) -> tuple:
    """The field that carries a name and a password."""
    return ("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())


def request(target="/", method="GET", host="localhost", fields=(), body=b"", version="HTTP/1.1") -> bytes:
    """The octets of a request. Host comes first unless it is None; Content-Length where there is a body and no field for it."""
    lines = [octets(method) + b" " + octets(target) + b" " + octets(version)]
    if host is not None:
        lines.append(b"Host: " + octets(host))
    lines += [octets(name) + b": " + octets(value) for name, value in fields]
    names = {octets(name).lower() for name, _ in fields}
    if body and not names & {b"content-length", b"transfer-encoding"}:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + octets(body)


class Connection:
    """One connection, kept until closed. tls: an ssl.SSLContext. path: a Unix socket in place of the port."""

    def __init__(self, port=None, tls=None, host="127.0.0.1", server_name="localhost", timeout=PATIENCE, path=None):
        if path is not None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(str(path))
        else:
            self.socket = socket.create_connection((host, port), timeout=timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)
        self.kept = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data: bytes):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # a server may answer and close before it has read everything

    def ask(self, target="/", **more) -> Response:
        """Sends a request (see `request`) and reads its answer."""
        self.send(request(target, **more))
        return self.read(head=more.get("method") == "HEAD")

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError):
            data = b""
        self.kept += data
        return bool(data)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self.kept:
            if not self._more():
                raise Ended(f"after {self.kept[:200]!r}")
        found, self.kept = self.kept.split(mark, 1)
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self.kept) < count:
            if not self._more():
                raise Ended(f"{count - len(self.kept)} octets of the body are missing")
        found, self.kept = self.kept[:count], self.kept[count:]
        return found

    def read(self, head=False) -> Response:
        """The next answer that is not 100-continue. head: it answers HEAD, and so has no body."""
        while True:
            lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            parts = lines[0].split(" ", 2)
            if not parts[0].startswith("HTTP/"):
                raise Ended(f"no answer: {lines[0]!r}")
            answer = Response(int(parts[1]), parts[2] if len(parts) > 2 else "")
            answer.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
            if answer.status != 100:
                break
        if head or answer.status in (204, 304):
            return answer
        if "chunked" in (answer.get("Transfer-Encoding") or "").lower():
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                answer.body += self._exactly(size)
                self._exactly(2)
            while self._until(b"\r\n"):
                pass
        elif (length := answer.get("Content-Length")) is not None:
            answer.body = self._exactly(int(length))
        else:
            while self._more():
                pass
            answer.body, self.kept = self.kept, b""
        return answer

    def ended(self, within=PATIENCE) -> bool:
        """Whether the server has closed the connection, or does so in time."""
        self.socket.settimeout(within)
        try:
            return not self._more()
        except TimeoutError:
            return False


def ask(port: int, target="/", tls=None, **more) -> Response:
    """One request on a connection of its own."""
    with Connection(port, tls=tls) as connection:
        return connection.ask(target, **more)
