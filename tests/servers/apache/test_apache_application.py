"""What the application behind sees: nothing that a client made up, and who it is where the policy let them in."""

import pytest

from apache.site import POLICY, Site, token
from frame import wire
from frame.people import PASSWORD

ALICE = wire.basic("alice", PASSWORD)
FORGED = [("X-Auth-Subject", "root"), ("x_auth_subject", "root"), ("X-AUTH-ROLES", "admin"), ("X-Auth.Issuer", "evil")]

CONFIG = """
GatepostPolicy "@POLICY@"
ScriptAlias "/cgi/" "@FOLDER@/cgi/"
<Location "/on">
    Gatepost on
</Location>
<Location "/cgi/on">
    Gatepost on
</Location>
<Location "/cgi/either">
    <RequireAny>
        Require local
        Require gatepost
    </RequireAny>
</Location>
<Location "/either">
    <RequireAny>
        Require local
        Require gatepost
    </RequireAny>
</Location>
<Location "/cgi/none">
    <RequireAll>
        Require all granted
        <RequireNone>
            Require gatepost
        </RequireNone>
    </RequireAll>
</Location>
<Location "/off">
    Gatepost off
</Location>
<Location "/optional">
    Gatepost on
</Location>
ProxyPass "/on/app" "http://127.0.0.1:@ECHO@/on/app"
ProxyPass "/off/app" "http://127.0.0.1:@ECHO@/off/app"
ProxyPass "/either/app" "http://127.0.0.1:@ECHO@/either/app"
ProxyPass "/optional/app" "http://127.0.0.1:@ECHO@/optional/app"
ProxyPass "/elsewhere/app" "http://127.0.0.1:@ECHO@/elsewhere/app"
RewriteEngine on
RewriteRule "^/on/rewritten$" "/cgi/on/env" [PT]
<Directory "@FOLDER@/htdocs/on/inside">
    RewriteEngine on
    RewriteRule "^moved$" "/cgi/on/env?moved" [L]
    RewriteRule "^open$" "/cgi/open/env" [L]
</Directory>
<Location "/pages">
    Options +Includes
    AddOutputFilter INCLUDES .shtml
</Location>
<Location "/on/pages">
    Options +Includes
    AddOutputFilter INCLUDES .shtml
</Location>
"""


@pytest.fixture(scope="module")
def site(echo_server):
    policy = POLICY.replace('path = "/public/{*rest}"', 'path = "/pages/{*rest}"')
    site = Site(CONFIG, policy, {"alice": ["clerk"]}, echo=echo_server.port,
                modules=["proxy", "proxy_http", "rewrite", "include", "cgi"])
    for name in ("on", "either", "none", "open"):
        site.script(f"cgi/{name}/env")
    site.page("on/index.html").page("on/secret.txt", "the secret\n").page("on/inside/x.html")
    site.page("pages/all.shtml", '<!--#include virtual="/on/secret.txt" -->|<!--#include virtual="/on/secret.txt" -->')
    site.page("on/pages/all.shtml", '<!--#include virtual="/on/secret.txt" --><!--#echo var="REMOTE_USER" -->')
    with site:
        yield site


def fields(received) -> dict:
    return {name.lower(): value for name, value in received["fields"]}


def environment(answer) -> dict:
    return dict(line.split("=", 1) for line in answer.body.decode().splitlines() if "=" in line)


def identity(seen: dict) -> dict:
    return {name: value for name, value in seen.items() if "auth_" in name.lower().replace("-", "_").replace(".", "_")
            and name.lower().replace("_", "-").startswith(("x-auth", "http-x-auth"))}


@pytest.mark.parametrize("path", ["on", "either", "off", "optional", "elsewhere"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_no_field_that_a_client_made_up_reaches_an_application(site, echo, path, method):
    sent = [*FORGED, *([token("tom")] if path == "on" else [])]
    with wire.Connection(site.port) as connection:
        connection.send(wire.request(f"/{path}/app", method=method, fields=sent))
        assert connection.read(head=method == "HEAD").status == 200
    seen = identity(fields(echo.received[-1]))
    assert seen == ({"x-auth-subject": "tom", "x-auth-issuer": "https://accounts.example.com"} if path == "on" else {})


def test_a_name_that_is_no_name_is_no_way_around_it(echo):
    """httpd hands it on with HttpProtocolOptions Unsafe, and proxies hand it on in their turn."""
    config = "HttpProtocolOptions Unsafe\nLimitRequestFields 500\n" + CONFIG
    with Site(config, users={"alice": []}, echo=echo.port, modules=["proxy", "proxy_http", "rewrite", "include", "cgi"]) as site:
        for path in ("either", "off", "elsewhere"):
            for more in (0, 200):
                for name in ("X/Auth-Subject", "x(auth)subject", "x\x80auth_subject"):
                    sent = [(name, "root"), ("X-Kept", "1"), *[("X-More", "1")] * more]
                    assert wire.ask(site.port, f"/{path}/app", fields=sent).status == 200, (path, name, more)
                    seen = fields(echo.received[-1])
                    assert seen["x-kept"] == "1" and "root" not in seen.values(), (path, name, more)
        assert wire.ask(site.port, "/on/app", fields=[ALICE, ("X/Auth-Subject", "root")]).status == 400


def test_who_was_let_in_is_told_to_the_application(site, echo):
    assert wire.ask(site.port, "/on/app", fields=[ALICE, *FORGED]).status == 200
    assert identity(fields(echo.received[-1])) == {"x-auth-subject": "alice", "x-auth-roles": "clerk"}
    wire.ask(site.port, "/on/app", fields=[token("tom", roles=["clerk", "admin"])])
    assert identity(fields(echo.received[-1])) == {
        "x-auth-subject": "tom", "x-auth-roles": "admin,clerk", "x-auth-issuer": "https://accounts.example.com"}


@pytest.mark.parametrize("nominated", ["X-Auth-Subject", "x_auth_subject", "close, X-AUTH-SUBJECT"])
def test_connection_cannot_have_the_identity_removed(site, echo, nominated):
    assert wire.ask(site.port, "/on/app", fields=[ALICE, ("Connection", nominated)]).status == 200
    assert identity(fields(echo.received[-1]))["x-auth-subject"] == "alice"


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X_HTTP_Method_Override"])
def test_what_is_no_identity_goes_through(site, echo, name):
    wire.ask(site.port, "/on/app", fields=[ALICE, (name, "DELETE"), ("X-Author", "Ann")])
    assert fields(echo.received[-1])["x-author"] == "Ann"


@pytest.mark.parametrize("path", ["on", "either", "none"])
def test_the_environment_of_cgi_holds_no_identity_of_a_clients_making(site, path):
    sent = [*FORGED, ("Proxy", "evil"), ("GATEPOST_SUBJECT", "root"), ("Remote-User", "root")]
    seen = environment(wire.ask(site.port, f"/cgi/{path}/env", fields=[*sent, *([ALICE] if path == "on" else [])]))
    if path == "on":
        assert identity(seen) == {"HTTP_X_AUTH_SUBJECT": "alice", "HTTP_X_AUTH_ROLES": "clerk"}
        assert (seen["REMOTE_USER"], seen["AUTH_TYPE"]) == ("alice", "Basic")
        assert seen["GATEPOST_SUBJECT"] == "alice" and seen["GATEPOST_ROLES"] == "clerk"
        assert seen["GATEPOST_REASON"] == "allowed" and seen["GATEPOST_SCHEME"] == "basic" and seen["GATEPOST_ID"]
    else:
        assert identity(seen) == {}
        assert not {"REMOTE_USER", "AUTH_TYPE", "GATEPOST_SUBJECT", "GATEPOST_ROLES", "GATEPOST_ISSUER"} & set(seen)


def test_somebody_refused_whom_another_require_admits_is_nobody(site):
    wrong = wire.basic("alice", "not her password at all")
    seen = environment(wire.ask(site.port, "/cgi/none/env", fields=[wrong, *FORGED]))
    assert seen["GATEPOST_REASON"] == "credentials_invalid" and seen["GATEPOST_ACTION"] == "deny"
    assert identity(seen) == {} and "REMOTE_USER" not in seen and "GATEPOST_SUBJECT" not in seen


@pytest.mark.parametrize("path", ["/on/rewritten", "/on/inside/moved"])
def test_an_internal_redirect_goes_by_the_same_decision(site, path):
    before = len(site.told("denied"))
    assert wire.ask(site.port, path, fields=FORGED).status == 401
    assert len(site.told("denied")) == before + 1
    seen = environment(wire.ask(site.port, path, fields=[ALICE, *FORGED]))
    assert identity(seen) == {"HTTP_X_AUTH_SUBJECT": "alice", "HTTP_X_AUTH_ROLES": "clerk"}
    assert seen["REMOTE_USER"] == "alice" and seen["REQUEST_URI"] == path


def test_an_internal_redirect_out_of_a_closed_place_does_not_lose_the_identity(site):
    seen = environment(wire.ask(site.port, "/on/inside/open", fields=[ALICE, *FORGED]))
    assert identity(seen) == {"HTTP_X_AUTH_SUBJECT": "alice", "HTTP_X_AUTH_ROLES": "clerk"}


def test_an_index_page_is_a_subrequest_and_asks_nobody_again(site):
    before = len(site.told("denied"))
    assert wire.ask(site.port, "/on/").status == 401
    assert len(site.told("denied")) == before + 1
    assert wire.ask(site.port, "/on/", fields=[ALICE]).body == b"page\n"


def test_a_page_that_includes_another_goes_by_one_decision(site):
    assert wire.ask(site.port, "/on/pages/all.shtml", fields=[ALICE]).body == b"the secret\nalice"
    assert wire.ask(site.port, "/on/pages/all.shtml").status == 401


def test_an_open_page_may_include_a_closed_one(site):
    """The decision is about the address that the client asked for, /pages/…, which the policy calls public."""
    answer = wire.ask(site.port, "/pages/all.shtml")
    assert answer.body == b"the secret\n|the secret\n"


def test_an_open_page_shows_nothing_closed_where_the_policy_refuses_its_address(echo_server):
    config = """
GatepostPolicy "@POLICY@"
<Location "/closed">
    Gatepost on
</Location>
<Location "/pages">
    Options +Includes
    AddOutputFilter INCLUDES .shtml
</Location>
"""
    site = Site(config, users={"alice": []}, modules=["include"])
    include = '<!--#include virtual="/closed/secret.txt" -->'
    site.page("closed/secret.txt", "the secret").page("pages/all.shtml", f"[{include}{include}]")
    with site:
        answer = wire.ask(site.port, "/pages/all.shtml")
        assert answer.status == 200 and b"secret" not in answer.body and answer.body.count(b"error occurred") == 2
        assert "WWW-Authenticate" not in dict(answer.fields), "the page itself was not refused"
        assert len(site.told("denied 401")) == 1, "one decision, one line"
        assert wire.ask(site.port, "/pages/all.shtml", fields=[ALICE]).body == b"[the secretthe secret]"


def test_a_forward_proxy_is_refused_and_tells_nobody_outside_who_it_is(echo):
    config = """
GatepostPolicy "@POLICY@"
ProxyRequests On
AllowCONNECT @ECHO@
Gatepost on
<Location "/">
    Gatepost on
</Location>
ProxyPass "/app" "http://127.0.0.1:@ECHO@/app"
"""
    host = f"127.0.0.1:{echo.port}"
    with Site(config, users={"alice": []}, echo=echo.port, modules=["proxy", "proxy_http", "proxy_connect"]) as site:
        for target in (f"http://{host}/x", f"http://{host}/public/x"):
            assert wire.ask(site.port, target, host=host, fields=[ALICE]).status == 400
        assert wire.ask(site.port, host, host=host, method="CONNECT", fields=[ALICE]).status == 400
        assert echo.received == []
        assert wire.ask(site.port, "/app", fields=[ALICE]).status == 200
        assert fields(echo.received[-1])["x-auth-subject"] == "alice", "beside it there are addresses of our own"


def test_two_policies_decide_each_for_their_own_places(echo_server):
    other = POLICY.replace("X-Auth-", "X-Other-").replace("orders.db", "other.db")
    config = """
GatepostPolicy "@POLICY@"
Gatepost on
ScriptAlias "/cgi/" "@FOLDER@/cgi/"
<Location "/cgi/other">
    GatepostPolicy "@FOLDER@/other.toml"
</Location>
<Directory "@FOLDER@/htdocs/moves">
    RewriteEngine on
    RewriteRule "^x$" "/cgi/other/env" [L]
</Directory>
"""
    site = Site(config, users={"alice": ["clerk"]}, modules=["rewrite", "cgi"])
    (site.site / "other.toml").write_text(other)
    site.script("cgi/own/env").script("cgi/other/env").page("moves/page.html")
    with site:
        forged = [("X-Auth-Subject", "root"), ("X-Other-Subject", "root")]
        assert identity(environment(wire.ask(site.port, "/cgi/own/env", fields=[ALICE, *forged]))) == {
            "HTTP_X_AUTH_SUBJECT": "alice", "HTTP_X_AUTH_ROLES": "clerk"}
        assert wire.ask(site.port, "/cgi/other/env", fields=[ALICE]).status == 401, "nobody knows her there"
        seen = environment(wire.ask(site.port, "/moves/x", fields=[token("tom"), *forged]))
        assert seen["HTTP_X_OTHER_SUBJECT"] == "tom", "both let him in; the second one said who he is"
        assert seen["HTTP_X_AUTH_SUBJECT"] == "tom", "the first one said so too"
        assert wire.ask(site.port, "/moves/x", fields=[ALICE]).status == 401
