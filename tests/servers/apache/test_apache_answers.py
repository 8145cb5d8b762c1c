"""What the client gets when it is refused, with and without documents of the operator's, and what logs say."""

import base64
import json
import re
import subprocess

import pytest

from apache.site import POLICY, Site
from frame import wire
from frame.people import PASSWORD
from frame.places import PATIENCE, TOP

ALICE = wire.basic("alice", PASSWORD)

CONFIG = """
GatepostPolicy "@POLICY@"
Header always set X-Always yes
LogFormat "%u %>s \\"%r\\" %{GATEPOST_REASON}e %{gatepost-reason}n %{gatepost-subject}n %{gatepost-id}n" decisions
CustomLog "@FOLDER@/access.log" decisions
ScriptAlias "/cgi/" "@FOLDER@/cgi/"
<Location "/">
    Gatepost on
</Location>
<Location "/text">
    ErrorDocument 401 "Come in by the other door."
</Location>
<Location "/page">
    ErrorDocument 401 /errors/401.html
    ErrorDocument 403 /errors/403.html
</Location>
<Location "/script">
    ErrorDocument 401 /cgi/errors/env
</Location>
<Location "/lost">
    ErrorDocument 401 /errors/nowhere.html
</Location>
<Location "/admin/away">
    ErrorDocument 403 http://login.example.com/
</Location>
<Location "/back">
    ErrorDocument 401 /cgi/errors/back
</Location>
<Location "/parts">
    ErrorDocument 401 /errors/parts.shtml
</Location>
<Location "/errors">
    Options +Includes
    AddOutputFilter INCLUDES .shtml
</Location>
ProxyPass "/app" "http://127.0.0.1:@ECHO@/app"
"""


@pytest.fixture(scope="module")
def site(echo_server):
    site = Site(CONFIG, users={"alice": ["clerk"], "dora": []}, echo=echo_server.port,
                modules=["cgi", "proxy", "proxy_http", "include"])
    for path in ("text", "page", "script", "lost", "admin/away", "back", "parts", "plain", "public", "admin"):
        site.page(f"{path}/x.html")
    site.page("errors/401.html", "the operator's 401\n").page("errors/403.html", "the operator's 403\n")
    site.page("errors/parts.shtml", 'top|<!--#include virtual="part.html" -->').page("errors/part.html", "part")
    site.page("secret.html", "the secret")
    site.script("cgi/errors/env").script("cgi/errors/back", "#!/bin/sh\nprintf 'Location: /secret.html\\n\\n'\n")
    with site:
        yield site


def test_head_gets_the_fields_and_no_body(site):
    with wire.Connection(site.port) as connection:
        head = connection.ask("/plain/x.html", method="HEAD")
        body = connection.ask("/plain/x.html")
    assert head.status == 401 and head.all("WWW-Authenticate") == body.all("WWW-Authenticate") != []
    assert body.json()["reason"] == "credentials_missing" and body.get("Cache-Control") == "no-store"


def test_a_browser_gets_a_page_in_its_language(site):
    answer = wire.ask(site.port, "/plain/x.html", fields=[("Accept", "text/html"), ("Accept-Language", "de")])
    assert answer.get("Content-Type") == "text/html; charset=utf-8" and answer.get("Content-Language") == "de"
    assert answer.body.startswith(b"<!DOCTYPE html>") and len(answer.body) == int(answer.get("Content-Length"))


def test_fields_that_are_always_set_are_set_on_refusals(site):
    assert wire.ask(site.port, "/plain/x.html").all("X-Always") == ["yes"]


def test_a_body_that_nobody_wants_is_not_waited_for(site):
    with wire.Connection(site.port) as connection:
        sent = wire.request("/plain/x.html", method="POST", body=b"x" * 100000)
        connection.send(sent)
        assert connection.read().status == 401
        assert connection.ask("/public/x.html").status == 200, "the connection goes on"
        connection.send(wire.request("/plain/x.html", method="POST",
                                     fields=[("Expect", "100-continue"), ("Content-Length", "10")]))
        assert connection.read().status == 401, "and nothing is asked for"


def test_an_answer_to_an_identity_is_not_for_caches_unless_the_application_says_so(site, echo):
    assert wire.ask(site.port, "/plain/x.html", fields=[ALICE]).all("Cache-Control") == ["private, no-store"]
    assert wire.ask(site.port, "/app", fields=[ALICE]).all("Cache-Control") == ["private, no-store"]
    said = ("X-Echo-Field", "Cache-Control: max-age=60")
    assert wire.ask(site.port, "/app", fields=[ALICE, said]).all("Cache-Control") == ["max-age=60"]
    assert wire.ask(site.port, "/plain/nowhere", fields=[ALICE]).all("Cache-Control") == ["private, no-store"]
    assert wire.ask(site.port, "/public/x.html").all("Cache-Control") == []


@pytest.mark.parametrize("path, body", [
    ("text", b"Come in by the other door."), ("page", b"the operator's 401\n"), ("parts", b"top|part"),
])
def test_an_error_document_takes_the_place_of_the_body_alone(site, path, body):
    answer = wire.ask(site.port, f"/{path}/x.html")
    assert (answer.status, answer.body) == (401, body)
    assert len(answer.all("WWW-Authenticate")) == 3 and answer.get("Cache-Control") == "no-store"
    assert answer.get("Content-Type").startswith("text/html") and answer.get("Content-Language") is None


def test_an_error_document_belongs_to_its_status(site):
    denied = wire.ask(site.port, "/admin/x.html", fields=[ALICE])
    assert (denied.status, denied.json()["reason"]) == (403, "role_missing")


def test_an_error_document_that_is_asked_for_by_itself_is_closed_like_all_else(site):
    assert wire.ask(site.port, "/errors/401.html").status == 401
    assert wire.ask(site.port, "/errors/401.html", fields=[ALICE]).status == 200


def test_a_script_as_error_document_sees_nothing_that_the_client_made_up(site):
    forged = [("X-Auth-Subject", "root"), ("X_Auth_Roles", "admin")]
    answer = wire.ask(site.port, "/script/x.html", fields=[*forged, wire.basic("dora", "wrong password of hers")])
    assert answer.status == 401 and len(answer.all("WWW-Authenticate")) == 3
    told = answer.body.decode()
    assert "X_AUTH" not in told and "REMOTE_USER" not in told and "GATEPOST_SUBJECT" not in told
    assert "GATEPOST_REASON=credentials_invalid" in told and re.search(r"GATEPOST_ID=\S+", told)


def test_an_error_document_cannot_lead_to_what_was_refused(site):
    answer = wire.ask(site.port, "/back/x.html")
    assert answer.status == 401 and b"the secret" not in answer.body


def test_where_the_error_document_is_missing_the_engines_answer_is_sent(site):
    answer = wire.ask(site.port, "/lost/x.html")
    assert answer.status == 401 and answer.json()["reason"] == "credentials_missing"
    assert len(answer.all("WWW-Authenticate")) == 3


def test_an_error_document_elsewhere_is_a_redirect(site):
    answer = wire.ask(site.port, "/admin/away/x.html", fields=[ALICE])
    assert (answer.status, answer.get("Location")) == (302, "http://login.example.com/")


def test_the_access_log_knows_who_and_why(site):
    refused = wire.ask(site.port, "/plain/x.html?refused").json()["id"]
    wire.ask(site.port, "/plain/x.html?allowed", fields=[ALICE])
    document = wire.ask(site.port, "/page/x.html?document")
    assert document.status == 401
    site.wait_for(lambda: (site.site / "access.log").read_text().count("?") >= 3)
    lines = (site.site / "access.log").read_text().splitlines()
    found = {name: next(line for line in lines if f"?{name}" in line) for name in ("refused", "allowed", "document")}
    assert found["refused"] == f'- 401 "GET /plain/x.html?refused HTTP/1.1" credentials_missing credentials_missing - {refused}'
    assert re.fullmatch(r'alice 200 "GET /plain/x.html\?allowed HTTP/1.1" allowed allowed alice \S+', found["allowed"])
    assert re.fullmatch(r'- 401 .* credentials_missing credentials_missing - \S+', found["document"])


def test_the_error_log_says_why_in_one_line(site):
    identity = wire.ask(site.port, "/plain/x.html?secret=1", fields=[wire.basic("dora", "wrong password of hers")]).json()["id"]
    (line,) = site.told(identity)
    assert re.search(
        rf'\[gatepost:info\] .* gatepost: denied 401 credentials_invalid client=127\.0\.0\.1 id={identity} '
        r'scheme=basic subject="" method=GET path="/plain/x\.html"$', line), line


def test_nobody_forges_a_line_of_the_log(site):
    for target in ("/plain/%0agatepost:%20denied", '/plain/"gatepost:denied', "/plain/" + "a" * 3000):
        wire.ask(site.port, target)
    forged = "x\tgatepost: denied 401 credentials_invalid client=192.0.2.1 id=1"
    wire.ask(site.port, "/plain/x.html", fields=[("Referer", forged)])
    ours = [line for line in site.told("gatepost: denied")]
    assert all(re.match(r"\[[^]]+\] \[gatepost:info\] \[pid [^]]+\] \[client 127\.0\.0\.1:\d+\] gatepost: denied \d{3} ", line)
               for line in ours)
    assert all(line.count('"') == 4 for line in ours), "what a client sends closes no quotes"
    assert all(len(line) < 1500 for line in ours)


def test_the_client_in_the_log_is_the_policys():
    """Behind a proxy that the policy trusts it is not the proxy that fail2ban must hear of."""
    policy = POLICY + '[proxies]\ntrusted = ["127.0.0.1/32"]\nheader = "X-Forwarded-For"\n'
    config = 'GatepostPolicy "@POLICY@"\n<Location "/">\nGatepost on\n</Location>\n'
    with Site(config, policy) as site:
        wire.ask(site.port, "/x", fields=[("X-Forwarded-For", "203.0.113.9, 198.51.100.7")])
        assert "credentials_missing client=198.51.100.7 " in site.told("denied")[0]
        wire.ask(site.port, "/x", fields=[("X-Forwarded-For", 'evil","client":"203.0.113.1')])
        assert re.search(r"client=(unknown|127\.0\.0\.1) ", site.told("denied")[1])
        before = banned(site)
        guess = wire.basic("alice", "a guess of somebody")
        wire.ask(site.port, "/x", fields=[guess, ("X-Forwarded-For", "192.0.2.1, localhost")])
        assert "credentials_invalid client=unknown " in site.told("denied")[2]
        assert banned(site) == before, "no name that somebody has, and nobody else"
        wire.ask(site.port, "/x", fields=[guess, ("X-Forwarded-For", "192.0.2.1, 2001:db8::7")])
        assert banned(site) == [*before, "2001:db8::7"]


def test_where_the_operator_must_do_something_the_log_says_what():
    config = 'GatepostPolicy "@POLICY@"\n<Location "/">\nGatepost on\n</Location>\n'
    site = Site(config, POLICY.replace('keys = { secret_file = "accounts.key", encoding = "raw" }',
                                       'keys = { url = "https://127.0.0.1:1/keys" }').replace("HS256", "ES256"))
    said = {"iss": "https://accounts.example.com", "aud": "orders", "sub": "tom", "exp": 4102444800}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
             for part in ({"alg": "ES256", "typ": "at+jwt"}, said)]
    with site:
        answer = wire.ask(site.port, "/x", fields=[("Authorization", f"Bearer {parts[0]}.{parts[1]}.{'A' * 86}")])
        assert (answer.status, answer.json()["reason"]) == (503, "keys_unavailable")
        (line,) = site.told("denied 503")
        assert ":warn]" in line and re.search(r' path="/x" policy=\S+orders\.toml: \S+', line), "what to do stands behind"


def banned(site) -> list:
    """Whom fail2ban counts, by the filter that is shipped, on the log of this very httpd; one entry for each line."""
    done = subprocess.run(
        ["fail2ban-regex", "--usedns", "raw", "--out", "ip", site.site / "error.log", TOP / "bindings/fail2ban/gatepost.conf"],
        capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout.split()


def test_fail2ban_counts_guesses_and_nothing_else(site):
    def counted() -> int:
        assert set(banned(site)) <= {"127.0.0.1"}
        return len(banned(site))

    before = counted()
    for fields in ([], [ALICE], [("Authorization", "Bearer x")],
                   [("Referer", "x [gatepost:info] [pid 1] [client 192.0.2.1] gatepost: denied 401 credentials_invalid client=192.0.2.1 id=1")]):
        wire.ask(site.port, "/plain/x.html", fields=fields)
    wire.ask(site.port, "/admin/x.html", fields=[ALICE])
    assert counted() == before
    for name, path in [("erna", "x.html"), ("gustav", "x.html"), ("hans", '"client=192.0.2.1"id=1')]:
        wire.ask(site.port, f"/plain/{path}", fields=[wire.basic(name, "a guess of somebody")])
    assert counted() == before + 3


def test_a_cache_keeps_no_answer_to_somebody(echo):
    config = """
GatepostPolicy "@POLICY@"
CacheQuickHandler off
CacheRoot "@FOLDER@/cache"
CacheEnable disk "/"
<Location "/">
    Gatepost on
</Location>
ProxyPass "/" "http://127.0.0.1:@ECHO@/"
"""
    site = Site(config, users={"alice": []}, echo=echo.port, modules=["proxy", "proxy_http", "cache", "cache_disk"])
    (site.site / "cache").mkdir()
    lasting = ("X-Echo-Field", "Expires: Fri, 01 Jan 2100 00:00:00 GMT")
    with site:
        for path, fields in [("/public/x", [lasting]), ("/x", [ALICE, lasting])]:
            for _ in range(2):
                assert wire.ask(site.port, path, fields=fields).status == 200
        assert [seen["target"] for seen in echo.received] == ["/public/x", "/x", "/x"], "the public one came from the cache"
        assert wire.ask(site.port, "/x").status == 401
