"""No wild pointer and nothing lost, under valgrind and under the address sanitizer."""

import re
import subprocess

from apache import build
from apache.site import POLICY, Site, token
from frame import wire
from frame.people import PASSWORD
from frame.places import PATIENCE

ALICE = wire.basic("alice", PASSWORD)
CONFIG = """
GatepostPolicy "@POLICY@"
LogFormat "%u %{gatepost-subject}n %{gatepost-id}n %{GATEPOST_ROLES}e %{X-Auth-Subject}i %{WWW-Authenticate}o %{Cache-Control}o" all
CustomLog "@FOLDER@/access.log" all
ScriptAlias "/cgi/" "@FOLDER@/cgi/"
<Location "/">
    Gatepost on
</Location>
<Location "/either">
    Gatepost off
    <RequireAny>
        Require ip 192.0.2.0/24
        Require gatepost
    </RequireAny>
</Location>
<Location "/off">
    Gatepost off
</Location>
<Location "/page">
    ErrorDocument 401 /errors/401.html
</Location>
<Location "/other">
    GatepostPolicy "@FOLDER@/other.toml"
</Location>
<Directory "@FOLDER@/htdocs/moves">
    RewriteEngine on
    RewriteRule "^x$" "/other/x.html" [L]
</Directory>
<Location "/pages">
    Options +Includes
    AddOutputFilter INCLUDES .shtml
</Location>
ProxyPass "/app" "http://127.0.0.1:@ECHO@/app"
"""


def site(echo, **more):
    made = Site(CONFIG, users={"alice": ["clerk"]}, echo=echo.port, modules=["rewrite", "proxy", "proxy_http", "include"], **more)
    (made.site / "other.toml").write_text(POLICY.replace("orders.db", "other.db"))
    for path in ("either/x.html", "off/x.html", "page/x.html", "other/x.html", "moves/y.html", "errors/401.html", "index.html"):
        made.page(path)
    made.page("pages/x.shtml", '<!--#include virtual="/off/x.html" --><!--#include virtual="/either/x.html" -->')
    return made


def ask_everything(port, turns):
    """Each way through the module, with and without somebody. Returns the statuses that came."""
    came = set()
    forged = [("X-Auth-Subject", "root"), ("X_Auth_Roles", "admin"), ("Connection", "X-Auth-Subject, close")]
    people = [[], [ALICE], [token()], [wire.basic("alice", "wrong")], [("Authorization", "Bearer x")], [ALICE, token()]]
    paths = ["/", "/either/x.html", "/off/x.html", "/page/x.html", "/other/x.html", "/moves/x", "/pages/x.shtml", "/app",
             "/admin/x", "/public/nowhere", "/a/../b", "/%2e%2e/x", "/" + "a" * 2000]
    for turn in range(turns):
        fields = people[turn % len(people)] + (forged if turn % 2 else [])
        method = ("GET", "POST", "HEAD")[turn % 3]
        answer = wire.ask(port, paths[turn % len(paths)], method=method, fields=fields, body=b"x" * 100 if method == "POST" else b"")
        came.add(answer.status)
    return came


def test_valgrind_finds_nothing_in_the_module(echo):
    """One process (-X), so that the end of the child is the end of the program and leaks are counted."""
    made = site(echo, mpm="prefork", wrapper=["valgrind", "--leak-check=full", "--error-limit=no", "--num-callers=30"])
    made.command = [word if word != "-DFOREGROUND" else "-X" for word in made.command]
    with made:
        came = ask_everything(made.port, 90)
        assert {200, 401} <= came
        assert re.search(r"^alice alice \S+ clerk alice - private, no-store$", (made.site / "access.log").read_text(), re.M)
        made.signal(15)
        # One that comes just before it waits for a connection is heeded at the next one.
        made.wait_for(lambda: made.process.poll() is not None or made.knock())
        said = made.output.read_text()
    assert "LEAK SUMMARY" in said or "All heap blocks were freed" in said
    blocks = re.split(r"\n==\d+== \n", said)
    ours = [block for block in blocks if re.search(r"mod_gatepost\.so|libgatepost\.so", block)
            and re.search(r"Invalid|uninitialised|definitely lost|Mismatched|overlap", block)]
    assert ours == [], "\n\n".join(ours)


def test_the_address_sanitizer_finds_nothing_in_the_module(echo):
    runtime = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip()
    module = build.module("--asan")
    wanted = subprocess.run(["objdump", "-T", module], capture_output=True, text=True, check=True).stdout
    assert "__asan_" in wanted, "the module is really instrumented"
    # httpd keeps its pools to the end, and unloads modules before it: leaks are valgrind's part
    environment = {"LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0:log_path=stderr:abort_on_error=1"}
    for mpm in ("event", "prefork"):
        with site(echo, mpm=mpm, module=module, environment=environment) as made:
            assert {200, 401} <= ask_everything(made.port, 400)
            made.graceful()
            assert {200, 401} <= ask_everything(made.port, 100)
            made.signal(made.stop_with)
            made.process.wait(PATIENCE)
            assert "AddressSanitizer" not in made.said()
