"""The example configuration, as it stands, but for its paths and its port."""

import hashlib
import re

import pytest

from apache.site import Site, example
from frame import people, wire
from frame.people import PASSWORD
from frame.server import from_example

ALICE = wire.basic("alice", PASSWORD)
ROOT = wire.basic("root", PASSWORD)
SECRET = hashlib.sha256(b"the key of the example").digest()


@pytest.fixture
def site(echo):
    made = Site("", modules=["proxy", "proxy_http"], echo=echo.port)
    policy = from_example(example("orders.toml"), {"/var/lib/gatepost/": f"{made.site}/"})
    made.policy.write_text(policy)
    (made.site / "accounts.key").write_text(SECRET.hex() + "\n")
    made.configure(from_example(example("orders.conf"), {
        "/etc/gatepost/orders.toml": made.policy, "/var/www/orders": made.site / "htdocs",
        "/var/log/apache2/orders.log": made.site / "access.log", "*:80": f"*:{made.port}", "127.0.0.1:8080": f"127.0.0.1:{echo.port}",
    }))
    people.user(made.policy, "alice", "clerk")
    people.user(made.policy, "root", "admin")
    made.page("health").page("errors/403.html", "not for you\n").page("reports/x.html", "the report\n")
    with made:
        yield made


def test_the_example_is_without_a_fault(site):
    done = site.test_configuration()
    assert (done.returncode, done.stdout + done.stderr) == (0, "Syntax OK\n")


def test_the_example_does_what_it_says(site, echo):
    host = "orders.example.com"
    assert wire.ask(site.port, "/health", host=host).status == 200
    refused = wire.ask(site.port, "/orders/7", host=host)
    assert refused.status == 401 and refused.json()["reason"] == "credentials_missing" and echo.received == []
    forged = [("X-Auth-Subject", "root"), ("x_auth_roles", "admin")]
    assert wire.ask(site.port, "/orders/7", host=host, fields=[ALICE, *forged]).status == 200
    seen = {name.lower(): value for name, value in echo.received[-1]["fields"]}
    assert (seen["x-auth-subject"], seen["x-auth-roles"], seen.get("authorization")) == ("alice", "clerk", None)
    key = people.key(site.policy, "ci", "alice")
    site.own()
    assert wire.ask(site.port, "/orders/7", host=host, fields=[("X-API-Key", key)]).status == 200
    assert "x-api-key" not in {name.lower() for name, _ in echo.received[-1]["fields"]}
    token = people.bearer(people.token(SECRET, "tom", ["clerk"]))
    assert wire.ask(site.port, "/orders/7", host=host, fields=[token]).status == 200
    denied = wire.ask(site.port, "/orders/7", method="DELETE", host=host, fields=[ALICE])
    assert (denied.status, denied.body) == (403, b"not for you\n")
    assert wire.ask(site.port, "/orders/7", method="DELETE", host=host, fields=[ROOT]).status == 200
    assert wire.ask(site.port, "/reports/x.html", host=host).status == 401, "not from the office"
    assert wire.ask(site.port, "/reports/x.html", host=host, fields=[ALICE]).body == b"the report\n"
    # Each child writes when it has answered, the first perhaps after the last.
    for line in (r'^127\.0\.0\.1 - - \[[^]]+\] "DELETE /orders/7 HTTP/1.1" 403 \d+ permission_missing \S+$',
                 r'^127\.0\.0\.1 - alice \[[^]]+\] "GET /orders/7 HTTP/1.1" 200 \d+ allowed \S+$'):
        site.wait_for(lambda: re.search(line, (site.site / "access.log").read_text(), re.MULTILINE))
    assert re.search(r"gatepost: denied 403 permission_missing client=127\.0\.0\.1 id=\S+ scheme=basic subject=\"alice\"", site.log())


def test_log_show_tells_of_the_refusal_that_somebody_has_the_id_of(site):
    refused = wire.ask(site.port, "/orders/7", host="orders.example.com").json()["id"]
    site.wait_for(lambda: refused in (site.site / "events.jsonl").read_text())
    assert "credentials_missing" in people.gatepost("log", "show", refused, "--policy", site.policy)
