"""through.py [MPM] POLICY: case files through httpd over HTTP, for `gatepost test --through`.

One child, since remembered passwords are a process's own. Everything is proxied to an application that shows what it got.
"""

import os
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from apache import build  # noqa: E402
from apache.site import Site  # noqa: E402
from frame.echo import Echo  # noqa: E402
from frame.through import SHOWN, Adapter  # noqa: E402

ONE = {
    "prefork": "StartServers 1\nMinSpareServers 1\nMaxSpareServers 1\nMaxRequestWorkers 1\n",
    "worker": "StartServers 1\nServerLimit 1\nThreadsPerChild 2\nMaxRequestWorkers 2\n",
    "event": "StartServers 1\nServerLimit 1\nThreadsPerChild 2\nMaxRequestWorkers 2\n",
}

CONFIG = """
GatepostPolicy "@CASES@"
# What httpd would refuse itself by default is for the engine to judge here.
AllowEncodedSlashes NoDecode
LimitRequestLine 65536
LimitRequestFieldSize 65536
LimitRequestFields 0
<Location "/">
    Gatepost on
</Location>
ProxyPass "/" "http://127.0.0.1:@ECHO@/" nocanon
ProxyAddHeaders off
ProxyPreserveHost on
# Connection on the way to the application is the proxy's own; this is what it was made of.
RequestHeader set X-Seen-Connection "expr=%{req:Connection}" "expr=-n req('Connection')"
""" + "".join(f'Header always set {name} "expr=%{{note:gatepost-{word}}}" "expr=-n note(\'gatepost-{word}\')"\n' for word, name in SHOWN.items())


class Apache(Adapter):
    """httpd with the build of the module that tests use."""

    def __init__(self, echo, mpm="event"):
        super().__init__(echo)
        self.mpm, self.site = mpm, None

    def start(self, policy: str):
        if os.geteuid() == 0:
            self.give(Path(policy))
        self.site = Site("", echo=self.echo.port, mpm=self.mpm, modules=["proxy", "proxy_http"],
                         module=build.module("--testing"), sizes=ONE[self.mpm])
        self.load(policy)
        self.site.start()
        self.port = self.site.port

    @staticmethod
    def give(policy: Path):
        """The state is the child's, which is not root, and the runner's."""
        import pwd

        user = pwd.getpwnam("www-data")
        found = re.search(r'^\s*state\s*=\s*"([^"]+)"', policy.read_text(), re.MULTILINE)
        folder = (policy.parent / found.group(1)).parent if found else policy.parent
        for path in [folder, *folder.glob("*")]:
            os.chown(path, user.pw_uid, user.pw_gid)
        for parent in folder.parents:
            if parent.stat().st_mode & 0o001 == 0:
                parent.chmod(parent.stat().st_mode | 0o001)

    def load(self, policy: str):
        self.site.words["@CASES@"] = policy
        self.site.configure(CONFIG)

    def reload(self, policy: str):
        done = self.site
        before, self.site.words["@CASES@"] = self.site.words["@CASES@"], policy
        self.site.configure(CONFIG)
        checked = self.site.test_configuration()
        if checked.returncode != 0:
            self.site.words["@CASES@"] = before
            self.site.configure(CONFIG)
            raise ValueError(checked.stderr)
        if os.geteuid() == 0:
            self.give(Path(policy))
        done.renew()

    def stop(self):
        if self.site is not None:
            self.site.stop()

    def told(self, answer, received):
        """httpd writes lists in Vary without blanks; and the application's Connection is not the proxy's."""
        answer.fields = [(name, re.sub(r",\s*", ", ", value) if name == "Vary" else value) for name, value in answer.fields]
        if received is not None:
            fields = [(name, value) for name, value in received["fields"] if name.lower() != "connection"]
            received = {**received, "fields": [(name.replace("X-Seen-", ""), value) for name, value in fields]}
        return super().told(answer, received)

    def refuses(self, request):
        """What httpd answers by itself or makes another request of, before any module is asked."""
        for name, _ in request.fields:
            if name[:1] in (b" ", b"\t"):
                return "httpd itself reads a field that begins with a blank as the rest of the one before"
        if len({name.lower() for name, _ in request.fields}) < len(request.fields) > 100:
            return "httpd itself joins fields of one name, so that there are fewer"
        if (absolute := re.match(rb"https?://([^/?]*)", request.one.get("target", b""), re.IGNORECASE)) is not None:
            hosts = [value for name, value in request.fields if name.lower() == b"host"] or [request.one.get("host", b"")]
            if absolute.group(1).lower() != hosts[0].lower():
                return "httpd itself takes the host of an absolute target, as RFC 9112 has it"
        if request.one.get("method") == b"OPTIONS" and request.one.get("target") == b"*":
            return "httpd itself answers OPTIONS *"
        return None


def main() -> int:
    *mpm, policy = sys.argv[1:]
    echo = Echo()
    try:
        return Apache(echo, *mpm).run(policy)
    finally:
        echo.close()


if __name__ == "__main__":
    sys.exit(main())
