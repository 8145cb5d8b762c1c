"""Several policies in one server: none of their names for an identity comes from a client, wherever one of them holds."""

import pytest

from apache.site import POLICY, Site, token
from frame import wire
from frame.people import PASSWORD

ALICE = wire.basic("alice", PASSWORD)
NAMELESS = POLICY[:POLICY.index("[identity]")] + POLICY[POLICY.index("[[issuer]]"):]
FORGED = [("X-Auth-Subject", "evil"), ("x_auth_roles", "admin"), ("X-Auth.Issuer", "evil"), ("X-Author", "Ann")]
CONFIG = """
GatepostPolicy "@POLICY@"
ScriptAlias "/cgi/" "@FOLDER@/cgi/"
<Location "/">
    Gatepost on
</Location>
<LocationMatch "^/(cgi/)?(inner|public)/">
    GatepostPolicy "@FOLDER@/inner.toml"
</LocationMatch>
<Location "/open">
    Gatepost off
    GatepostPolicy "@FOLDER@/inner.toml"
</Location>
ErrorDocument 403 "/cgi/document"
<Location "/cgi/document">
    Gatepost off
    GatepostPolicy "@FOLDER@/inner.toml"
</Location>
ProxyPass "/inner/" "http://127.0.0.1:@ECHO@/inner/"
ProxyPass "/public/" "http://127.0.0.1:@ECHO@/public/"
ProxyPass "/open/" "http://127.0.0.1:@ECHO@/open/"
ProxyPass "/outer/" "http://127.0.0.1:@ECHO@/outer/"
"""


def made(echo, inner=NAMELESS):
    site = Site("", users={"alice": ["clerk"]}, echo=echo.port, modules=["proxy", "proxy_http", "cgi"])
    (site.site / "inner.toml").write_text(inner)
    site.configure(CONFIG)
    return site.script("cgi/inner/env").script("cgi/document").page("page.html")


@pytest.fixture
def site(echo):
    with made(echo) as site:
        yield site


def names(received) -> dict:
    return {name.lower(): value for name, value in received["fields"] if name.lower().startswith(("x-auth", "x_auth"))}


@pytest.mark.parametrize("path, fields", [("/inner/app", [ALICE]), ("/public/app", []), ("/public/app", [ALICE]), ("/open/app", [])])
def test_an_inner_policy_without_names_lets_no_name_of_the_outer_one_through(site, echo, path, fields):
    assert wire.ask(site.port, path, fields=[*fields, *FORGED]).status == 200
    assert names(echo.received[-1]) == {"x-author": "Ann"}, "what is no identity stays"


def test_the_outer_policy_says_who_it_is_as_before(site, echo):
    assert wire.ask(site.port, "/outer/app", fields=[ALICE, *FORGED]).status == 200
    assert names(echo.received[-1]) == {"x-auth-subject": "alice", "x-auth-roles": "clerk", "x-author": "Ann"}


def test_the_environment_of_cgi_and_of_an_error_document_holds_none_either(site):
    for path, fields, status in [("/cgi/inner/env", [ALICE], 200), ("/admin/x", [token("tom")], 403)]:
        answer = wire.ask(site.port, path, fields=[*fields, *FORGED])
        assert answer.status == status and b"HTTP_X_AUTHOR=Ann" in answer.body
        assert b"HTTP_X_AUTH_" not in answer.body


def test_the_names_of_a_policy_that_cannot_start_are_gone_and_all_else_goes_on(echo):
    site = made(echo, POLICY.replace("orders.db", "state/orders.db").replace("X-Auth-", "X-Inner-"))
    forged = [*FORGED, ("x_inner_SUBJECT", "evil")]
    with site:
        assert wire.ask(site.port, "/outer/app", fields=[ALICE, *forged]).status == 200
        assert wire.ask(site.port, "/open/app", fields=forged).status == 200, "nobody is asked there"
        for seen, told in zip(echo.received, ["alice", None]):
            fields = {name.lower().replace("_", "-"): value for name, value in seen["fields"]}
            assert fields.get("x-auth-subject") == told and "x-inner-subject" not in fields and fields["x-author"] == "Ann"
        assert wire.ask(site.port, "/inner/app", fields=[ALICE]).status == 503 and len(echo.received) == 2
        assert "inner.toml cannot decide yet" in site.log()
        (site.site / "state").mkdir()
        site.own()
        site.wait_for(lambda: wire.ask(site.port, "/inner/app").status == 401)


def test_an_error_document_holds_none_while_nothing_can_be_decided(echo):
    site = made(echo, NAMELESS.replace("orders.db", "state/orders.db"))
    site.configure(CONFIG.replace("ErrorDocument 403", "ErrorDocument 503"))
    with site:
        answer = wire.ask(site.port, "/inner/app", fields=FORGED)
        assert answer.status == 503 and b"HTTP_X_AUTHOR=Ann" in answer.body and b"HTTP_X_AUTH_" not in answer.body


@pytest.mark.parametrize("address, status", [("127.0.0.1", 200), ("192.0.2.1", 503)])
def test_whom_another_require_admits_is_nobody_while_nothing_can_be_decided(echo, address, status):
    site = made(echo, NAMELESS.replace("orders.db", "state/orders.db"))
    site.configure(CONFIG + f'<Location "/open">\n<RequireAny>\nRequire gatepost\nRequire ip {address}\n</RequireAny>\n</Location>\n')
    with site:
        assert wire.ask(site.port, "/open/app", fields=FORGED).status == status, site.log()
        assert [names(seen) for seen in echo.received] == ([{"x-author": "Ann"}] if status == 200 else [])
