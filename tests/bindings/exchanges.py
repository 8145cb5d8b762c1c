#!/usr/bin/env python3
"""exchanges.py COMMAND…: does a case program speak as `gatepost test --through` expects it to?

Case files never hold lines that are broken, and never tell a program to end: these exchanges do.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

POLICY = """
[engine]
name = "Tea & more"
state = ":memory:"
schemes = ["basic"]
[identity]
subject = "X-Auth-Subject"
[[route]]
path = "/public"
access = "public"
[[route]]
path = "/private"
"""
WIDER = POLICY + '[[route]]\npath = "/new"\naccess = "public"\n'
BROKEN = POLICY + '[[route]]\npath = "new"\n'


class Program:
    def __init__(self, command, policy):
        self.process = subprocess.Popen(
            [*command, str(policy)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="ascii"
        )

    def hear(self):
        lines = []
        for line in self.process.stdout:
            if line == "end\n":
                return lines
            assert line.endswith("\n"), f"a line without its end: {line!r}"
            lines.append(line[:-1])
        raise AssertionError(f"it ended in the middle of {lines}")

    def ask(self, *lines):
        self.process.stdin.write("".join(line + "\n" for line in [*lines, "end"]))
        self.process.stdin.flush()
        return self.hear()

    def end(self):
        self.process.stdin.close()
        rest = self.process.stdout.read()
        assert rest == "", f"it went on talking: {rest!r}"
        return self.process.wait(timeout=180)


def must(got, wanted):
    assert got == wanted, f"wanted {wanted}\ngot    {got}"


def is_error(lines):
    assert len(lines) == 1 and lines[0].startswith("error "), f"wanted an error, got {lines}"
    assert len(lines[0].split(" ")) == 2 and len(lines[0]) > len("error "), f"not one word: {lines}"


def values(lines, *first):
    return [line.split(" ")[len(first) :] for line in lines if line.split(" ")[: len(first)] == list(first)]


def decisions(program):
    public = ["decide", "method GET", "target /public", "host a.example", "peer 192.0.2.7"]
    for more in ([], ["header X-Empty ", "header X-Odd a%20%25%ff", "body a%0A"]):
        must(program.ask(*public, *more)[:3], ["action ALLOW", "status 200", "reason public"])
    must(program.ask(*public, "header X-Odd a%00")[:3], ["action DENY", "status 400", "reason request_malformed"])
    allowed = program.ask(*public, "header x_auth_subject root")
    must(allowed[:3], ["action ALLOW", "status 200", "reason public"])
    assert ["x_auth_subject"] in values(allowed, "strip"), allowed
    must(values(allowed, "subject") + values(allowed, "scheme"), [])
    refused = program.ask("decide", "method GET", "target /private", "host a.example", "id 4711%20")
    must(refused[:3], ["action DENY", "status 401", "reason credentials_missing"])
    challenge = ["Basic%20realm=\"Tea%20&%20more\",%20charset=\"UTF-8\""]
    must([value for _, field, *value in values(refused, "response") if field == "WWW-Authenticate"], [challenge])
    ((body,),) = values(refused, "body")
    assert "credentials_missing" in body and '"status":401' in body, body
    # A field that is there twice is two fields.
    twice = program.ask(*public[:3], "host a.example", "header Host a.example", "header Host a.example")
    must(twice[:3], ["action DENY", "status 400", "reason request_malformed"])
    # A space in a value is data, and not the end of it.
    spaced = program.ask(*public[:3], "header Host a%20b")
    must(spaced[:2], ["action DENY", "status 400"])
    odd = program.ask(*public[:2], "target /private%252e%00", "host a.example")
    must(odd[:3], ["action DENY", "status 400", "reason target_ambiguous"])


def broken_lines(program):
    for lines in (
        [],
        ["divine"],
        ["decide", "method GET", "colour green"],
        ["decide", "method"],
        ["decide", "header X"],
        ["decide", "tls yes"],
        ["decide", "at noon"],
        ["decide", "target /%zz"],
        ["decide", "target /a b"],
        ["decide now"],
        ["reload"],
        ["reload /nowhere/at/all"],
    ):
        is_error(program.ask(*lines))
    must(program.ask("decide", "method GET", "target /public", "host a.example")[0], "action ALLOW")


def reloads(program, folder):
    new = ["decide", "method GET", "target /new", "host a.example"]
    must(program.ask(*new)[:3], ["action DENY", "status 403", "reason route_unknown"])
    (folder / "wider%.toml").write_text(WIDER)
    (folder / "broken.toml").write_text(BROKEN)
    word = str(folder / "wider%.toml").replace("%", "%25")
    must(program.ask(f"reload {word}"), ["ok"])
    must(program.ask(*new)[0], "action ALLOW")
    is_error(program.ask(f"reload {folder / 'broken.toml'}"))
    must(program.ask(*new)[0], "action ALLOW")


def main():
    command = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        policy = folder / "policy.toml"
        policy.write_text(POLICY)
        program = Program(command, policy)
        must(program.hear(), ["ready"])
        decisions(program)
        broken_lines(program)
        reloads(program, folder)
        must(program.end(), 0)
        policy.write_text(BROKEN)
        program = Program(command, policy)
        is_error(program.hear())
        must(program.end(), 1)


if __name__ == "__main__":
    main()
