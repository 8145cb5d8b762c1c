"""Decides the requests of case files with the Python package, for `gatepost test --through`.

    cases [--jobs] POLICY

--jobs: by `Engine.decide_async` in an event loop; otherwise by `Engine.decide`.
"""

import asyncio
import re
import shutil
import sys
import time

import gatepost

WORDS = {"method": 1, "target": 1, "host": 1, "peer": 1, "id": 1, "cert": 1, "body": 1, "at": 1, "tls": 0}
WORDS.update({"cert-verified": 0, "header": 2})
MODES = {mode: mode.name.lower().replace("_", "-") for mode in gatepost.HeaderMode}


class Unreadable(Exception):
    """A line that is none."""


def unescape(word: str) -> bytes:
    if not re.fullmatch(r"(?:[!-$&-~]|%[0-9A-Fa-f]{2})*", word):
        raise Unreadable(f"no word: {word!r}")
    return re.sub(rb"%(..)", lambda match: bytes([int(match[1], 16)]), word.encode("ascii"))


def escape(word: "str | bytes") -> str:
    octets = word.encode("utf-8") if isinstance(word, str) else word
    return "".join(chr(octet) if 0x21 <= octet <= 0x7E and octet != 0x25 else f"%{octet:02X}" for octet in octets)


def hear() -> "list[str] | None":
    lines: list[str] = []
    for line in sys.stdin:
        if line == "end\n":
            return lines
        lines.append(line.rstrip("\n"))
    return None


def say(*lines: str) -> None:
    sys.stdout.write("".join(line + "\n" for line in [*lines, "end"]))
    sys.stdout.flush()


class Program:
    def __init__(self, policy: str, jobs: bool) -> None:
        self.policy = policy
        self.at: int | None = None
        self.loop = asyncio.new_event_loop() if jobs else None
        self.engine = gatepost.Engine(policy, clock=lambda: time.time() if self.at is None else self.at)
        self.engine.start()

    def request(self, lines: list[str]) -> gatepost.Request:
        found: dict[str, bytes] = {}
        headers = []
        for line in lines:
            word, *values = line.split(" ")
            if WORDS.get(word) != len(values):
                raise Unreadable(f"no line of a request: {line}")
            octets = [unescape(value) for value in values]
            if word == "header":
                headers.append((octets[0], octets[1]))
            elif word == "at":
                try:
                    self.at = int(octets[0])
                except ValueError:
                    raise Unreadable(f"no time: {line}") from None
            else:
                found[word] = octets[0] if octets else b""
        return gatepost.Request(
            found.get("method", b""),
            found.get("target", b""),
            headers,
            host=found.get("host", b""),
            peer=found.get("peer", b""),
            tls="tls" in found,
            request_id=found.get("id", b""),
            client_cert=found.get("cert", b""),
            cert_verified="cert-verified" in found,
            body=found.get("body", b""),
        )

    def decide(self, request: gatepost.Request) -> list[str]:
        if self.loop is None:
            decision = self.engine.decide(request)
        else:
            decision = self.loop.run_until_complete(self.engine.decide_async(request))
        out = [f"action {decision.action.name}", f"status {decision.status}", f"reason {escape(decision.reason_name)}"]
        # A name that the enumeration has for it must be the same.
        if decision.reason.label != decision.reason_name:
            out[-1] += "-" + decision.reason.label
        if decision.subject is not None:
            out.append(f"subject {escape(decision.subject)}")
        if decision.scheme is not None:
            out.append(f"scheme {escape(decision.scheme)}")
        for what, fields in (("response", decision.response_headers), ("upstream", decision.upstream_headers)):
            for field in fields:
                value = escape(field.value.encode("latin-1"))
                out.append(f"{what} {MODES[field.mode]} {escape(field.name.encode('latin-1'))} {value}")
        out += [f"strip {escape(name.encode('latin-1'))}" for name in decision.strip]
        out.append(f"body {escape(decision.body)}")
        return out

    def reload(self, source: str) -> list[str]:
        if source != self.policy:
            shutil.copyfile(source, self.policy)
        self.engine.reload()
        return ["ok"]

    def answer(self, lines: list[str]) -> list[str]:
        if lines[:1] == ["decide"]:
            return self.decide(self.request(lines[1:]))
        if len(lines) == 1 and lines[0].startswith("reload ") and lines[0].count(" ") == 1:
            return self.reload(unescape(lines[0].split(" ")[1]).decode("utf-8", "surrogateescape"))
        raise Unreadable("neither decide nor reload")


def fail(error: Exception) -> list[str]:
    return [f"error {escape(str(error) or type(error).__name__)}"]


def main(arguments: list[str]) -> int:
    jobs = arguments[:1] == ["--jobs"]
    if len(arguments) != 1 + jobs:
        print("usage: cases [--jobs] POLICY", file=sys.stderr)
        return 1
    try:
        program = Program(arguments[-1], jobs)
    except gatepost.GatepostError as error:
        say(*fail(error))
        return 1
    say("ready")
    while (lines := hear()) is not None:
        try:
            say(*program.answer(lines))
        except (gatepost.GatepostError, Unreadable, OSError) as error:
            say(*fail(error))
    if program.loop is not None:
        program.loop.close()
    return 0


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="ascii", errors="surrogateescape", newline="\n")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="ascii", newline="\n")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
