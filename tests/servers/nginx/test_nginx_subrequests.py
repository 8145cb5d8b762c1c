"""Subrequests and redirects between places of different kinds: whose fields are whose, and whose decision counts."""

import pytest

from frame import people, wire

from .site import got, page, site

PROXY = "proxy_pass http://ECHO;"
FORGED = [("X-Auth-Subject", "root"), ("x-auth-roles", "admin")]
ASK = f"location / {{ auth_request /ask; {PROXY} }}\nlocation = /ask {{ internal; gatepost on; {PROXY} }}"


def subjects(echo):
    """Of each request that the application got: where it went, and the subjects that it names."""
    return [(r["target"], [value for name, value in r["fields"] if name.lower() == "x-auth-subject"]) for r in echo.received]


@pytest.mark.parametrize("policy", ["everywhere", "where it is asked"])
@pytest.mark.parametrize("fields", [[], FORGED])
def test_who_auth_request_let_in_at_a_guarded_location_is_known_in_both(place, echo, fields, policy):
    locations, before = ASK, None
    if policy != "everywhere":
        locations, before = ASK.replace("gatepost on;", "gatepost_policy policy.toml; gatepost on;"), ""
    with site(place, locations, server="gatepost off;", echo=echo, policy=before) as nginx:
        for own, subject in [(place.alice, "alice"), (place.token, "sam")]:
            echo.received.clear()
            answer = wire.ask(nginx.port, "/orders/1", fields=[own, *fields])
            assert answer.status == 200 and answer.get("Cache-Control") == "private, no-store"
            assert subjects(echo) == [("/ask", [subject]), ("/orders/1", [subject])]
        assert got(echo, "X-Auth-Roles") == ["clerk"]


def test_whom_auth_request_refuses_at_a_guarded_location_hears_our_answer(place, echo):
    page(place, "login.html", "<p>log in</p>")
    locations = f"root html; {ASK}\nlocation /orders/page {{ auth_request /ask; error_page 401 /login.html; {PROXY} }}\nlocation = /login.html {{ }}"
    with site(place, locations, server="gatepost off;", echo=echo) as nginx:
        for fields, reason in [([], "credentials_missing"), ([people.basic_of("alice", "wrong")], "credentials_invalid")]:
            answer = wire.ask(nginx.port, "/orders/1", fields=[*fields, *FORGED])
            assert answer.status == 401 and answer.json()["reason"] == reason
            assert [value.split(" ")[0] for value in answer.all("WWW-Authenticate")] == ["Basic", "Bearer", "ApiKey"]
            assert answer.all("Cache-Control") == ["no-store"]
        answer = wire.ask(nginx.port, "/admin/1", fields=[place.alice])
        assert answer.status == 403 and answer.json()["reason"] == "role_missing"
        answer = wire.ask(nginx.port, "/orders/page")
        assert (answer.status, answer.body, len(answer.all("WWW-Authenticate"))) == (401, b"<p>log in</p>", 3)
        answer = wire.ask(nginx.port, "/orders/1", method="HEAD")
        assert answer.status == 401 and len(answer.all("WWW-Authenticate")) == 3
        assert wire.ask(nginx.port, "/orders/%2e%2e/1", fields=[place.alice]).status == 500, "all that auth_request makes of 400"
        assert not echo.received
        assert nginx.log().count("gatepost: denied ") == 6


def test_either_auth_request_at_a_guarded_location_or_another(place, echo):
    locations = ASK.replace("auth_request /ask;", "auth_request /ask; satisfy any; allow 127.0.0.1; deny all;")
    with site(place, locations, server="gatepost off;", echo=echo) as nginx:
        answer = wire.ask(nginx.port, "/orders/1", fields=FORGED)
        assert answer.status == 200 and answer.get("WWW-Authenticate") is None
        assert subjects(echo) == [("/orders/1", [])] and "gatepost: denied" not in nginx.log()
    echo.received.clear()
    with site(place, locations.replace("allow 127.0.0.1;", ""), server="gatepost off;", echo=echo) as nginx:
        assert wire.ask(nginx.port, "/orders/1", fields=FORGED).status == 401 and not echo.received
        assert nginx.log().count("gatepost: denied 401") == 1
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice]).status == 200


@pytest.mark.parametrize("fields", [[], FORGED])
def test_a_part_of_a_page_has_fields_of_its_own(place, echo, fields):
    page(place, "page.html", 'a<!--# include virtual="/orders/part" -->b<!--# include virtual="/free" -->c')
    locations = f"root html; location = /optional/page {{ ssi on; ssi_types *; try_files /page.html =404; }}\n"
    locations += f"location /orders/ {{ gatepost on; {PROXY} }}\nlocation = /free {{ {PROXY} }}"
    with site(place, locations, server="gatepost off;", echo=echo) as nginx:
        assert wire.ask(nginx.port, "/optional/page", fields=[place.token, *fields]).status == 200
        assert sorted(subjects(echo)) == [("/free", ["sam"]), ("/orders/part", ["sam"])]
        echo.received.clear()
        assert wire.ask(nginx.port, "/optional/page", fields=fields).status == 200
        assert sorted(subjects(echo)) == [("/free", []), ("/orders/part", [])], "as anybody"
        echo.received.clear()
        assert wire.ask(nginx.port, "/optional/page", fields=[people.bearer("x.y.z"), *fields]).status == 200
        assert subjects(echo) == [("/free", [])], "a part that is refused is left out"


def test_what_is_said_of_a_copy_alone_is_not_said_of_the_answer(place, echo):
    """The copy (mirror) is refused while the client's request is answered."""
    locations = f"location / {{ mirror /copy; {PROXY} }}\nlocation = /copy {{ internal; gatepost on; {PROXY} }}"
    with site(place, locations, server="gatepost off;", echo=echo) as nginx:
        for status in ("200", "401"):
            answer = wire.ask(nginx.port, "/orders/1", fields=[("X-Echo-Status", status)])
            assert answer.status == int(status) and answer.get("X-Echo") == "1"
            assert answer.get("WWW-Authenticate") is None and answer.get("Cache-Control") is None
        nginx.wait_for(lambda: nginx.log().count("gatepost: denied 401") == 2)
        assert wire.ask(nginx.port, "/orders/1", fields=[place.token]).get("Cache-Control") is None
        nginx.wait_for(lambda: len(echo.received) == 4)
        assert {target for target, _ in subjects(echo)} == {"/orders/1", "/copy"}


def other_policy(place, old, new):
    text = place.policy.read_text()
    assert old in text
    (place.folder / "other.toml").write_text(text.replace(old, new))


def test_what_one_policy_lets_in_another_may_refuse(place, echo):
    """A redirect inside leads from one to the other."""
    other_policy(place, 'path = "/orders/{*rest}"\nrequire = { permission = "orders:read" }', 'path = "/orders/{*rest}"\naccess = "public"')
    log = "log_format g '$gatepost_reason';"
    locations = f"""access_log {place.folder}/access.log g;
        location / {{ gatepost_policy other.toml; try_files /nothing @inner; }}
        location /orders/off {{ gatepost off; gatepost_policy other.toml; try_files /nothing @inner; }}
        location /orders/back {{ try_files /nothing @open; }}
        location @inner {{ {PROXY} }}
        location @open {{ gatepost_policy other.toml; {PROXY} }}"""
    with site(place, f"root html; {locations}", echo=echo, before=log) as nginx:
        for target in ("/orders/1", "/orders/off", "/orders/back"):
            answer = wire.ask(nginx.port, target, fields=FORGED)
            assert answer.status == 401 and answer.json()["reason"] == "credentials_missing", target
            assert len(answer.all("WWW-Authenticate")) == 3 and answer.all("Cache-Control") == ["no-store"]
        assert not echo.received
        for target in ("/orders/1", "/orders/off", "/orders/back"):
            answer = wire.ask(nginx.port, target, fields=[place.alice, *FORGED])
            assert answer.status == 200 and answer.all("Cache-Control") == ["private, no-store"], target
        assert [who for _, who in subjects(echo)] == [["alice"], ["alice"], []], "the last one to decide says who it is"
        file = place.folder / "access.log"
        lines = nginx.wait_for(lambda: len(found := file.read_text().split()) == 6 and found)
    assert lines == ["credentials_missing"] * 3 + ["allowed", "allowed", "public"]


def test_what_another_policy_says_of_a_copy_alone_is_not_said_of_the_answer(place, echo):
    other_policy(place, 'path = "/orders/{*rest}"\nrequire = { permission = "orders:read" }', 'path = "/orders/{*rest}"\nrequire = { role = "admin" }')
    locations = f"location / {{ mirror /copy; {PROXY} }}\nlocation = /copy {{ internal; gatepost_policy other.toml; {PROXY} }}"
    with site(place, locations, echo=echo) as nginx:
        answer = wire.ask(nginx.port, "/orders/1", fields=[place.token])
        assert answer.status == 200 and answer.all("Cache-Control") == ["private, no-store"]
        nginx.wait_for(lambda: "gatepost: denied 403 role_missing" in nginx.log())
        assert [target for target, _ in subjects(echo)] == ["/orders/1"]


def test_a_part_of_a_page_under_another_policy_is_asked_about_by_that(place, echo):
    other_policy(place, 'path = "/orders/{*rest}"\nrequire = { permission = "orders:read" }', 'path = "/orders/{*rest}"\nrequire = { role = "admin" }')
    page(place, "orders/page", 'a<!--# include virtual="/part" -->b')
    locations = f"root html; ssi on; ssi_types *; location / {{ }}\nlocation = /part {{ gatepost_policy other.toml; {PROXY} }}"
    with site(place, locations, echo=echo) as nginx:
        answer = wire.ask(nginx.port, "/orders/page", fields=[place.alice])
        assert answer.status == 200 and answer.body.startswith(b"a") and b"subject" not in answer.body and not echo.received
        assert answer.get("Cache-Control") == "private, no-store" and answer.get("WWW-Authenticate") is None
        assert b"root" in wire.ask(nginx.port, "/orders/page", fields=[place.root]).body
        assert subjects(echo) == [("/part", ["root"])]


def test_a_variable_read_before_the_decision_is_no_way_around_it(place, echo):
    asked = 'if ($http_x_auth_subject = "nobody") { return 418; } if ($gatepost_subject = "nobody") { return 418; }'
    locations = f"""access_log {place.folder}/access.log g;
        location / {{ {asked} proxy_set_header X-User "$http_x_auth_subject"; proxy_set_header X-Said "$gatepost_subject"; {PROXY} }}"""
    log = "log_format g '$gatepost_subject $http_x_auth_subject';"
    with site(place, locations, echo=echo, before=log) as nginx:
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice, *FORGED]).status == 200
        assert (got(echo, "X-User"), got(echo, "X-Said")) == (["alice"], ["alice"])
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice]).status == 200
        assert (got(echo, "X-User"), got(echo, "X-Said")) == (["alice"], ["alice"])
        assert wire.ask(nginx.port, "/public/1", fields=[place.alice, *FORGED]).status == 200
        assert "root" not in str(got(echo, "X-User")) and got(echo, "X-Said") in ([], [""])
        file = place.folder / "access.log"
        lines = nginx.wait_for(lambda: len(found := file.read_text().splitlines()) == 3 and found)
    assert lines == ["alice alice", "alice alice", "- -"]


@pytest.mark.parametrize("server", ["gatepost on;", "gatepost off;"])
@pytest.mark.parametrize(("more", "status"), [(0, 400), (200, 431)])
def test_a_name_that_is_no_name_goes_no_further(place, echo, server, more, status):
    locations = f"ignore_invalid_headers off; error_page 400 431 @bad; location @bad {{ gatepost off; {PROXY} }}\nlocation / {{ {PROXY} }}"
    with site(place, locations, server=server, echo=echo) as nginx:
        for name in ("X/Auth-Subject", "X\x80Auth-Subject", '"X-Auth-Subject"', "x-auth-subject("):
            echo.received.clear()
            answer = wire.ask(nginx.port, "/orders/1", fields=[place.alice, (name, "root"), ("X-Kept", "1"), *[("X", "1")] * more])
            assert answer.status == (status if "on" in server else 200), name
            assert got(echo, "X-Kept") == ["1"] and not [1 for _, value in echo.received[0]["fields"] if value == "root"], name
