"""Builds the module, once for each kind, and says where httpd is."""

import fcntl
import functools
import hashlib
import os
import subprocess
from pathlib import Path

from frame.places import TOP, release, target


@functools.cache
def apxs(name: str) -> str:
    """What apxs says."""
    program = os.environ.get("APXS", "apxs")
    return subprocess.run([program, "-q", name], capture_output=True, text=True, check=True).stdout.strip()


def httpd() -> Path:
    return Path(apxs("SBINDIR")) / apxs("PROGNAME")


def modules() -> Path:
    return Path(apxs("LIBEXECDIR"))


@functools.cache
def library() -> Path:
    """A folder with the library under the name that programs ask for; cargo does not make the link."""
    folder = target() / "lib"
    folder.mkdir(exist_ok=True)
    for name in ("libgatepost.so", "libgatepost.so.0"):
        new = folder / f"{name}.{os.getpid()}"
        new.unlink(missing_ok=True)
        new.symlink_to(release() / "libgatepost.so")
        new.replace(folder / name)
    return folder


@functools.cache
def module(*flags) -> Path:
    """The module, built with the flags of bindings/apache/build.sh; anew where its sources have changed."""
    folder = target() / ("apache" + "".join(flags).replace("--", "-"))
    folder.mkdir(exist_ok=True)
    digest = hashlib.sha256(repr(flags).encode())
    for source in [*sorted((TOP / "bindings/apache").iterdir()), TOP / "include/gatepost.h"]:
        digest.update(source.read_bytes())
    made, stamp = folder / "mod_gatepost.so", folder / "digest"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest()):
            environment = {**os.environ, "GATEPOST_RELEASE": str(library()), "RPATH": "1", "CFLAGS": "-Werror"}
            done = subprocess.run(
                [TOP / "bindings/apache/build.sh", *flags, "-o", folder], env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout + done.stderr
            stamp.write_text(digest.hexdigest())
        else:
            library()
    return made
