"""The same answers everywhere: the shared case files through nginx, over HTTP."""

import json
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

from frame import nginx
from frame.places import TOP, release

# Why a case cannot be tried over HTTP/1.1. The count of each is printed; anything else is a failure.
CANNOT = {
    "a line break in a", "a colon in the name of a field", "a field without a name", "blanks around the value of a field",
    "an authority beside another Host field", "as many fields as may be and no Host among them",
    "nginx itself refuses a second Authorization field",
}


def test_all_case_files_get_the_same_answers_through_nginx(capsys):
    nginx.module("test")
    program = shlex.join([sys.executable, str(Path(__file__).parent / "through.py")])
    files = sorted(str(path) for path in (TOP / "tests" / "cases").glob("*.json"))
    done = subprocess.run(
        [str(release() / "gatepost"), "test", "--json", "--patience", "900", "--through", program, *files], capture_output=True, text=True, timeout=3600
    )
    told = json.loads(done.stdout)
    failed = [f"{case['file']}: {case['name']}: {case['differs']}" for case in told["cases"] if not case["passed"] and not case.get("cannot")]
    not_tried = [case for case in told["cases"] if case.get("cannot")]
    why = Counter(case["cannot"] for case in not_tried)
    with capsys.disabled():
        print(f"\nthrough nginx: {told['passed']} passed, {told['failed']} failed, {len(not_tried)} not tried")
        for reason, count in sorted(why.items()):
            print(f"    {count} with {reason}")
    assert not failed and done.returncode == 0, "\n".join(failed[:40]) + done.stderr[-2000:]
    assert told["passed"] > 1500, "the case files were not all run"
    assert all(any(reason.startswith(known) for known in CANNOT) for reason in why), why
    assert len(not_tried) < 60, why
