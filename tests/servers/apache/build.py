"""Builds the module, once for each kind, and says where httpd is."""

import functools
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
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(release() / "libgatepost.so")
    return folder


@functools.cache
def module(*flags) -> Path:
    """The module, built with the flags of bindings/apache/build.sh."""
    folder = target() / ("apache" + "".join(flags).replace("--", "-"))
    environment = {**os.environ, "GATEPOST_RELEASE": str(library()), "RPATH": "1", "CFLAGS": "-Werror"}
    done = subprocess.run(
        [TOP / "bindings/apache/build.sh", *flags, "-o", folder], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "mod_gatepost.so"
