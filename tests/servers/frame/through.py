"""The program that `gatepost test --through` talks with, for a server: sends each request over HTTP and tells what can be seen.

A server's adapter derives from `Adapter`. The server under test shows what it decided in fields of its answer (SHOWN),
and takes what a client cannot choose over loopback from fields of the request (TEST), which only a test build of its
module reads, and removes.
"""

import sys

from . import wire

# Fields of the request that say what the connection and the clock would: name of the word -> field.
TEST = {"at": "X-Test-At", "peer": "X-Test-Peer", "id": "X-Test-Id", "tls": "X-Test-Tls", "cert": "X-Test-Cert",
        "cert-verified": "X-Test-Cert-Verified"}
# Fields of the answer that say what was decided: word -> field.
SHOWN = {"action": "X-Shown-Action", "reason": "X-Shown-Reason", "subject": "X-Shown-Subject", "scheme": "X-Shown-Scheme"}
# Fields of an answer that the server or the application makes, whatever was decided.
OTHERS = {"x-echo", "x-echo-field", "server", "date", "connection", "keep-alive", "content-length", "transfer-encoding"}


def encode(data: bytes) -> str:
    """A word of the protocol."""
    return "".join(chr(octet) if 0x21 <= octet <= 0x7E and octet != 0x25 else f"%{octet:02X}" for octet in data)


def decode(word: str) -> bytes:
    parts = word.encode("latin-1").split(b"%")
    return parts[0] + b"".join(bytes([int(part[:2], 16)]) + part[2:] for part in parts[1:])


# As many fields are read of a request; Host is one in HTTP/1.1.
MOST_FIELDS = 200


class Request:
    """What the runner asks: words by name (`one`), flags, and the fields in order."""

    def __init__(self, lines):
        self.one, self.fields, self.flags = {}, [], set()
        for line in lines:
            words = line.split(" ")
            if words[0] == "header" and len(words) == 3:
                self.fields.append((decode(words[1]), decode(words[2])))
            elif words[0] in ("at", "method", "target", "host", "peer", "id", "body", "cert") and len(words) == 2:
                self.one[words[0]] = decode(words[1])
            elif words[0] in ("tls", "cert-verified") and len(words) == 1:
                self.flags.add(words[0])
            else:
                raise ValueError(f"unknown line {line!r}")

    def cannot(self):
        """Why HTTP/1.1 has no way to say this: what would be sent is another request. None: it has."""
        for what, text in [("name of a field", n) for n, _ in self.fields] + [("field", v) for _, v in self.fields] + list(self.one.items()):
            if what != "body" and what != "cert" and (b"\n" in text or b"\r" in text):
                return f"a line break in a {what}"
        for name, value in self.fields:
            if b":" in name or not name:
                return "a colon in the name of a field" if name else "a field without a name"
            if value != value.strip(b" \t"):
                return "blanks around the value of a field"
        hosts = [value for name, value in self.fields if name.lower() == b"host"]
        if hosts and self.one.get("host", hosts[0]) != hosts[0]:
            return "an authority beside another Host field, as HTTP/2 has it"
        if not hosts and len(self.fields) == MOST_FIELDS:
            return "as many fields as may be and no Host among them"
        return None

    def octets(self, test_fields) -> bytes:
        """The request as HTTP/1.1 has it."""
        own_host = any(name.lower() == b"host" for name, _ in self.fields)
        host = None if own_host or "host" not in self.one else self.one["host"]
        return wire.request(self.one.get("target", b""), self.one.get("method", b""), host,
                            [*test_fields, *self.fields], self.one.get("body", b""))


class Adapter:
    """Derive from it: `start(policy)` opens the server and sets `self.port`, `reload(policy)` swaps the policy, `stop()`."""

    # What this server shows: words that `SHOWN` has no field for here are told as unseen.
    unseen = ("strip",)

    def __init__(self, echo):
        self.echo, self.port, self.now = echo, None, None

    def start(self, policy: str):
        raise NotImplementedError

    def reload(self, policy: str):
        raise NotImplementedError

    def stop(self):
        raise NotImplementedError

    def test_fields(self, request: Request) -> list:
        self.now = request.one.get("at", self.now)
        fields = [(TEST["at"], self.now)] if self.now is not None else []
        fields += [(TEST["peer"], request.one.get("peer", b""))]  # not said: nobody in particular
        fields += [(TEST["id"], request.one["id"])] if "id" in request.one else []
        fields += [(TEST["cert"], request.one["cert"].hex())] if "cert" in request.one else []
        return fields + [(TEST[flag], b"1") for flag in sorted(request.flags)]

    def refuses(self, request: Request):
        """Why this server refuses such a request by itself, whatever the policy says of it. None: it asks."""
        return None

    def send(self, request: Request) -> wire.Response:
        with wire.Connection(self.port) as connection:
            connection.send(request.octets(self.test_fields(request)))
            return connection.read(head=request.one.get("method") == b"HEAD")

    def decide(self, request: Request) -> list:
        self.echo.received.clear()
        if cannot := request.cannot() or self.refuses(request):
            return ["cannot " + encode(cannot.encode())]
        try:
            answer = self.send(request)
        except wire.Ended as ended:
            return ["error " + encode(f"the server closed the connection {ended}".encode())]
        return self.told(answer, self.echo.received[-1] if self.echo.received else None)

    def told(self, answer: wire.Response, received) -> list:
        """The lines of an answer."""
        lines = [f"status {answer.status}"]
        if answer.get(SHOWN["action"]) is None:
            # No module was asked. What reached the application all the same is a hole, and told as one.
            lines += ["server"] if received is None else ["action ALLOW", "reason none"]
        for word, name in SHOWN.items():
            value = answer.get(name)
            if value:
                value = value.upper() if word == "action" else value
                lines.append(f"{word} {encode(value.encode('latin-1'))}")
        ours = {name.lower() for name in SHOWN.values()} | OTHERS
        ours |= set() if received is None else {"content-type"}
        for name, value in answer.fields:
            if name.lower() not in ours:
                lines.append(f"response append {encode(name.encode('latin-1'))} {encode(value.encode('latin-1'))}")
        if received is None:
            lines += ["body " + encode(answer.body), "unseen upstream"]
        else:
            lines.append("unseen body")
            lines += [f"received {encode(name.encode('latin-1'))} {encode(value.encode('latin-1'))}"
                      for name, value in received["fields"]]
        return lines + [f"unseen {word}" for word in self.unseen]

    def run(self, policy: str, lines=sys.stdin, out=sys.stdout) -> int:
        """Answers until the end of input; the exit code."""

        def say(*words):
            out.write("".join(word + "\n" for word in (*words, "end")))
            out.flush()

        try:
            self.start(policy)
        except Exception as error:  # the runner shall hear of it, whatever it is
            say("error " + encode(str(error).encode()))
            return 1
        try:
            say("ready")
            asked = []
            for line in lines:
                line = line.rstrip("\n")
                if line != "end":
                    asked.append(line)
                    continue
                try:
                    say(*self._answer(asked))
                except Exception as error:
                    say("error " + encode(str(error).encode()))
                asked = []
        finally:
            self.stop()
        return 0

    def _answer(self, lines) -> list:
        words = lines[0].split(" ") if lines else [""]
        if words == ["decide"]:
            return self.decide(Request(lines[1:]))
        if words[0] == "reload" and len(words) == 2:
            self.reload(decode(words[1]).decode())
            return ["ok"]
        raise ValueError(f"unknown line {lines[:1]!r}")
