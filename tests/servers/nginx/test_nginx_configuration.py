"""What an operator writes: errors that say what to do, the example, variables, privileges, fail2ban."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from frame import nginx, people, wire
from frame.places import PATIENCE, TOP, free_port, release, target
from frame.server import from_example, wait_for

from .site import site

NAME = 'eve", client: 9.9.9.9, é\\'
SECRET = "3b9d0c1f77e24a58b6c2915fe08d43a7cc10f2be5a6948d37f1e8b20a94dc563"
GUARDED = "server { listen 127.0.0.1:PORT; gatepost on; }"


def said(place, text, main=""):
    code, words = nginx.Nginx(place.folder, text, main).check()
    return code, words


def test_a_policy_with_mistakes_is_shown_with_line_and_underline(place):
    text = place.policy.read_text().replace("memory_kib = 64", "memory = 64").replace('access = "public"', 'access = "publik"', 1)
    place.policy.write_text(text)
    code, words = said(place, "gatepost_policy policy.toml; " + GUARDED)
    line = text.splitlines().index("memory = 64") + 1
    assert code == 1 and "test failed" in words
    assert f"policy.toml:{line}:1" in words and "^^^^^^" in words and "publik" in words, "all mistakes at once"
    assert "nginx.conf:" in words, "and where the policy was named"


def test_warnings_of_a_policy_are_shown_and_load(place):
    code, words = said(place, "gatepost_policy policy.toml; " + GUARDED)
    assert code == 0 and "[warn] gatepost: warning: 64 KiB make stolen password hashes cheap to guess" in words


@pytest.mark.parametrize("text, wanted", [
    ("gatepost_policy nothing.toml; " + GUARDED, "nothing.toml"),
    (GUARDED, r'"gatepost on" without a policy: add "gatepost_policy FILE;"'),
    ("gatepost_policy policy.toml; gatepost_policy policy.toml; " + GUARDED, '"gatepost_policy" directive is duplicate'),
    ("gatepost maybe; " + GUARDED, 'it must be "on" or "off"'),
    ('gatepost_policy ""; ' + GUARDED, "names no file"),
    ("gatepost_pool threads=0; " + GUARDED, "takes threads= from 1 to 256"),
    ("gatepost_pool threads=257; " + GUARDED, "takes threads= from 1 to 256"),
    ("gatepost_pool queue=many; " + GUARDED, "takes queue= from 1 to 65536"),
    ("gatepost_pool speed=9; " + GUARDED, 'takes threads=, queue= and thread_pool=, not "speed=9"'),
    ("gatepost_pool threads=1; gatepost_pool threads=1; " + GUARDED, '"gatepost_pool" directive is duplicate'),
    ("gatepost_pool thread_pool=none; gatepost_policy policy.toml; " + GUARDED, 'unknown thread pool "none"'),
])
def test_a_wrong_directive_is_an_error_that_says_what_to_write(place, text, wanted):
    code, words = said(place, text)
    assert code == 1 and wanted in words, words


def test_a_policy_that_nobody_asks_is_a_warning(place):
    code, words = said(place, "gatepost_policy policy.toml; server { listen 127.0.0.1:PORT; }")
    assert code == 0 and 'is asked nowhere: nothing is checked there; add "gatepost on;"' in words


def test_a_guarded_server_needs_a_policy_though_another_has_one(place):
    code, words = said(place, "gatepost on; server { listen 127.0.0.1:PORT; gatepost_policy policy.toml; } server { listen 127.0.0.1:PORT; server_name b; }")
    assert code == 1 and "without a policy" in words


def test_variables_say_what_was_decided_and_nothing_where_nothing_was(place, echo):
    log = "log_format g '$gatepost_action|$gatepost_reason|$gatepost_subject|$gatepost_issuer|$gatepost_scheme|$gatepost_roles|$gatepost_id';"
    locations = f"access_log {place.folder}/access.log g; location / {{ proxy_pass http://ECHO; }} location /off {{ gatepost off; return 204; }}"
    with site(place, locations, before=log, echo=echo) as server:
        for target, fields in [("/orders/1", [place.token]), ("/orders/1", [place.alice]), ("/admin/1", [place.alice]), ("/orders/1", []), ("/public/1", []), ("/off", [])]:
            wire.ask(server.port, target, fields=fields)
        file = place.folder / "access.log"
        lines = wait_for(lambda: (found := file.read_text().splitlines()) and len(found) == 6 and found)
    ids = [line.rsplit("|", 1)[1] for line in lines]
    assert len(set(ids[:5])) == 5 and all(re.fullmatch(r"[0-9a-f]+-\d+", i) for i in ids[:5])
    assert [line.rsplit("|", 1)[0] for line in lines] == [
        "allow|allowed|sam|https://accounts.example.com|bearer|clerk", "allow|allowed|alice|-|basic|clerk",
        "deny|role_missing|alice|-|basic|-", "deny|credentials_missing|-|-|-|-", "allow|public|-|-|-|-", "-|-|-|-|-|-",
    ] or lines[2].startswith("deny|role_missing|alice|-|basic|clerk"), lines


def test_a_name_that_a_client_made_up_forges_no_line(place, echo):
    with site(place, "location / { proxy_pass http://ECHO; }", echo=echo) as server:
        assert wire.ask(server.port, "/admin/1", fields=[people.bearer(people.token(place.secret, NAME, ["clerk"]))]).status == 403
        line = next(line for line in server.log().splitlines() if "role_missing" in line)
        assert 'subject="eve%22%2C%20client:%209.9.9.9%2C%20%C3%A9%5C", client: 127.0.0.1,' in line


def test_the_example_is_what_works(place, echo):
    """As root its workers become another user, who can read neither the policy nor its keys."""
    folder = place.folder
    shutil.copy(TOP / "examples" / "nginx" / "orders.toml", folder / "orders.toml")
    (folder / "accounts.key").write_text(SECRET)
    state = folder / "state"
    state.mkdir()
    text = (folder / "orders.toml").read_text()
    assert '"/var/lib/gatepost/orders.db"' in text
    (folder / "orders.toml").write_text(text.replace("/var/lib/gatepost", str(state)))
    people.user(folder / "orders.toml", "alice", "clerk")
    as_root = os.geteuid() == 0
    if as_root:
        for path in [state, *state.iterdir()]:
            shutil.chown(path, "www-data", "www-data")
        for name in ("orders.toml", "accounts.key"):
            os.chmod(folder / name, 0o600)
        for parent in [folder, *folder.parents]:
            if parent.stat().st_mode & 1 == 0:
                parent.chmod(parent.stat().st_mode | 0o11)
    port = free_port()
    conf = from_example(nginx.EXAMPLE, {
        "/usr/lib/nginx/modules/ngx_http_gatepost_module.so": nginx.module(), "/run/nginx.pid": folder / "nginx.pid",
        "/var/log/nginx": folder, "/etc/gatepost": folder, "listen 80;": f"listen 127.0.0.1:{port};",
        "127.0.0.1:3000": f"127.0.0.1:{echo.port}", "user www-data;": "user www-data;" if as_root else "",
    })
    with nginx.Nginx(folder, "", conf=conf, port=port) as server:
        ask = lambda target, *fields: wire.ask(port, target, host="orders.example.com", fields=fields).status  # noqa: E731
        assert ask("/orders/1", people.basic_of("alice")) == 200, server.said()
        assert dict(echo.received[-1]["fields"])["X-Auth-Subject"] == "alice"
        token = people.token(bytes.fromhex(SECRET), "sam", ["clerk"])
        assert ask("/orders/1", people.bearer(token)) == 200
        assert (ask("/orders/1"), ask("/admin/1", people.basic_of("alice")), ask("/health")) == (401, 403, 200)
        if as_root:
            owners = {os.stat(f"/proc/{worker}").st_uid for worker in server.worker_ids()}
            assert owners == {shutil._get_uid("www-data")}
        line = re.compile(r'"alice" \[.*\] "GET /orders/1 HTTP/1.1" 200 \d+ allowed [0-9a-f]+-\d+')
        server.wait_for(lambda: line.search((folder / "access.log").read_text()))  # it is written after the answer


def test_a_state_that_cannot_be_opened_refuses_until_it_can(place, echo):
    place.policy.write_text(place.policy.read_text().replace('"orders.db"', '"there/orders.db"'))
    with site(place, "location / { proxy_pass http://ECHO; }", echo=echo) as server:
        for _ in range(5):
            answer = wire.ask(server.port, "/public/1", fields=[("X-Auth-Subject", "root")])
            assert answer.status == 503 and not echo.received
        time.sleep(2.5)  # it is tried again in that time, more than once
        errors = [line for line in server.log().splitlines() if "[error]" in line]
        assert len(errors) == 1 and "cannot start" in errors[0] and "public ones too" in errors[0], errors
        assert f"{place.policy}" in errors[0] and "there/orders.db" in errors[0], "it names the policy and what is lacking"
        assert server.log().count("denied 503 state_unavailable") == 5 and "not called in this process" not in server.log()
        (place.folder / "there").mkdir()
        wait_for(lambda: wire.ask(server.port, "/public/1").status == 200, otherwise=server.said)
        assert "has started" in server.log()


def test_a_state_that_breaks_later_is_told_once_with_the_policy(place, echo):
    with site(place, "location / { proxy_pass http://ECHO; }", echo=echo) as server:
        assert wire.ask(server.port, "/orders/1", fields=[place.alice]).status == 200
        with sqlite3.connect(place.folder / "orders.db", timeout=PATIENCE) as state:
            state.execute("PRAGMA writable_schema = ON")
            for (name,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall():
                state.execute(f'DROP TABLE "{name}"')
        answers = [wire.ask(server.port, "/orders/1", fields=[people.basic_of("root")]).status for _ in range(5)]
        assert answers == [503] * 5, server.said()
        told = [line for line in server.log().splitlines() if "denied 503 state_unavailable" in line]
        assert len(told) == 5 and ["[error]" in line for line in told] == [True, False, False, False, False]
        assert f'policy="{place.policy}": ' in told[0] and "permissions" in told[0]


def test_a_reload_with_a_broken_policy_says_that_the_old_one_holds(place, echo):
    with site(place, "location / { proxy_pass http://ECHO; }", echo=echo) as server:
        place.policy.write_text(place.policy.read_text() + "\nnonsense = 1\n")
        asked = subprocess.run([*server.command[:-2], "-s", "reload"], capture_output=True, text=True, timeout=PATIENCE)
        assert asked.returncode == 1 and "nonsense" in asked.stderr and "stay in force" not in server.log()
        assert wire.ask(server.port, "/orders/1", fields=[place.alice]).status == 200
        server.signal(signal.SIGHUP)
        server.wait_for(lambda: "policies from before stay in force" in server.log())
        assert wire.ask(server.port, "/orders/1", fields=[place.alice]).status == 200
        code, words = server.check()
        assert code == 1 and "stay in force" not in words, "a test of the configuration changes nothing"


def test_install_puts_the_module_where_it_is_told(tmp_path):
    # A folder of its own: what is built for another place would have the module of the tests built again.
    out = target() / "nginx" / "install"
    environment = {**os.environ, "GATEPOST_RELEASE": str(release()), "OUT": str(out), "DESTDIR": str(tmp_path), "MODULES": "/lib/modules"}
    done = subprocess.run([str(nginx.MODULE / "build.sh"), "install"], capture_output=True, text=True, env=environment)
    made = tmp_path / "lib" / "modules" / "ngx_http_gatepost_module.so"
    assert done.returncode == 0 and made.exists(), done.stderr
    dynamic = subprocess.run(["readelf", "-d", str(made)], capture_output=True, text=True).stdout
    assert "libgatepost.so.0" in dynamic and "RUNPATH" not in dynamic, "the system's loader finds the library"
    done = subprocess.run([str(nginx.MODULE / "build.sh"), "fly"], capture_output=True, text=True)
    assert done.returncode == 1 and "build, install or test, not fly" in done.stderr
