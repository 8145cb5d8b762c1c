"""What httpd says of a configuration before it runs, and what becomes of a policy that does not load later."""

import os
import re
import subprocess
import time
from datetime import datetime

import pytest

from apache import build
from apache.site import POLICY, SIZES, Site
from frame import wire
from frame.people import PASSWORD
from frame.places import TOP

ALICE = wire.basic("alice", PASSWORD)
ONE_CHILD = "StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMaxRequestWorkers 8\n"
ON = 'GatepostPolicy "@POLICY@"\n<Location "/">\nGatepost on\n</Location>\n'


@pytest.fixture
def checked():
    """Configures a site and returns (exit code, what `configtest` says)."""
    made = []

    def check(config, policy=POLICY, **more):
        site = Site(config, policy, **more)
        made.append(site)
        done = site.test_configuration()
        return done.returncode, done.stdout + done.stderr

    yield check
    for site in made:
        site.stop()


def test_a_good_configuration_is_said_to_be_good(checked):
    assert checked(ON) == (0, "Syntax OK\n")


def test_every_fault_of_a_policy_is_shown_with_its_place(checked):
    broken = POLICY.replace('role = "admin"', 'role = "amin"').replace('access = "public"', 'acess = "public"')
    code, said = checked(ON, broken)
    assert code == 1
    assert "there is no role `amin`" in said and "acess" in said, "both faults"
    lines = broken.splitlines()
    for fault in ('acess = "public"', 'require = { role = "amin" }'):
        number = lines.index(fault) + 1
        assert f"orders.toml:{number}:" in said
        assert f"\n{number} | {fault}\n" in said, "the line itself"
    assert "^^^^" in said and "= help:" in said
    assert "GatepostPolicy: " in said and "httpd.conf" in said, "and where in httpd's own configuration"


def test_a_policy_that_cannot_be_read_is_an_error(checked):
    code, said = checked('GatepostPolicy "@FOLDER@/nowhere.toml"\n')
    assert code == 1 and "nowhere.toml" in said and "does not load" in said


def test_warnings_of_a_policy_are_shown_and_stop_nothing(checked):
    code, said = checked(ON, POLICY + '[password]\nmin_length = 8\n')
    assert code == 0 and "warning:" in said and "min_length" in said and "Syntax OK" in said


@pytest.mark.parametrize("config, wrong", [
    ('<Location "/">\nGatepost on\n</Location>\n', 'says "Gatepost on", but no GatepostPolicy'),
    ('<Location "/">\nRequire gatepost\n</Location>\n', 'says "Require gatepost", but no GatepostPolicy'),
    (ON + '<Location "/x">\nRequire gatepost alice\n</Location>\n', "Require gatepost stands alone"),
    (ON.replace("Gatepost on", "Gatepost perhaps"), "Gatepost must be On or Off"),
    ("GatepostPolicy\n", "GatepostPolicy takes one argument"),
    (ON + "<Directory />\n<Limit POST>\nGatepost off\n</Limit>\n</Directory>\n", "Gatepost cannot occur within <Limit>"),
    ('<Directory />\n<LimitExcept GET>\nGatepostPolicy "@POLICY@"\n</LimitExcept>\n</Directory>\n', "cannot occur within <Limit>"),
])
def test_what_asks_for_no_policy_or_for_nothing_is_an_error(checked, config, wrong):
    code, said = checked(config)
    assert code == 1 and wrong in said, said


POLICY_ALONE = 'GatepostPolicy "@POLICY@"\n'
HOST = '<VirtualHost 127.0.0.1:@PORT@>\nServerName {name}\n{inner}</VirtualHost>\n'
HOST_A, ON_SHOP = "a.example.com", '<Location "/shop">\nGatepost on\n</Location>\n'


def host(inner, name=HOST_A):
    return HOST.format(name=name, inner=inner)


FORGOTTEN = {
    "nowhere": POLICY_ALONE,
    "in a section": f'<Location "/shop">\n{POLICY_ALONE}</Location>\n',
    "asked beside it": f'<Location "/admin">\n{POLICY_ALONE}</Location>\n{ON_SHOP}',
    "in another host": host(ON) + host(POLICY_ALONE, "b.example.com"),
    "of another policy": POLICY_ALONE + host(ON.replace("@POLICY@", "@FOLDER@/other.toml")),
    "users of another module": POLICY_ALONE + '<Location "/shop">\nAuthType Basic\nAuthName x\nRequire valid-user\n</Location>\n',
    "no Require in .htaccess": POLICY_ALONE + '<Directory "@FOLDER@/htdocs">\nAllowOverride FileInfo\n</Directory>\n',
}
ASKED = {
    "at once": ON,
    "in the host": POLICY_ALONE + host(ON_SHOP),
    "for all hosts": ON + host(POLICY_ALONE),
    "around it": f'<Location "/">\nGatepost on\n</Location>\n<Location "/shop">\n{POLICY_ALONE}</Location>\n',
    "around it, of another policy": ON + host(f'<Location "/shop">\nGatepostPolicy "@FOLDER@/other.toml"\n</Location>\n'),
    "below it": f'<Location "/shop">\n{POLICY_ALONE}</Location>\n<Location "/shop/till">\nRequire gatepost\n</Location>\n',
    "as one voice": POLICY_ALONE + '<Location "/shop">\n<RequireAny>\nRequire local\nRequire gatepost\n</RequireAny>\n</Location>\n',
    "under a condition": POLICY_ALONE + "<IfModule mod_dir.c>\n" + ON_SHOP + "</IfModule>\n",
    "as a user": POLICY_ALONE + '<Location "/shop">\nRequire valid-user\n</Location>\n',
    "perhaps in .htaccess": POLICY_ALONE + '<Directory "@FOLDER@/htdocs">\nAllowOverride AuthConfig\n</Directory>\n',
    "off, and so it is meant": POLICY_ALONE + "Gatepost off\n",
}


def configured(config):
    site = Site("", modules=["auth_basic", "authn_file"]).page("page.html")
    (site.site / "other.toml").write_text(POLICY.replace("orders.db", "other.db"))
    site.configure(config)
    return site


@pytest.mark.parametrize("config", FORGOTTEN.values(), ids=FORGOTTEN)
def test_a_policy_that_nothing_asks_is_a_warning_with_its_place(config):
    site = configured(config)
    done = site.test_configuration()
    said, lines = done.stdout + done.stderr, site.configuration.read_text().splitlines()
    site.stop()
    place = re.search(r"httpd\.conf:(\d+): a GatepostPolicy is named, but .*: nothing is checked", said)
    assert done.returncode == 0 and said.count("nothing is checked") == 1, said
    last = [number for number, line in enumerate(lines, 1) if line.startswith("GatepostPolicy") and "other" not in line][-1]
    assert int(place.group(1)) == last


@pytest.mark.parametrize("config", ASKED.values(), ids=ASKED)
def test_a_policy_that_something_asks_is_no_warning(config):
    site = configured(config)
    done = site.test_configuration()
    site.stop()
    assert (done.returncode, done.stdout + done.stderr) == (0, "Syntax OK\n")


def test_install_puts_the_module_where_it_is_told(tmp_path):
    script, folder = TOP / "bindings" / "apache" / "build.sh", build.module().parent
    asked = [[script, "-o", folder, "install"], [script, "-o", tmp_path / "empty", "install"]]
    done, early = (subprocess.run(one, capture_output=True, text=True, env={**os.environ, "DESTDIR": str(tmp_path)}) for one in asked)
    made = tmp_path / str(build.modules()).lstrip("/") / "mod_gatepost.so"
    assert done.returncode == 0 and made.read_bytes() == (folder / "mod_gatepost.so").read_bytes(), done.stderr
    load = tmp_path / "etc/apache2/mods-available/gatepost.load"
    assert load.read_text() == f"LoadModule gatepost_module {build.modules()}/mod_gatepost.so\n" and str(load) in done.stdout
    assert early.returncode == 1 and "run bindings/apache/build.sh first" in early.stderr


def test_at_the_start_and_at_a_restart_the_error_log_has_the_warning_once():
    with configured(POLICY_ALONE) as site:
        assert wire.ask(site.port, "/page.html").status == 200, "so it is"
        assert len(site.told("nothing is checked")) == 1
        site.graceful()
        assert len(site.told("nothing is checked")) == 2


def test_htaccess_cannot_switch_anything_off():
    config = ON + '<Directory "@FOLDER@/htdocs">\nAllowOverride All\n</Directory>\n'
    site = Site(config, modules=["access_compat"]).page("page.html").page("own/.htaccess", "Gatepost off\n").page("own/page.html")
    opens = {"required": "Require all granted\n", "satisfied": "Order allow,deny\nAllow from all\nSatisfy Any\n"}
    for place, words in opens.items():
        site.page(f"{place}/.htaccess", words).page(f"{place}/page.html")
    with site:
        for place in opens:
            assert wire.ask(site.port, f"/{place}/page.html").status == 401
        assert wire.ask(site.port, "/page.html").status == 401
        assert wire.ask(site.port, "/own/page.html").status == 500
        assert "Gatepost not allowed here" in site.log()


def test_require_in_htaccess_is_a_voice_like_any_other():
    config = 'GatepostPolicy "@POLICY@"\n<Directory "@FOLDER@/htdocs">\nAllowOverride AuthConfig\n</Directory>\n'
    site = Site(config, users={"alice": []}).page("own/.htaccess", "Require gatepost\n").page("own/page.html")
    with site:
        assert wire.ask(site.port, "/own/page.html").status == 401
        assert wire.ask(site.port, "/own/page.html", fields=[ALICE]).status == 200


def test_the_same_file_is_one_engine_and_another_file_another():
    """What is throttled in one place is throttled in another of the same file, and not of another file."""
    config = """
GatepostPolicy "@POLICY@"
Gatepost on
<Location "/same">
    GatepostPolicy "@FOLDER@/../@NAME@/orders.toml"
</Location>
<Location "/other">
    GatepostPolicy "@FOLDER@/other.toml"
</Location>
"""
    site = Site("", sizes=ONE_CHILD)
    (site.site / "other.toml").write_text(POLICY.replace("orders.db", "other.db"))
    site.words["@NAME@"] = site.site.name
    site.configure(config)
    wrong = wire.basic("nobody", "no password of anybody")
    with site:
        for _ in range(5):
            assert wire.ask(site.port, "/x", fields=[wrong]).status == 401
        assert wire.ask(site.port, "/x", fields=[wrong]).status == 429
        assert wire.ask(site.port, "/same/x", fields=[wrong]).status == 429
        assert wire.ask(site.port, "/other/x", fields=[wrong]).status == 401


@pytest.mark.parametrize("mpm", sorted(SIZES))
def test_a_graceful_restart_swaps_the_policy_and_keeps_it_where_the_new_one_does_not_load(mpm):
    with Site(ON, users={"alice": []}, mpm=mpm).page("page.html") as site:
        assert wire.ask(site.port, "/page.html").status == 401
        site.policy.write_text(POLICY.replace('[[route]]\npath = "/{*rest}"', '[[route]]\npath = "/{*rest}"\naccess = "public"'))
        site.own()
        site.renew()  # or a child from before may answer yet after the next restart
        assert wire.ask(site.port, "/page.html").status == 200
        site.policy.write_text("[engine]\nname = 7\n")
        site.graceful()
        assert "the policy from before stays in force" in site.log() and "orders.toml:2:8" in site.log()
        for _ in range(20):
            assert wire.ask(site.port, "/page.html").status == 200
        site.policy.write_text(POLICY)
        site.graceful()
        site.wait_for(lambda: wire.ask(site.port, "/page.html").status == 401)
        assert wire.ask(site.port, "/page.html", fields=[ALICE]).status == 200


def test_a_policy_from_before_stays_in_force_where_other_modules_come_and_go():
    """It calls this module, which httpd unloads and loads anew, perhaps at another place."""
    other = ["rewrite", "proxy", "dav", "autoindex", "include", "lua", "ssl", "http2", "socache_shmcb"]
    site = Site(ON).page("public/page.html")
    with site:
        site.policy.write_text("[engine]\nname = 7\n")
        for loads in (site.loads + other, site.loads):
            site.loads = loads
            site.configure(ON)
            site.graceful()
            assert "the policy from before stays in force" in site.log()
            for _ in range(20):
                assert wire.ask(site.port, "/page.html").status == 401
                assert wire.ask(site.port, "/public/page.html").status == 200


def test_a_policy_that_does_not_load_at_the_start_stops_httpd():
    site = Site(ON, "[engine]\nname = 7\n")
    with pytest.raises(RuntimeError, match="orders.toml:2:8"):
        site.start()
    site.stop()


def test_without_its_state_everything_is_refused_until_it_is_there():
    site = Site(ON, POLICY.replace("orders.db", "state/orders.db"), sizes=ONE_CHILD).page("page.html")
    with site:
        answer = wire.ask(site.port, "/page.html")
        assert answer.status == 503
        assert "cannot decide yet" in site.log() and "denied 503 state_unavailable" in site.log()
        assert f"policy={site.policy}: " in site.told("denied 503")[-1], "whose state it is"
        assert wire.ask(site.port, "/public/page.html").status == 503, "also what the policy calls public"
        assert "gatepost_engine_start" not in site.log(), "no word of the inside"
        before = len(site.told("cannot decide yet"))
        time.sleep(2.5)
        assert len(site.told("cannot decide yet")) == before, "not again at each try"
        (site.site / "state").write_text("no folder\n")
        site.wait_for(lambda: len(site.told("cannot decide yet")) > before)
        assert len(set(re.findall(r"gatepost: (\S+state/orders\.db cannot .*)", site.log()))) == 2, "each cause in its own words"
        (site.site / "state").unlink()
        (site.site / "state").mkdir()
        site.own()
        site.wait_for(lambda: wire.ask(site.port, "/page.html").status == 401)
        site.wait_for(lambda: "decides again" in site.log())


def test_why_nothing_is_decided_is_said_again_after_a_while():
    """A minute; three seconds in this build."""
    site = Site(ON, POLICY.replace("orders.db", "state/orders.db"), sizes=ONE_CHILD, module=build.module("--testing"))
    with site.page("page.html"):
        site.wait_for(lambda: len(site.told("state/orders.db cannot ")) >= 3)
        moments = [datetime.strptime(line[1:].split("]")[0], "%a %b %d %H:%M:%S.%f %Y") for line in site.told("state/orders.db cannot ")]
        gaps = [(later - before).total_seconds() for before, later in zip(moments, moments[1:])]
        # Of one that was written late the next seems early.
        assert sum(gap >= 1.9 for gap in gaps) >= len(gaps) - 1, moments
