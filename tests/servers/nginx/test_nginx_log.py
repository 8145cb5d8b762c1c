"""Who is said to have been refused: the error log, the log that fail2ban reads, and what a client can write into them."""

import re
import subprocess
import time
import urllib.parse

from frame import nginx, people, wire
from frame.places import PATIENCE, TOP

from .site import page, site

PROXY = "proxy_pass http://ECHO;"
PROXIES = '\n[proxies]\ntrusted = ["127.0.0.1/32"]\nheader = "X-Forwarded-For"\n'
ANY = "satisfy any; auth_basic Other; auth_basic_user_file htpasswd;"


def directives():
    """The two that the filter asks for, as the filter has them."""
    text = (TOP / "bindings" / "fail2ban" / "gatepost.conf").read_text()
    found = re.findall(r"^#   (log_format .*;|access_log .*;)$", text, re.M)
    assert len(found) == 2
    for line in found:
        assert line in (TOP / "docs" / "NGINX.md").read_text()
    return found


def refusals(place):
    """The log of refusals: these servers have "access_log off" outside of `server`."""
    form, log = directives()
    return {"before": form, "server": "gatepost on; " + log.replace("/var/log/nginx", str(place.folder))}


def matched(place, count):
    """What the filter counts in the log of refusals."""
    log = place.folder / "gatepost.log"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and len(log.read_text().splitlines()) < count:
        time.sleep(0.02)
    filter_ = TOP / "bindings" / "fail2ban" / "gatepost.conf"
    done = subprocess.run(["fail2ban-regex", "--print-all-matched", str(log), str(filter_)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return re.findall(r"^\|  (.*)$", done.stdout.split("Matched line", 1)[1].split("`-", 1)[0], re.M) if "Matched line" in done.stdout else []


def test_fail2ban_counts_guesses_and_nothing_else(place, echo):
    place.policy.write_text(place.policy.read_text() + PROXIES)
    bad = people.basic_of("alice", "wrong")
    other = nginx.policy(place.folder / "other")  # whose keys are not known here
    people.user(other, "alice")
    unknown = ("X-API-Key", people.key(other, "ci", "alice"))
    with site(place, f"location / {{ {PROXY} }}", echo=echo, **refusals(place)) as server:
        for number, fields in enumerate([[bad], [bad], [unknown], [], [place.alice], [people.bearer("a.b.c")]]):
            wire.ask(server.port, "/orders/1", fields=[*fields, ("X-Forwarded-For", f"192.0.2.{number}")])
        wire.ask(server.port, "/orders/1?client=203.0.113.9%20id=", fields=[("X-Forwarded-For", "192.0.2.77"), ("User-Agent", "gatepost: denied 401 credentials_invalid client=203.0.113.9 id=")])
        wire.ask(server.port, "/gatepost:denied", method="GET", host="gatepost", fields=[("Referer", "gatepost: denied 429 throttled client=203.0.113.9 id=1")])
        lines = matched(place, 7)
    assert len(lines) == 3 and all(f"client=192.0.2.{n} " in line for n, line in enumerate(lines)), lines


def test_a_path_with_line_breaks_has_nobody_banned(place, echo):
    """nginx writes such a path into its error log as it is."""
    page(place, "free/there", "there")
    forged = '\n2026-11-26T12:00:00+00:00 gatepost: denied 401 credentials_invalid client=203.0.113.9 id=5\n'
    locations = f"root html; location /free/ {{ gatepost off; }}\nlocation / {{ {PROXY} }}"
    with site(place, locations, echo=echo, **refusals(place)) as server:
        for target in ("/free/", "/orders/"):
            assert wire.ask(server.port, target + urllib.parse.quote("x" + forged + "y")).status in (400, 404)
        assert wire.ask(server.port, "/orders/1", fields=[people.basic_of(forged, forged)]).status == 401
        assert forged in server.log(), "or there would be nothing to be afraid of"
        lines = matched(place, 2)
    assert "203.0.113.9" not in " ".join(lines), lines
    assert "/gatepost.log" in (TOP / "docs" / "NGINX.md").read_text().split("[gatepost]")[1].split("END")[0]


def test_whom_another_module_lets_in_was_not_refused(place, echo):
    subprocess.run(["htpasswd", "-bc", str(place.folder / "htpasswd"), "basil", "nginx only"], check=True, capture_output=True)
    basil = people.basic_of("basil", "nginx only")
    locations = f"location / {{ {ANY} {PROXY} }}\nlocation /orders/gone {{ {ANY} error_page 401 = @gone; {PROXY} }}\nlocation @gone {{ return 444; }}"
    with site(place, locations, echo=echo, **refusals(place)) as server:
        assert wire.ask(server.port, "/orders/1", fields=[basil]).status == 200
        assert wire.ask(server.port, "/orders/1", fields=[people.basic_of("basil", "wrong")]).status == 401
        lines = [line for line in server.log().splitlines() if "gatepost: denied" in line]
        assert len(lines) == 1 and " 401 credentials_invalid " in lines[0]
        with wire.Connection(server.port) as connection:
            connection.send(wire.request("/orders/gone", fields=[people.basic_of("basil", "worse")]))
            assert connection.ended()
        server.wait_for(lambda: server.log().count("gatepost: denied 401") == 2)
        assert wire.ask(server.port, "/orders/1", fields=[place.alice]).status == 200
        assert len(matched(place, 2)) == 2
