"""An nginx of its makers' present release, made from source: what Debian has is older, and keeps header fields otherwise."""

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

from .places import TOP, target

PACKAGE = TOP / "tests" / "servers" / "nginx" / "source"
FLAGS = " ".join(["--with-compat", "--with-threads", *(f"--with-http_{name}_module" for name in (
    "addition", "auth_request", "dav", "realip", "ssl", "sub", "v2"))])


def tree() -> Path:
    """The source, fetched where it is not here yet."""
    told = subprocess.run(
        ["cargo", "metadata", "--locked", "--format-version", "1", "--manifest-path", str(PACKAGE / "Cargo.toml")],
        capture_output=True, text=True, env={**os.environ, "CARGO_NET_RETRY": "10"},
    )
    assert told.returncode == 0, f"the source of nginx cannot be fetched: {told.stderr}"
    (found,) = [each["manifest_path"] for each in json.loads(told.stdout)["packages"] if each["name"] == "nginx-src"]
    return Path(found).parent / "nginx"


def environment() -> dict:
    """What makes the tests take that nginx: its program and, for the module, its source."""
    source, folder = tree(), target() / "nginx-source"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program, stamp = folder / "nginx", folder / "made-of"
        if not (program.exists() and stamp.exists() and stamp.read_text() == f"{source} {FLAGS}"):
            work = folder / "tree"
            shutil.rmtree(work, ignore_errors=True)
            shutil.copytree(source, work)
            for step in (["auto/configure", *FLAGS.split(), "--with-cc-opt=-O1"], ["make", "-j2"]):
                done = subprocess.run(step, cwd=work, capture_output=True, text=True)
                assert done.returncode == 0, f"{step[0]}: {(done.stdout + done.stderr)[-3000:]}"
            shutil.copy(work / "objs" / "nginx", program)
            shutil.rmtree(work)
            stamp.write_text(f"{source} {FLAGS}")
    return {"NGINX": str(program), "NGX_SRC": str(source), "NGX_FLAGS": FLAGS}
