"""The same answers everywhere: the shared case files through httpd, over HTTP."""

import json
import shlex
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from apache import build
from frame.places import TOP, release

# Why a case cannot be tried over HTTP/1.1, or not with httpd. The count of each is printed; anything else is a failure.
CANNOT = (
    "a line break in a", "a colon in the name of a field", "a field without a name", "blanks around the value of a field",
    "an authority beside another Host field", "as many fields as may be and no Host among them",
    "httpd itself reads a field that begins with a blank", "httpd itself joins fields of one name", "httpd itself answers OPTIONS *",
    "httpd itself takes the host of an absolute target",
)


def run(mpm: str, files: list) -> dict:
    program = shlex.join([sys.executable, str(Path(__file__).parent / "through.py"), mpm])
    done = subprocess.run(
        [str(release() / "gatepost"), "test", "--json", "--patience", "900", "--through", program, *files], capture_output=True, text=True, timeout=3600
    )
    assert done.returncode in (0, 3), done.stderr[-3000:]
    return json.loads(done.stdout)


# All of them by one MPM; of the others those that hang on processes and threads.
@pytest.mark.parametrize("mpm, names, least", [
    ("event", "*", 1500), ("worker", "[br]*", 100), ("prefork", "[br]*", 100),
])
def test_the_case_files_get_the_same_answers_through_httpd(capsys, mpm, names, least):
    build.module("--testing")
    files = sorted(str(path) for path in (TOP / "tests" / "cases").glob(f"{names}.json"))
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda part: run(mpm, part), [files[::2], files[1::2]]))
    cases = [case for part in parts for case in part["cases"]]
    failed = [f"{case['file']}: {case['name']}: {case['differs']}" for case in cases if not case["passed"] and not case.get("cannot")]
    why = Counter(case["cannot"] for case in cases if case.get("cannot"))
    passed = sum(part["passed"] for part in parts)
    with capsys.disabled():
        print(f"\nthrough httpd ({mpm}): {passed} passed, {len(failed)} failed, {sum(why.values())} not tried")
        for reason, count in sorted(why.items()):
            print(f"    {count} with {reason}")
    assert not failed, "\n".join(failed[:40])
    assert passed > least, "the case files were not all run"
    assert all(reason.startswith(CANNOT) for reason in why), why
    assert sum(why.values()) < 70, why
