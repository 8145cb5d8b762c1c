"""nginx with the module: built once for all tests, each server in a folder of its own."""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from .places import PATIENCE, TOP, free_port, release, target
from .server import Server, wait_for

MODULE = TOP / "bindings" / "nginx"
EXAMPLE = TOP / "examples" / "nginx" / "nginx.conf"
POLICIES = TOP / "tests" / "servers" / "policies"
# Another nginx than the system's, whose source is then named by NGX_SRC (source.py).
PROGRAM = os.environ.get("NGINX", "nginx")


_failed = {}


def module(kind="build", environment=None) -> Path:
    """Path of the module; kind: build, or test, where requests may set clock and peer. It is made where its sources,
    the header or the environment have changed."""
    environment = environment or {}
    source = {name: os.environ[name] for name in ("NGX_SRC", "NGX_FLAGS") if name in os.environ}
    digest = hashlib.sha256(f"{release()} {sorted(environment.items())} {source}".encode())
    for file in sorted([*MODULE.glob("*"), TOP / "include" / "gatepost.h"]):
        digest.update(file.read_bytes() if file.is_file() else b"")
    name = kind + "-source" * bool(source) + "".join(f"-{value}" for value in environment.values())
    out = target() / "nginx" / re.sub(r"[^a-z-]", "", name)
    made = out / ("test" if kind == "test" else "") / "ngx_http_gatepost_module.so"
    stamp = out / "digest"
    if name in _failed:
        raise RuntimeError(_failed[name])
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "lock", "w") as lock:  # programs that run case files build it as well
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest()):
            done = subprocess.run(
                [str(MODULE / "build.sh"), kind], capture_output=True, text=True,
                env={**os.environ, "GATEPOST_RELEASE": str(release()), "OUT": str(out), **environment},
            )
            if done.returncode != 0:
                _failed[name] = f"the module does not build:\n{done.stdout}{done.stderr}"
                raise RuntimeError(_failed[name])
            stamp.write_text(digest.hexdigest())
    return made


class Nginx(Server):
    """text: what stands between the braces of http; PORT in it is `port`, NEXT a second one, `next`. main: directives outside of all blocks. The
    server runs with `folder` as its prefix: policy.toml there is "policy.toml" in the configuration."""

    def __init__(self, folder: Path, text: str, main="", kind="build", workers=1, module_file=None, conf=None, **more):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = more.pop("port", None) or free_port()
        self.next = free_port() if "NEXT" in text else None
        self.conf = folder / "nginx.conf"
        self.module = module_file or module(kind)
        self.workers, self.main = workers, main
        # As root the workers would become nobody, whom the test's folder does not let in.
        self.user = "user root;" if os.geteuid() == 0 else ""
        super().__init__([PROGRAM, "-p", folder, "-c", self.conf, "-e", folder / "error.log", "-g", "daemon off;"], folder,
                         [port for port in (self.port, self.next) if port], log=folder / "error.log", **more)
        self.conf.write_text(conf.replace("PORT", str(self.port)) if conf else self.full(text))

    def start(self, within=PATIENCE):
        super().start(within)
        # It listens before it hears signals, and one that comes between waits for the next. They are kept for its loop
        # from before its first worker on.
        self.wait_for(lambda: self.children() or self.process.poll() is not None, within)
        return self

    def full(self, text: str) -> str:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "\n".join(f"{kind}_temp_path {self.folder}/tmp/{kind};" for kind in kinds)
        (self.folder / "tmp").mkdir(exist_ok=True)
        return (
            f"load_module {self.module};\n{self.user}\nworker_processes {self.workers};\npid nginx.pid;\n"
            f"error_log {self.folder}/error.log info;\n{self.main}\nevents {{ worker_connections 2048; }}\n"
            f"http {{\naccess_log off;\n{temporary}\n{text.replace('PORT', str(self.port)).replace('NEXT', str(self.next))}\n}}\n"
        )

    def check(self) -> tuple:
        """What `nginx -t` says: its exit code and its words."""
        done = subprocess.run([*self.command[:-2], "-t"], capture_output=True, text=True, timeout=PATIENCE)
        return done.returncode, done.stdout + done.stderr

    def worker_ids(self) -> list:
        """Workers that take requests, not those that are about to end."""
        found = []
        for child in self.children():
            try:
                title = Path(f"/proc/{child}/cmdline").read_text()
            except OSError:
                continue
            if "worker process" in title and "shutting down" not in title:
                found.append(child)
        return found

    def swap(self, text: str = None, within=PATIENCE):
        """A reload, with another configuration where there is one; back when only new workers are left."""
        if text is not None:
            self.conf.write_text(self.full(text))
        before = set(self.children())
        self.signal(signal.SIGHUP)
        wait_for(lambda: len(self.worker_ids()) == self.workers and not before & set(self.children()), within, self.said)


def policy(folder: Path, name="orders.toml") -> Path:
    """A copy of a policy of the tests in the server's folder, with a state of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "policy.toml"
    shutil.copy(POLICIES / name, made)
    for secret in POLICIES.glob("*.key"):
        shutil.copy(secret, folder)
    return made
