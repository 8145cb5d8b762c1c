#!/usr/bin/env python3
"""compare_test.py PLAIN PLAIN: compare.py finds what a binding could do wrong, and nothing where it does nothing wrong."""
import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path

COMPARE = Path(__file__).with_name("compare.py")


def compared(one, other, through):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "through.json"
        path.write_text(json.dumps(through))
        command = [sys.executable, str(COMPARE), "control", one, other, str(path)]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout


def case_with(answers, condition):
    return next(case for case in answers["cases"] if condition(case["got"]))


def reason(answers):
    case_with(answers, lambda got: got.get("reason") == "role_missing")["got"]["reason"] = "scope_missing"


def status(answers):
    case_with(answers, lambda got: got.get("status") == 401)["got"]["status"] = 403


def subject(answers):
    case_with(answers, lambda got: got.get("subject"))["got"]["subject"] = None


def challenge(answers):
    del case_with(answers, lambda got: "WWW-Authenticate" in got.get("headers", {}))["got"]["headers"]["WWW-Authenticate"]


def strip(answers):
    case_with(answers, lambda got: got.get("strip"))["got"]["strip"].pop()


def identity(answers):
    case_with(answers, lambda got: got.get("upstream"))["got"]["upstream"]["X-More"] = "x"


def body(answers):
    case_with(answers, lambda got: got.get("problem"))["got"]["problem"]["id"] = "no id"


def left_out(answers):
    answers["cases"].pop()


def twice(answers):
    answers["cases"].append(answers["cases"][-1])


def fails(answers):
    answers["cases"][0]["passed"] = False


def main():
    one, other = sys.argv[1:]
    answers = json.loads(Path(other).read_text())
    count = len(answers["cases"])
    found = compared(one, other, answers)
    assert found == (0, f"control: {count} passed, 0 failed\n"), found
    for change in (reason, status, subject, challenge, strip, identity, body, left_out, twice, fails):
        changed = copy.deepcopy(answers)
        change(changed)
        code, said = compared(one, other, changed)
        assert code == 1 and said.endswith(" passed, 1 failed\n"), (change.__name__, code, said[-300:])


if __name__ == "__main__":
    main()
