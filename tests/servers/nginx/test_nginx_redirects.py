"""One decision for each request of a client: internal redirects, error pages and subrequests reuse it."""

import pytest

from frame import people, wire

from .site import got, page, site

PROXY = "proxy_pass http://ECHO;"


def decisions(nginx):
    """How often somebody was asked, going by the log of refusals."""
    return [line for line in nginx.log().splitlines() if "gatepost: denied " in line]


def test_the_page_of_a_refusal_is_shown_with_its_status_and_challenge(place, echo):
    page(place, "denied.html", "<p>ask your clerk</p>")
    locations = f"root html; error_page 401 /denied.html; error_page 403 @no; location / {{ {PROXY} }}\n"
    locations += "location = /denied.html { internal; }\nlocation @no { return 403 'not you'; }"
    with site(place, locations, echo=echo) as nginx:
        answer = wire.ask(nginx.port, "/orders/1")
        assert (answer.status, answer.body) == (401, b"<p>ask your clerk</p>")
        assert answer.get("Content-Type") == "text/html" and answer.get("Content-Language") is None
        assert any("Bearer" in value for value in answer.all("WWW-Authenticate"))
        assert answer.get("Cache-Control") == "no-store"
        answer = wire.ask(nginx.port, "/admin/1", fields=[place.alice])
        assert (answer.status, answer.body) == (403, b"not you")
        assert len(decisions(nginx)) == 2 and not echo.received
        assert wire.ask(nginx.port, "/orders/1", method="POST", body=b"x" * 100).status == 401
        head = wire.ask(nginx.port, "/orders/1", method="HEAD")
        assert head.status == 401 and head.body == b""


@pytest.mark.parametrize("target, fields", [("/orders/1", []), ("/admin/1", ["alice"])])
@pytest.mark.parametrize("lines", [
    "error_page 401 403 = @app; location @app { PROXY }",
    "error_page 401 403 @app; location @app { PROXY }",
    "error_page 401 403 = /front; location = /front { PROXY }",
    "error_page 401 403 = /front; location = /front { error_page 401 403 = @app; PROXY } location @app { PROXY }",
    "error_page 401 403 = @app; location @app { root html; }",
    "error_page 401 403 = /login.html; location = /login.html { rewrite ^ /front break; PROXY }",
    "error_page 401 403 = /login.html; location = /login.html { try_files /nothing @app; } location @app { PROXY }",
    "error_page 401 403 = @login; location @login { gatepost off; rewrite ^ /inner last; } location = /inner { PROXY }",
    # What an "if" or a "limit_except" holds is a configuration of its own, without handler and kind.
    "error_page 401 403 = @app; location @app { if ($uri) { set $a 1; } PROXY }",
    "error_page 401 403 = @app; location @app { root html; if ($uri) { set $a 1; } }",
    "error_page 401 403 = @app; location @app { root html; dav_methods PUT DELETE; limit_except GET { allow all; } }",
    "error_page 401 403 = /front; location = /front { if ($uri) { set $a 1; } PROXY }",
    "error_page 401 403 /public/x; if ($http_host) { set $a 1; }",
    # Files that may be the very one that was asked for.
    "root html; error_page 401 403 $uri; location /orders/ { }",
    "root html; error_page 401 403 $uri; location = /orders/1 { } location = /admin/1 { }",
    "root html; error_page 401 403 /login.html; location /login { try_files /cache$request_uri =404; }",
    "recursive_error_pages on; error_page 401 403 = @app; location @app { PROXY }",
])
def test_a_refusal_stands_where_error_page_leads_to_an_application(place, echo, lines, target, fields):
    for name in ("orders/1", "admin/1", "cache/orders/1", "cache/admin/1"):
        page(place, name, "SECRET")
    fields = [place.alice for _ in fields]
    with site(place, f"location / {{ PROXY }} {lines}".replace("PROXY", PROXY), echo=echo) as nginx:
        plain = 403 if fields else 401
        for method in ("GET", "POST", "DELETE"):
            answer = wire.ask(nginx.port, target, method=method, fields=fields, body=b"x" * 10 if method == "POST" else b"")
            assert answer.status == plain and answer.json()["status"] == plain, nginx.said()
            assert (plain == 403) == (not answer.all("WWW-Authenticate")) and answer.all("Cache-Control") == ["no-store"]
        assert not echo.received and len(decisions(nginx)) == 3
        assert 'write "gatepost off" in it' in nginx.log()
        assert wire.ask(nginx.port, "/public/1").status == 200 and len(echo.received) == 1


def test_the_page_of_a_refusal_may_come_from_an_application_that_sees_nothing_forged(place, echo):
    locations = f"error_page 401 = @login; location / {{ {PROXY} }}\nlocation @login {{ gatepost off; {PROXY} }}"
    with site(place, locations, echo=echo) as nginx:
        answer = wire.ask(nginx.port, "/orders/1", fields=[("X-Auth-Subject", "root"), ("x-auth-roles", "admin")])
        assert answer.status == 200 and len(echo.received) == 1
        assert got(echo, "X-Auth-Subject") == [] and got(echo, "X-Auth-Roles") == []


@pytest.mark.parametrize("check", ["PROXY", "", "if ($uri) { set $a 1; } PROXY"])
@pytest.mark.parametrize("login", ["root html; try_files /login.html =404;", "PROXY", "return 200 x;"])
@pytest.mark.parametrize("orders", ["gatepost off;", "satisfy any;", "satisfy any; error_page 401 403 = @login;"])
def test_a_page_of_what_auth_request_asks_lets_nobody_in(place, echo, check, login, orders):
    """The target's own refusal would go to that page, whose 200 auth_request takes for a yes."""
    page(place, "login.html", "log in")
    page(place, "check", "")
    locations = f"""error_page 401 = @login; location @login {{ gatepost off; {login} }}
        location /orders/ {{ {orders} auth_request /check; PROXY }}
        location = /check {{ internal; error_page 401 403 = @login; {check} }}"""
    with site(place, locations.replace("PROXY", PROXY), echo=echo) as nginx:
        for fields in ([], [people.basic_of("alice", "wrong")]):
            echo.received.clear()
            answer = wire.ask(nginx.port, "/orders/1", fields=fields)
            assert answer.body in (b"log in", b"x") or login == PROXY or "PROXY" in login, answer.body
            assert len(answer.all("WWW-Authenticate")) == 3
            # The page may be the login application's; /orders/1 itself and /check have reached nobody.
            assert len(echo.received) == ("PROXY" in login) and "/check" not in [one["target"] for one in echo.received]
        assert len(decisions(nginx)) == 2
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice]).status in (200, 404)


@pytest.mark.parametrize("app", ["", "PROXY"])
@pytest.mark.parametrize("public", ["ssi on;", "mirror /inner/f;", "add_after_body /inner/f;", "gatepost off; ssi on;"])
@pytest.mark.parametrize("to", ["= @app", "/front"])
def test_a_refused_part_is_led_nowhere_by_error_page(place, echo, app, public, to):
    """Where it is led another policy would hold, which has let the client in for the page around it."""
    page(place, "public/p.html", "a<!--# include virtual='/inner/f' -->b")
    for name in ("inner/f", "front"):
        page(place, name, "SECRET")
    text = place.policy.read_text().replace('"orders.db"', '"second.db"').replace('"/public/{*rest}"\naccess = "public"', '"/public/{*rest}"')
    (place.folder / "second.toml").write_text(text)
    locations = f"""root html; location /public/ {{ {public} }} location @app {{ {app} }} location /front {{ {app} }}
        location /inner/ {{ gatepost_policy second.toml; error_page 401 403 {to}; }}"""
    with site(place, locations.replace("PROXY", PROXY), echo=echo) as nginx:
        for method in ("GET", "POST", "DELETE") if "mirror" in public else ("GET",):
            answer = wire.ask(nginx.port, "/public/p.html", method=method, body=b"x" if method == "POST" else b"")
            assert b"SECRET" not in answer.body
        nginx.wait_for(lambda: decisions(nginx))
        assert wire.ask(nginx.port, "/public/p.html").status == 200 and not echo.received


def test_what_was_answered_before_a_refusal_takes_no_page_from_it(place, echo):
    page(place, "denied.html", "DENIED")
    page(place, "inner/f", "INNER")
    (place.folder / "second.toml").write_text(place.policy.read_text().replace('"orders.db"', '"second.db"'))
    locations = f"""root html; location / {{ {PROXY} }} location = /denied.html {{ }}
        location /inner/ {{ gatepost_policy second.toml; error_page 401 403 /denied.html; }}"""
    with site(place, locations, echo=echo) as nginx:
        accel = ("X-Echo-Field", "X-Accel-Redirect: /inner/f")
        answer = wire.ask(nginx.port, "/orders/1", fields=[place.alice, accel])
        assert (answer.status, answer.body) == (401, b"DENIED"), "the second policy does not know alice"
        assert wire.ask(nginx.port, "/orders/1", fields=[place.token, accel]).body == b"INNER"


def test_what_a_login_application_names_is_no_page_of_a_refusal(place, echo):
    page(place, "orders/1", "SECRET")
    locations = f"root html; location / {{ error_page 401 = @login; }} location @login {{ gatepost off; {PROXY} }}"
    with site(place, locations, echo=echo) as nginx:
        accel = ("X-Echo-Field", "X-Accel-Redirect: /orders/1")
        answer = wire.ask(nginx.port, "/orders/1", fields=[accel])
        assert answer.status == 401 and b"SECRET" not in answer.body and len(echo.received) == 1
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice, accel]).body == b"SECRET"


@pytest.mark.parametrize("fields, status", [(["bob"], 403), ([], 401)])
def test_a_page_under_another_policy_is_not_asked_about_there(place, echo, fields, status):
    """The other policy would take somebody whom it does not know for one who guesses."""
    page(place, "denied.html", "denied<!--# include virtual='/orders/part' -->")
    text = place.policy.read_text().replace("account = { failures = 100000", "account = { failures = 5")
    place.policy.write_text(text)
    (place.folder / "second.toml").write_text(text.replace('"Orders"', '"Second"').replace('"orders.db"', '"second.db"'))
    people.user(place.folder / "second.toml", "bob")
    locations = f"""root html; ssi on; location = /denied.html {{ }}
        location /admin/ {{ gatepost_policy second.toml; error_page 401 403 /denied.html; {PROXY} }}"""
    fields = [people.basic_of(name, people.PASSWORD) for name in fields]
    with site(place, locations, echo=echo) as nginx:
        for _ in range(12):
            answer = wire.ask(nginx.port, "/admin/1", fields=fields)
            assert answer.status == status and answer.body.startswith(b"denied"), nginx.said()
        assert len(decisions(nginx)) == 12 and "throttled" not in nginx.log() and not echo.received


def test_a_missing_page_of_a_refusal_is_no_way_in(place, echo):
    with site(place, f"root html; error_page 401 /nothing.html; location / {{ {PROXY} }} location = /nothing.html {{ }}", echo=echo) as nginx:
        assert wire.ask(nginx.port, "/orders/1").status in (401, 404) and not echo.received


def test_try_files_index_and_rewrite_ask_once(place, echo):
    page(place, "orders/index.html", "index")
    locations = f"""
        root html;
        location /orders/ {{ index index.html; }}
        location = /orders/index.html {{ }}
        location /public/ {{ try_files $uri $uri/ @app; }}
        location @app {{ {PROXY} }}
        location /optional/old {{ rewrite ^ /optional/new last; }}
        location /optional/new {{ {PROXY} }}
    """
    with site(place, locations, echo=echo) as nginx:
        assert wire.ask(nginx.port, "/orders/", fields=[place.alice]).body == b"index"
        assert wire.ask(nginx.port, "/orders/").status == 401
        assert wire.ask(nginx.port, "/public/x", fields=[("X-Auth-Subject", "root")]).status == 200
        assert got(echo, "X-Auth-Subject") == []
        assert wire.ask(nginx.port, "/optional/old", fields=[place.alice]).status == 200
        assert got(echo, "X-Auth-Subject") == ["alice"] and echo.received[-1]["target"] == "/optional/new"


def test_a_redirect_of_the_application_reuses_the_decision(place, echo):
    page(place, "file", "the file")
    locations = f"root html; location / {{ {PROXY} }}\nlocation = /file {{ internal; }}"
    with site(place, locations, echo=echo) as nginx:
        accel = ("X-Echo-Field", "X-Accel-Redirect: /file")
        answer = wire.ask(nginx.port, "/orders/1", fields=[place.alice, accel])
        assert (answer.status, answer.body) == (200, b"the file"), "/file is no route: it was not asked for again"
        assert answer.get("Cache-Control") == "private, no-store"
        assert wire.ask(nginx.port, "/orders/1", fields=[accel]).status == 401


def test_a_request_that_reaches_a_guarded_place_by_a_redirect_alone_is_asked(place, echo):
    page(place, "secret.html", "secret")
    locations = "root html; location / { try_files /nothing /secret.html; }\nlocation = /secret.html { gatepost on; }"
    with site(place, locations, server="gatepost off;") as nginx:
        assert wire.ask(nginx.port, "/orders/1").status == 401
        assert wire.ask(nginx.port, "/orders/1", fields=[place.alice]).body == b"secret"
        assert wire.ask(nginx.port, "/admin/1", fields=[place.alice]).status == 403, "the client's own target decides"


@pytest.mark.parametrize("word", ["alice", "nobody", "slow"])
def test_includes_on_a_page_that_is_not_guarded_itself(place, word):
    page(place, "page.html", 'a<!--# include virtual="/orders/part" -->b<!--# include virtual="/orders/part" wait="yes" -->c')
    page(place, "orders/part", "SECRET")
    locations = "root html; location = /optional/page { ssi on; ssi_types *; try_files /page.html =404; }\nlocation /orders/ { gatepost on; }"
    fields = {"alice": [place.token], "nobody": [people.bearer("x.y.z")], "slow": [place.alice]}[word]
    with site(place, locations, server="gatepost off;") as nginx:
        answer = wire.ask(nginx.port, "/optional/page", fields=fields)
        assert answer.status == 200, nginx.said()
        if word == "nobody":
            assert b"SECRET" not in answer.body and answer.body.startswith(b"a") and answer.body.endswith(b"c")
            assert answer.get("WWW-Authenticate") is None, "the page itself was not refused"
            assert len(decisions(nginx)) == 1
        else:
            assert answer.body == b"aSECRETbSECRETc"


def test_includes_and_mirrors_of_a_guarded_page_ask_nobody_again(place, echo):
    page(place, "orders/page", 'a<!--# include virtual="/nowhere" -->b')
    page(place, "nowhere", "part")
    locations = f"root html; ssi on; ssi_types *; location / {{ mirror /copy; }}\nlocation = /copy {{ internal; {PROXY} }}"
    with site(place, locations, echo=echo) as nginx:
        assert wire.ask(nginx.port, "/orders/page", fields=[place.alice, ("X-Auth-Subject", "root")]).body == b"apartb"
        nginx.wait_for(lambda: echo.received)
        assert got(echo, "X-Auth-Subject") == ["alice"]
        echo.received.clear()
        assert wire.ask(nginx.port, "/orders/page").status == 401 and not echo.received
