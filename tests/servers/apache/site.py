"""A site of httpd: its configuration, its policy and its people, in a folder that httpd's children can read."""

import hashlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from frame import people
from frame.places import PATIENCE, TOP, free_port
from frame.server import Server

from . import build

SECRET = hashlib.sha256(b"a secret of these tests").digest()

# What every site has.
MODULES = ("authn_core", "authz_core", "authz_host", "authz_user", "unixd", "log_config", "mime", "dir", "env", "alias", "headers")

FRAME = """\
ServerRoot "@FOLDER@"
DefaultRuntimeDir "@FOLDER@"
PidFile "@FOLDER@/httpd.pid"
ServerName localhost
Listen 127.0.0.1:@PORT@
ErrorLog "@FOLDER@/error.log"
LogLevel info gatepost:debug
TypesConfig "@FOLDER@/mime.types"
DocumentRoot "@FOLDER@/htdocs"
DirectoryIndex index.html
TraceEnable off
KeepAliveTimeout 60
MaxKeepAliveRequests 0
"""

# Small, so that each test sees several children, or all of them.
SIZES = {
    "prefork": "StartServers 3\nMinSpareServers 3\nMaxSpareServers 6\nMaxRequestWorkers 12\n",
    "worker": "StartServers 2\nServerLimit 4\nThreadsPerChild 8\nMaxRequestWorkers 32\nMinSpareThreads 8\nMaxSpareThreads 32\n",
    "event": "StartServers 2\nServerLimit 16\nThreadsPerChild 8\nMaxRequestWorkers 32\nMinSpareThreads 8\nMaxSpareThreads 32\n",
}

POLICY = """\
[engine]
name = "Orders"
state = "orders.db"
schemes = ["basic", "api-key", "bearer"]
[identity]
issuer = "X-Auth-Issuer"
subject = "X-Auth-Subject"
roles = "X-Auth-Roles"
[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithms = ["HS256"]
keys = { secret_file = "accounts.key", encoding = "raw" }
claims = { subject = "sub", roles = "roles" }
[[role]]
name = "clerk"
permissions = ["orders:read"]
[[role]]
name = "admin"
permissions = ["users:read"]
[[route]]
path = "/public/{*rest}"
access = "public"
[[route]]
path = "/optional/{*rest}"
access = "optional"
[[route]]
path = "/admin/{*rest}"
require = { role = "admin" }
[[route]]
path = "/{*rest}"
"""


def token(subject="tom", **claims) -> tuple:
    """The field with a bearer token of the policy's issuer."""
    return people.bearer(people.token(SECRET, subject, **claims))


def page(folder: Path, path: str, text: str, mode=0o644):
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)


class Site(Server):
    """config: what comes after FRAME; @FOLDER@, @PORT@, @ECHO@ and @POLICY@ are filled in. policy: the text of
    @FOLDER@/orders.toml. users: name -> roles, with people.PASSWORD. module: another build of the module."""

    def __init__(self, config, policy=POLICY, users=None, mpm="event", modules=(), echo=0, module=None, wrapper=(),
                 environment=None, sizes=None):
        self.site = Path(tempfile.mkdtemp(prefix="gatepost-apache-", dir="/tmp"))
        self.site.chmod(0o755)
        self.port, self.mpm = free_port(), mpm
        self.policy = self.site / "orders.toml"
        self.words = {"@FOLDER@": self.site, "@PORT@": self.port, "@ECHO@": echo, "@POLICY@": self.policy}
        self.loads = [f"mpm_{mpm}", *MODULES, *modules]
        self.module = module or build.module()
        self.sizes = sizes or SIZES[mpm]
        self.policy.write_text(policy)
        (self.site / "accounts.key").write_bytes(SECRET)
        (self.site / "accounts.key").chmod(0o600)
        (self.site / "mime.types").write_text("text/html html shtml\ntext/plain txt\n")
        (self.site / "htdocs").mkdir()
        for name, roles in (users or {}).items():
            people.user(self.policy, name, *roles)
        self.configuration = self.site / "httpd.conf"
        self.configure(config)
        command = [*wrapper, build.httpd(), "-f", self.configuration, "-DFOREGROUND"]
        # By a graceful stop: at SIGTERM the event MPM itself may use a socket that is gone, and its child dies of it.
        super().__init__(command, self.site, [self.port], log=self.site / "error.log", environment=environment,
                         stop_with=signal.SIGWINCH)
        self.may_crash = False

    def configure(self, config: str):
        """Writes the configuration anew."""
        lines = []
        for name in self.loads:
            file = build.modules() / f"mod_{name}.so"
            if file.exists():  # otherwise it is linked in, as Debian has mod_unixd
                lines.append(f'LoadModule {name}_module "{file}"')
        lines.append(f'LoadModule gatepost_module "{self.module}"')
        if os.geteuid() == 0:
            lines.append("User www-data\nGroup www-data")
        text = "\n".join(lines) + "\n" + FRAME + self.sizes + config
        for word, value in self.words.items():
            text = text.replace(word, str(value))
        self.configuration.write_text(text)

    def page(self, path: str, text="page\n"):
        page(self.site / "htdocs", path, text)
        return self

    def script(self, path: str, text="#!/bin/sh\necho 'Content-Type: text/plain'; echo; env | sort\n"):
        page(self.site, path, text, 0o755)
        return self

    def own(self):
        """Gives everything to the user that httpd's children run as."""
        if os.geteuid() == 0:
            user = pwd.getpwnam("www-data")
            for path in [self.site, *self.site.rglob("*")]:
                os.chown(path, user.pw_uid, user.pw_gid)

    def start(self, within=PATIENCE):
        self.own()
        try:
            super().start(within)
        except Exception:
            self.stop()
            raise
        if "-X" not in self.command:  # as one process it says nothing
            self.wait_for(lambda: "resuming normal operations" in self.log())  # it listens before it hears signals
        return self

    def stop(self, within=PATIENCE) -> int:
        code = super().stop(within)
        said = self.said()
        shutil.rmtree(self.site, ignore_errors=True)
        crashed = [] if self.may_crash else re.findall(r".*(?:exit signal (?!Killed).*|AddressSanitizer.*|Assertion.*failed.*)", said)
        assert not crashed, "\n".join(crashed)
        return code

    def test_configuration(self):
        """apachectl configtest."""
        self.own()
        return subprocess.run(
            [build.httpd(), "-f", self.configuration, "-t"], capture_output=True, text=True, timeout=PATIENCE,
            env=self.environment,
        )

    def graceful(self, within=PATIENCE):
        """A graceful restart; returns once new children serve."""
        ready = self.log().count("resuming normal operations")
        self.signal(signal.SIGUSR1)
        end = time.monotonic() + within
        while self.log().count("resuming normal operations") == ready:
            assert time.monotonic() < end and self.process.poll() is None, self.said()
            time.sleep(0.005)

    def renew(self):
        """A graceful restart; returns once none of the children from before is left."""
        before = set(self.children())
        self.graceful()
        self.wait_for(lambda: not before & set(self.children()))

    def told(self, word: str) -> list:
        """Lines of the error log with that word."""
        return [line for line in self.log().splitlines() if word in line]


def example(path: str) -> Path:
    return TOP / "examples" / "apache" / path
