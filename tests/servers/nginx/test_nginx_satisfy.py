"""Other modules that let in or refuse, beside ours: satisfy, auth_basic, allow and deny, auth_request."""

import subprocess

import pytest

from frame import people, wire

from .site import got, page, site

FORGED = ("X-Auth-Subject", "root")
PROXY = "proxy_pass http://ECHO;"


@pytest.fixture
def passwords(place):
    """A password file of nginx's own, with an account that Gatepost does not know."""
    subprocess.run(["htpasswd", "-bc", str(place.folder / "htpasswd"), "basil", "nginx only"], check=True, capture_output=True)
    subprocess.run(["htpasswd", "-b", str(place.folder / "htpasswd"), "alice", people.PASSWORD], check=True, capture_output=True)
    return 'auth_basic "Other"; auth_basic_user_file htpasswd;'


def test_any_is_met_by_either_and_what_is_forged_goes_all_the_same(place, echo, passwords):
    with site(place, f"location / {{ satisfy any; {passwords} {PROXY} }}", echo=echo) as nginx:
        answer = wire.ask(nginx.port, "/orders/1", fields=[("Authorization", people.basic_of("basil", "nginx only")[1]), FORGED])
        assert answer.status == 200 and got(echo, "X-Auth-Subject") == []
        assert answer.get("WWW-Authenticate") is None and answer.get("Cache-Control") is None
        answer = wire.ask(nginx.port, "/orders/1", fields=[place.token, FORGED])
        assert answer.status == 200 and got(echo, "X-Auth-Subject") == ["sam"]
        count = len(echo.received)
        answer = wire.ask(nginx.port, "/orders/1", fields=[people.basic_of("basil", "wrong")])
        assert answer.status == 401 and len(echo.received) == count
        told = " ".join(answer.all("WWW-Authenticate"))
        assert 'realm="Orders"' in told and 'realm="Other"' in told, "both ways in are offered"
        assert answer.json()["reason"] == "credentials_invalid", "the body is ours"


def test_any_with_an_address_that_is_let_in(place, echo):
    with site(place, f"location / {{ satisfy any; allow 127.0.0.1; deny all; {PROXY} }}", echo=echo) as nginx:
        answer = wire.ask(nginx.port, "/orders/1", fields=[FORGED])
        assert answer.status == 200 and got(echo, "X-Auth-Subject") == []
    with site(place, f"location / {{ satisfy any; deny all; {PROXY} }}", echo=echo) as nginx:
        echo.received.clear()
        assert wire.ask(nginx.port, "/orders/1").status == 401
        assert wire.ask(nginx.port, "/admin/1", fields=[place.alice]).status == 403
        assert not echo.received
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice]).status == 200


def test_an_address_that_is_let_in_gets_nothing_while_nothing_can_be_decided(place, echo):
    place.policy.write_text(place.policy.read_text().replace('"orders.db"', '"there/orders.db"'))
    with site(place, f"location / {{ satisfy any; allow 127.0.0.1; deny all; {PROXY} }}", echo=echo) as nginx:
        assert wire.ask(nginx.port, "/orders/1", fields=[FORGED]).status == 503 and not echo.received


def test_whom_another_let_in_is_asked_again_where_only_we_let_in(place, echo):
    locations = f"location / {{ satisfy any; allow 127.0.0.1; deny all; try_files /nothing @inner; }} location @inner {{ {PROXY} }}"
    with site(place, f"root html; {locations}", echo=echo) as nginx:
        answer = wire.ask(nginx.port, "/orders/1")
        assert answer.status == 401 and not echo.received
        assert answer.json()["reason"] == "credentials_missing" and len(answer.all("WWW-Authenticate")) == 3
        assert nginx.log().count("gatepost: denied 401") == 1
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice]).status == 200


def test_any_does_not_turn_what_cannot_be_read_into_a_yes(place, echo):
    with site(place, f"location / {{ satisfy any; deny all; {PROXY} }}", echo=echo) as nginx:
        assert wire.ask(nginx.port, "/orders/%2e%2e%2fadmin", fields=[place.alice]).status == 400
        assert not echo.received


def test_all_wants_both(place, echo, passwords):
    with site(place, f"location / {{ {passwords} {PROXY} }}", echo=echo) as nginx:
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice]).status == 200
        assert wire.ask(nginx.port, "/orders/1", fields=[people.basic_of("basil", "nginx only")]).status == 401
        assert wire.ask(nginx.port, "/orders/1", fields=[place.root]).status == 401
        assert [value for value in wire.ask(nginx.port, "/public/1").all("WWW-Authenticate")] == ['Basic realm="Other"']
        assert len(echo.received) == 1


def test_all_with_an_address_that_is_not_let_in(place, echo):
    with site(place, f"location / {{ deny all; {PROXY} }}", echo=echo) as nginx:
        answer = wire.ask(nginx.port, "/orders/1", fields=[place.alice])
        assert answer.status == 403 and not echo.received


def test_a_service_asked_by_auth_request_beside_it(place, echo):
    locations = f"location / {{ auth_request /ask; {PROXY} }}\nlocation = /ask {{ internal; {PROXY} }}"
    with site(place, locations, echo=echo) as nginx:
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice, FORGED]).status == 200
        assert [received["target"] for received in echo.received] == ["/ask", "/orders/1"]
        for received in echo.received:
            assert [v for n, v in received["fields"] if n.lower() == "x-auth-subject"] == ["alice"], received
        answer = wire.ask(nginx.port, "/orders/1", fields=[place.alice, ("X-Echo-Status", "403")])
        assert answer.status == 403 and echo.received[-1]["target"] == "/ask"
        echo.received.clear()
        assert wire.ask(nginx.port, "/orders/1").status == 401 and not echo.received


def test_a_guarded_location_can_itself_be_what_auth_request_asks(place, echo):
    locations = f"location / {{ auth_request /ask; {PROXY} }}\nlocation = /ask {{ internal; gatepost on; return 204; }}\n"
    locations = locations.replace("return 204;", "try_files /nothing @yes;") + "location @yes { return 204; }"
    with site(place, locations, server="gatepost off;", echo=echo) as nginx:
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice]).status == 200
        assert got(echo, "X-Auth-Subject") == ["alice"], "the one decision holds for the whole request"
        echo.received.clear()
        assert wire.ask(nginx.port, "/orders/1", fields=[people.basic_of("alice", "wrong")]).status == 401
        assert wire.ask(nginx.port, "/admin/1", fields=[place.alice]).status == 403
        assert not echo.received


def test_a_public_page_beside_auth_basic(place, echo, passwords):
    page(place, "public/x", "hello")
    with site(place, f"root html; location / {{ {passwords} }}", echo=echo) as nginx:
        assert wire.ask(nginx.port, "/public/x").status == 401
        assert wire.ask(nginx.port, "/public/x", fields=[people.basic_of("basil", "nginx only")]).body == b"hello"
