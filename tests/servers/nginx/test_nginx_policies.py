"""Several policies in one configuration: what one of them calls an identity, no client forges where another holds."""

import pytest

from frame import nginx, wire

from .site import got, site

PROXY = "proxy_pass http://ECHO;"
IDENTITY = '[identity]\nsubject = "X-Auth-Subject"\nissuer = "X-Auth-Issuer"\nroles = "X-Auth-Roles"\n'
FORGED = [("X-Auth-Subject", "evil"), ("x_auth-ROLES", "admin"), ("X_Auth_Issuer", "me"), ("X-Kept", "1")]
INNER = {"on": "gatepost on;", "off": "gatepost off;", "limited": "gatepost off; limit_except POST { gatepost on; }"}


@pytest.fixture
def inner(place):
    """A second policy with the same people, whose application is told of nobody."""
    text = place.policy.read_text()
    assert IDENTITY in text
    (place.folder / "inner.toml").write_text(text.replace(IDENTITY, ""))
    return f"underscores_in_headers on; location / {{ {PROXY} }}\nlocation ~ ^/(orders|public)/inner {{ gatepost_policy inner.toml; MODE {PROXY} }}"


def names(echo):
    return {name.lower().replace("_", "-"): value for name, value in echo.received[-1]["fields"]}


@pytest.mark.parametrize("mode", INNER)
@pytest.mark.parametrize("target", ["/orders/inner", "/public/inner"])
def test_an_inner_policy_without_identity_lets_no_forged_one_of_the_outer_through(place, echo, inner, mode, target):
    with site(place, inner.replace("MODE", INNER[mode]), echo=echo) as server:
        for fields in ([place.alice], []) if target.startswith("/public") or mode == "off" else ([place.alice],):
            assert wire.ask(server.port, target, fields=[*fields, *FORGED]).status == 200, server.said()
            told = names(echo)
            assert not [name for name in told if name.startswith("x-auth")] and told["x-kept"] == "1"
            assert got(echo, "Authorization") == [value for _, value in fields]
        assert wire.ask(server.port, "/orders/1", fields=[place.alice, *FORGED]).status == 200
        assert (names(echo)["x-auth-subject"], names(echo)["x-auth-roles"]) == ("alice", "clerk"), "its own word stays"


def test_names_of_an_inner_policy_are_gone_outside_of_it(place, echo):
    text = place.policy.read_text()
    (place.folder / "inner.toml").write_text(text.replace("X-Auth-", "X-Inner-"))
    locations = f"location / {{ {PROXY} }}\nlocation /orders/inner {{ gatepost_policy inner.toml; {PROXY} }}"
    forged = [("X-Inner-Subject", "evil"), ("X-Auth-Subject", "evil")]
    with site(place, locations, echo=echo) as server:
        assert wire.ask(server.port, "/orders/1", fields=[place.alice, *forged]).status == 200
        assert got(echo, "X-Inner-Subject") == [] and got(echo, "X-Auth-Subject") == ["alice"]
        assert wire.ask(server.port, "/orders/inner", fields=[place.alice, *forged]).status == 200
        assert got(echo, "X-Inner-Subject") == ["alice"] and got(echo, "X-Auth-Subject") == []


def test_a_redirect_to_an_inner_policy_keeps_what_the_outer_one_said(place, echo, inner):
    locations = inner.replace("MODE", "") + "\nroot html; location /orders/via { try_files /nothing /orders/inner; }"
    with site(place, locations, echo=echo) as server:
        assert wire.ask(server.port, "/orders/via", fields=[place.alice, *FORGED]).status == 200
        assert got(echo, "X-Auth-Subject") == ["alice"] and names(echo)["x-auth-roles"] == "clerk"


def test_a_subrequest_to_an_inner_policy_has_no_forged_identity(place, echo, inner):
    locations = inner.replace("MODE", "") + f"\nlocation /orders/asks {{ gatepost off; auth_request /public/inner; {PROXY} }}"
    with site(place, locations, echo=echo) as server:
        assert wire.ask(server.port, "/orders/asks", fields=[place.alice, *FORGED]).status == 200, server.said()
        assert len(echo.received) == 2, "the one that is asked, and the one behind"
        for one in echo.received:
            assert not [value for _, value in one["fields"] if value in ("evil", "admin", "me")], one


def test_the_names_of_a_policy_that_cannot_start_are_gone_and_all_else_goes_through(place, echo, inner):
    place.policy.write_text(place.policy.read_text().replace('"orders.db"', '"there/orders.db"'))
    (place.folder / "inner.toml").write_text((place.folder / "inner.toml").read_text().replace('"there/', '"'))
    aside = f"\nlocation /aside {{ gatepost off; {PROXY} }}"
    with site(place, inner.replace("MODE", "") + aside, echo=echo) as server:
        fields = [place.alice, ("Cookie", "a=b"), ("Connection", "X-Auth-Subject"), *FORGED]
        for target in ("/orders/inner", "/aside/x"):
            assert wire.ask(server.port, target, fields=fields).status == 200, server.said()
            told = names(echo)
            assert not [name for name in told if name.startswith("x-auth")], target
            assert told["cookie"] == "a=b" and told["x-kept"] == "1" and got(echo, "Authorization") == [place.alice[1]]
        count = len(echo.received)
        assert wire.ask(server.port, "/orders/1", fields=fields).status == 503 and len(echo.received) == count
        (place.folder / "there").mkdir()
        server.wait_for(lambda: "has started" in server.log())
        assert wire.ask(server.port, "/orders/1", fields=[place.token, *FORGED]).status == 200
        assert got(echo, "X-Auth-Subject") == ["sam"] and names(echo)["x-kept"] == "1"


def test_an_error_page_sees_no_forged_identity_while_nothing_can_be_decided(place, echo):
    place.policy.write_text(place.policy.read_text().replace('"orders.db"', '"there/orders.db"'))
    locations = f"underscores_in_headers on; error_page 503 /sorry; location / {{ {PROXY} }} location = /sorry {{ internal; gatepost off; {PROXY} }}"
    with site(place, locations, echo=echo) as server:
        assert wire.ask(server.port, "/orders/1", fields=[place.alice, *FORGED]).status == 503
        (seen,) = echo.received
        assert seen["target"].startswith("/sorry") and names(echo)["x-kept"] == "1"
        assert not [name for name in names(echo) if name.startswith("x-auth")]


NAMED = "server { listen 127.0.0.1:PORT; server_name %s; gatepost_policy %s; %s location / { %s } }\n"


@pytest.mark.parametrize("text, lines", [
    (NAMED % ("a", "policy.toml", "gatepost on;", "") + NAMED % ("b", "other.toml", "", ""), ["other.toml"]),
    (NAMED % ("a", "policy.toml", "gatepost on;", "") + NAMED % ("b", "policy.toml", "", ""), ["policy.toml"]),
    ("gatepost_policy policy.toml; " + NAMED % ("a", "other.toml", "gatepost on;", ""), ["policy.toml"]),
    (NAMED % ("a", "policy.toml", "gatepost on;", "gatepost_policy other.toml; gatepost off;"), ["other.toml"]),
    (NAMED % ("a", "policy.toml", "", "") + NAMED % ("b", "other.toml", "", ""), ["policy.toml", "other.toml"]),
    (NAMED % ("a", "policy.toml", "", "gatepost on;"), []),
    ("gatepost_policy policy.toml; gatepost on; " + NAMED % ("a", "other.toml", "", "gatepost off;") + "server { listen 127.0.0.1:PORT; }", []),
    ("gatepost_policy policy.toml; server { listen 127.0.0.1:PORT; location / { limit_except GET { gatepost on; } } }", []),
])
def test_each_place_whose_policy_nothing_asks_is_warned_of(place, text, lines):
    (place.folder / "other.toml").write_text(place.policy.read_text())
    server = nginx.Nginx(place.folder, text)
    code, words = server.check()
    warned = [line for line in words.splitlines() if "is asked nowhere" in line]
    assert code == 0 and len(warned) == len(lines), words
    for line, name in zip(warned, lines):
        assert f'{name}" in {server.conf}:' in line and 'add "gatepost on;"' in line
