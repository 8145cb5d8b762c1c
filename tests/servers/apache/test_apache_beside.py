"""`Require gatepost` beside mod_auth_basic, while people move: who is refused by both leaves a line and a reason."""

import re

import pytest

from apache.site import Site
from frame import wire
from frame.people import PASSWORD

ALICE = wire.basic("alice", PASSWORD)
CAROL = wire.basic("carol", "test")
WRONG = wire.basic("alice", "not her password at all")
CONFIG = """
GatepostPolicy "@POLICY@"
LogFormat "%U %>s %{gatepost-reason}n %{gatepost-id}n" decisions
CustomLog "@FOLDER@/access.log" decisions
<LocationMatch "^/(basic|document)/">
    AuthType Basic
    AuthName "Files"
    AuthBasicProvider file
    AuthUserFile "@FOLDER@/htpasswd"
    <RequireAny>
        Require gatepost
        Require valid-user
    </RequireAny>
</LocationMatch>
<Location "/document">
    ErrorDocument 401 "/page.html"
</Location>
"""


@pytest.fixture(scope="module")
def site():
    site = Site(CONFIG, users={"alice": []}, modules=["auth_basic", "authn_file"],
                sizes="StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMaxRequestWorkers 8\n")  # each child counts for itself
    (site.site / "htpasswd").write_text("carol:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n")  # "test"
    with site.page("page.html").page("basic/page.html").page("document/page.html"):
        yield site


def logged(site, lines: int) -> list:
    site.wait_for(lambda: (site.site / "access.log").exists() and len((site.site / "access.log").read_text().splitlines()) >= lines)
    return (site.site / "access.log").read_text().splitlines()


@pytest.mark.parametrize("path", ["basic", "document"])
@pytest.mark.parametrize("fields, reason", [([WRONG], "credentials_invalid"), ([], "credentials_missing")])
def test_a_refusal_by_both_has_one_line_and_a_reason(site, path, fields, reason):
    before, lines = len(site.told("gatepost: denied")), len(logged(site, 0)) if (site.site / "access.log").exists() else 0
    assert wire.ask(site.port, f"/{path}/page.html", fields=fields).status == 401
    found = re.fullmatch(rf"/\S+ 401 {reason} (\S+)", logged(site, lines + 1)[-1])
    assert found, logged(site, 0)[-1]
    told = site.told("gatepost: denied")
    assert len(told) == before + 1
    assert f'gatepost: denied 401 {reason} client=127.0.0.1 id={found.group(1)} ' in told[-1]
    assert f'path="/{path}/page.html"' in told[-1]


@pytest.mark.parametrize("fields", [[ALICE], [CAROL]], ids=["the policy", "mod_auth_basic"])
@pytest.mark.parametrize("page, status", [("page.html", 200), ("nowhere.html", 404)])
def test_who_is_admitted_by_either_is_not_told_of_as_refused(site, fields, page, status):
    before = len(site.told("gatepost: denied"))
    assert wire.ask(site.port, f"/basic/{page}", fields=fields).status == status
    site.wait_for(lambda: f"/basic/{page} {status}" in (site.site / "access.log").read_text())
    assert len(site.told("gatepost: denied")) == before


def test_who_is_throttled_by_the_policy_is_admitted_by_the_other_all_the_same(site):
    for _ in range(7):
        assert wire.ask(site.port, "/basic/page.html", fields=[CAROL]).status == 200
    site.wait_for(lambda: "/basic/page.html 200 throttled" in (site.site / "access.log").read_text())


@pytest.mark.parametrize("fields", [[WRONG], []], ids=["wrong", "nobody"])
def test_a_document_of_a_refusal_by_both_carries_both_challenges(site, fields):
    plain, document = (wire.ask(site.port, f"/{path}/page.html", fields=fields) for path in ("basic", "document"))
    assert (plain.status, document.status, document.body) == (401, 401, b"page\n")
    challenges = document.all("WWW-Authenticate")
    assert 'Basic realm="Files"' in challenges and any(one.startswith('Bearer realm="Orders"') for one in challenges)
    assert sorted(challenges) == sorted(plain.all("WWW-Authenticate"))
    assert document.all("Cache-Control") == plain.all("Cache-Control") == ["no-store"]
    admitted = wire.ask(site.port, "/document/page.html", fields=[CAROL])
    assert admitted.status == 200 and not admitted.all("WWW-Authenticate")
