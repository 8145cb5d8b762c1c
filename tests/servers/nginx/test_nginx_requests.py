"""What the engine is told of a request, and what is left of it for the application: on every way that nginx can go."""

import pytest

from frame import h2, people, wire
from frame.gateways import Gateway

from .site import got, page, site

PROXY = "proxy_pass http://ECHO;"
FORGED = [("X-Auth-Subject", "root"), ("x-AUTH-roles", "admin"), ("X_Auth_Subject", "root"), ("X-Auth-Issuer", "me"), ("x-auth_subject", "root")]


@pytest.mark.parametrize("target", ["/public/x", "/optional/x", "/orders/1"])
def test_forged_identity_is_gone_on_every_action_and_in_every_spelling(place, echo, target):
    with site(place, f"underscores_in_headers on; location / {{ {PROXY} }}", echo=echo, before="") as nginx:
        fields = [place.alice, *FORGED, ("Connection", "x-auth-subject"), ("X-Kept", "1")]
        assert wire.ask(nginx.port, target, fields=fields).status == 200
        names = {name.lower().replace("_", "-"): value for name, value in echo.received[-1]["fields"]}
        mine = {name: value for name, value in names.items() if name.startswith("x-auth")}
        wanted = {} if target == "/public/x" else {"x-auth-subject": "alice", "x-auth-roles": "clerk"}
        assert {name: value for name, value in mine.items() if value} == wanted and names["x-kept"] == "1"
        assert names["authorization"] == place.alice[1]


@pytest.mark.parametrize("kind", ["fastcgi", "uwsgi"])
def test_gateways_see_who_asks_and_nothing_forged(place, kind):
    with Gateway(kind) as gateway:
        own = "SUBJECT $gatepost_subject; PARAM ROLES $gatepost_roles; PARAM SCHEME $gatepost_scheme; PARAM REASON $gatepost_reason"
        text = f"location / {{ {kind}_pass 127.0.0.1:{gateway.port}; PARAM {own}; }}".replace("PARAM", f"{kind}_param")
        with site(place, text) as nginx:
            told = wire.ask(nginx.port, "/orders/1", fields=[place.alice, *FORGED]).json()
            assert told["HTTP_X_AUTH_SUBJECT"] == "alice" and told["HTTP_X_AUTH_ROLES"] == "clerk"
            assert (told["SUBJECT"], told["ROLES"], told["SCHEME"], told["REASON"]) == ("alice", "clerk", "basic", "allowed")
            told = wire.ask(nginx.port, "/public/1", fields=FORGED).json()
            assert not [name for name in told if name.startswith("HTTP_X_AUTH")] and told["SUBJECT"] == ""


def test_the_target_is_judged_as_the_client_sent_it(proxy, place, echo):
    for target in ["/public/%2e%2e/admin/1", "/public/..%2fadmin/1", "//admin/1", "/public/..;/admin/1", "/admin/%zz", "/orders/1#x"]:
        answer = wire.ask(proxy.port, target, fields=[place.root])
        assert answer.status == 400, target
    assert not echo.received
    assert wire.ask(proxy.port, "/public/%41?x=%2e%2e%2f", fields=[]).status == 200
    assert echo.received[-1]["target"] == "/public/%41?x=%2e%2e%2f"


def test_an_absolute_target_must_name_the_host_that_is_asked(proxy, place, echo):
    assert wire.ask(proxy.port, "http://localhost/orders/1", fields=[place.alice]).status == 200
    assert wire.ask(proxy.port, "http://other.example/orders/1", fields=[place.alice]).status == 400
    assert wire.ask(proxy.port, "http://u@localhost/orders/1", fields=[place.alice]).status == 400
    assert wire.ask(proxy.port, "HTTP://localhost/admin/1", fields=[place.alice]).status == 403
    assert len(echo.received) == 1


def test_repeated_credentials_are_seen_as_they_were_sent(proxy, place, echo):
    assert wire.ask(proxy.port, "/orders/1", fields=[place.alice, ("X-API-Key", place.key)]).status == 400
    assert wire.ask(proxy.port, "/orders/1", fields=[("X-API-Key", place.key), ("x-api-key", place.key)]).status == 400
    assert wire.ask(proxy.port, "/orders/1", fields=[place.alice, place.alice]).status == 400
    assert not echo.received


def test_the_peer_is_who_connects_whatever_realip_makes_of_it(place, echo):
    policy = place.policy.read_text().replace('require = { tls = true }', 'require = { network = ["192.0.2.0/24"] }')
    place.policy.write_text(policy)
    realip = "set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;"
    with site(place, f"location / {{ {PROXY} }}", echo=echo, before=realip) as nginx:
        answer = wire.ask(nginx.port, "/tls/1", fields=[place.alice, ("X-Real-IP", "192.0.2.1")])
        assert answer.status == 403 and answer.json()["reason"] == "network_not_allowed"
        assert "client: 192.0.2.1" in nginx.log(), "nginx itself goes by it"
    place.policy.write_text(policy + '\n[proxies]\ntrusted = ["127.0.0.1/32"]\nheader = "X-Forwarded-For"\n')
    with site(place, f"location / {{ {PROXY} }}", echo=echo, before=realip) as nginx:
        fields = [place.alice, ("X-Real-IP", "10.0.0.1"), ("X-Forwarded-For", "192.0.2.1")]
        assert wire.ask(nginx.port, "/tls/1", fields=fields).status == 200


def test_a_unix_socket_is_a_peer_of_its_own(place, echo):
    place.policy.write_text(place.policy.read_text() + '\n[proxies]\ntrusted = ["unix:"]\nheader = "X-Forwarded-For"\nscheme = "X-Forwarded-Proto"\n')
    with site(place, f"listen unix:{place.folder}/s; location / {{ {PROXY} }}", echo=echo) as nginx:
        with wire.Connection(path=place.folder / "s") as connection:
            assert connection.ask("/tls/1", fields=[place.alice, ("X-Forwarded-Proto", "https")]).status == 200
            assert connection.ask("/tls/1", fields=[place.alice]).status == 403
        assert wire.ask(nginx.port, "/tls/1", fields=[place.alice, ("X-Forwarded-Proto", "https")]).status == 403


def test_http_2_decides_the_same_and_many_streams_at_once(place, echo):
    with site(place, f"listen 127.0.0.1:NEXT http2; location / {{ {PROXY} }}", echo=echo) as nginx:
        own, forged = ("authorization", place.alice[1]), ("x-auth-subject", "root")
        with h2.Connection(nginx.next) as c:
            assert c.ask("/orders/1", [own, forged]) == 200, nginx.said()
            assert got(echo, "X-Auth-Subject") == ["alice"]
            assert (c.ask("/orders/1"), c.ask("/admin/1", [own]), c.ask("/public/%2e%2e/admin", [own])) == (401, 403, 400)
            mixed = [c.send("/orders/1", [own] if n % 2 else []) for n in range(40)]
            assert list(c.statuses(mixed).values()) == [401, 200] * 20
            assert c.ask("/orders/1", [own], authority=None) in (0, 400), "nobody says for which host"
            assert c.ask("/orders/1", [own, ("host", "localhost")], authority=None) == 200


def test_http_2_with_two_hosts_is_refused(place, echo):
    with site(place, f"listen 127.0.0.1:NEXT http2; location / {{ {PROXY} }}", echo=echo) as nginx:
        with h2.Connection(nginx.next) as c:
            assert c.ask("/orders/1", [("authorization", place.alice[1]), ("host", "other.example")]) in (0, 400)
        assert not echo.received


def test_errors_of_the_application_keep_the_fields_of_the_answer(proxy, place, echo):
    answer = wire.ask(proxy.port, "/orders/1", fields=[place.alice, ("X-Echo-Status", "500")])
    assert answer.status == 500 and answer.get("Cache-Control") == "private, no-store"
    answer = wire.ask(proxy.port, "/orders/1", fields=[place.alice, ("X-Echo-Drop", "1")])
    assert answer.status == 502 and answer.get("Cache-Control") == "private, no-store"
    own = ("X-Echo-Field", "Cache-Control: max-age=60")
    assert wire.ask(proxy.port, "/orders/1", fields=[place.alice, own]).all("Cache-Control") == ["max-age=60"]
    assert wire.ask(proxy.port, "/public/1").get("Cache-Control") is None


def test_a_body_goes_through_whole_whoever_hashes_meanwhile(proxy, place, echo):
    body = bytes(range(256)) * 800
    answer = wire.ask(proxy.port, "/orders/1", method="POST", fields=[place.alice, ("Sec-Fetch-Site", "none")], body=body)
    assert answer.status == 200 and echo.received[-1]["body"] == body.decode("latin-1")
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(body[n:n + 999]), body[n:n + 999]) for n in range(0, len(body), 999)) + b"0\r\n\r\n"
    fields = [people.basic_of("root"), ("Sec-Fetch-Site", "none"), ("Transfer-Encoding", "chunked")]
    answer = wire.ask(proxy.port, "/orders/1", method="POST", fields=fields, body=chunked)
    assert answer.status == 200 and echo.received[-1]["body"] == body.decode("latin-1")


def test_the_answers_body_is_ours_in_every_form_that_a_client_takes(proxy):
    assert wire.ask(proxy.port, "/orders/1").json()["reason"] == "credentials_missing"
    page_ = wire.ask(proxy.port, "/orders/1", fields=[("Accept", "text/html"), ("Accept-Language", "de"), ("Accept-Encoding", "gzip")])
    assert page_.get("Content-Type").startswith("text/html") and b"<html" in page_.body and page_.get("Content-Language") == "de"
    assert page_.get("Content-Security-Policy") is not None
    head = wire.ask(proxy.port, "/orders/1", method="HEAD")
    assert head.status == 401 and head.get("Content-Type") == "application/problem+json"


def test_off_is_off_and_each_place_may_have_a_policy_of_its_own(place, echo):
    (place.folder / "other.toml").write_text(place.policy.read_text().replace('name = "Orders"', 'name = "Other"').replace('path = "/orders/{*rest}"', 'path = "/elsewhere"'))
    page(place, "free/x", "free")
    locations = f"""root html; location / {{ {PROXY} }}
        location /free/ {{ gatepost off; }}
        location /orders/own {{ gatepost_policy other.toml; {PROXY} }}
        location /orders/same {{ gatepost_policy {place.folder}/policy.toml; {PROXY} }}
        location /orders/get {{ gatepost off; limit_except GET {{ gatepost on; }} {PROXY} }}"""
    with site(place, locations, echo=echo) as nginx:
        assert wire.ask(nginx.port, "/free/x").body == b"free"
        assert wire.ask(nginx.port, "/orders/own", fields=[place.alice]).json()["reason"] == "route_unknown"
        assert wire.ask(nginx.port, "/orders/same", fields=[place.alice]).status == 200
        assert wire.ask(nginx.port, "/orders/get").status == 200
        assert wire.ask(nginx.port, "/orders/get", method="PUT").status == 401


@pytest.mark.parametrize("location", ["location /", "location /orders/"])
def test_where_nobody_is_asked_forged_identity_goes_all_the_same(place, echo, location):
    with site(place, f"{location} {{ {PROXY} }}", server="gatepost off;", echo=echo) as nginx:
        fields = [("X-Auth-Subject", "root"), ("x-auth-roles", "admin"), place.alice, ("Cookie", "a=b"), ("X-Kept", "1")]
        answer = wire.ask(nginx.port, "/orders/%2e%2e/1", fields=fields)
        assert answer.status in (200, 404)
        answer = wire.ask(nginx.port, "/orders/1", fields=fields)
        assert answer.status == 200 and answer.get("Cache-Control") is None
        assert got(echo, "X-Auth-Subject") == [] and got(echo, "X-Auth-Roles") == []
        assert (got(echo, "Authorization"), got(echo, "Cookie"), got(echo, "X-Kept")) == ([place.alice[1]], ["a=b"], ["1"])
        assert "gatepost: denied" not in nginx.log()
