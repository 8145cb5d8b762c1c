"""The module against a source tree of nginx, newer than Debian's: the tests that ask for what is done to a request."""

import os
import re
import subprocess
import sys
from pathlib import Path

from frame import source

HERE = Path(__file__).parent
FILES = ["basics", "body", "policies", "redirects", "requests", "satisfy", "subrequests", "tls"]


def test_a_newer_nginx_made_from_source_does_the_same():
    more = source.environment()
    version = subprocess.run([more["NGINX"], "-v"], capture_output=True, text=True, check=True).stderr
    assert tuple(map(int, re.search(r"nginx/(\d+)\.(\d+)", version).groups())) >= (1, 23), "or it has the older kind of lists"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"test_nginx_{name}.py" for name in FILES)],
        cwd=HERE, env={**os.environ, **more}, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    last = done.stdout.strip().splitlines()[-1]
    assert int(re.match(r"(\d+) passed", last).group(1)) >= 80 and "skipped" not in last, last
