"""One decision after another, end to end: what the client gets, what the application sees, what the log says."""

from frame import people, wire


def received(echo, name):
    return [value for key, value in echo.received[-1]["fields"] if key.lower() == name.lower()]


def test_a_user_is_let_in_and_the_application_hears_who(proxy, place, echo):
    answer = wire.ask(proxy.port, "/orders/7", fields=[place.alice])
    assert answer.status == 200, proxy.said()
    assert received(echo, "X-Auth-Subject") == ["alice"] and received(echo, "X-Auth-Roles") == ["clerk"]
    assert answer.get("Cache-Control") == "private, no-store"


def test_without_credentials_the_answer_is_the_engines(proxy, echo):
    answer = wire.ask(proxy.port, "/orders/7")
    assert answer.status == 401 and not echo.received
    assert [value.split(" ")[0] for value in answer.all("WWW-Authenticate")] == ["Basic", "Bearer", "ApiKey"]
    assert answer.get("Content-Type") == "application/problem+json" and answer.json()["status"] == 401
    assert answer.get("Cache-Control") == "no-store"


def test_a_wrong_password_a_missing_role_and_an_unknown_route(proxy, place, echo):
    assert wire.ask(proxy.port, "/orders/7", fields=[people.basic_of("alice", "wrong")]).status == 401
    assert wire.ask(proxy.port, "/admin/x", fields=[place.alice]).status == 403
    assert wire.ask(proxy.port, "/nowhere", fields=[place.root]).status == 403
    assert not echo.received


def test_tokens_and_keys(proxy, place, echo):
    assert wire.ask(proxy.port, "/orders/7", fields=[place.token]).status == 200
    assert received(echo, "X-Auth-Subject") == ["sam"] and received(echo, "X-Auth-Issuer") == ["https://accounts.example.com"]
    assert wire.ask(proxy.port, "/orders/7", fields=[("X-API-Key", place.key)]).status == 200
    assert received(echo, "X-Auth-Subject") == ["alice"]
    assert wire.ask(proxy.port, "/orders/7", fields=[("X-API-Key", place.key[:-1])]).status == 401


def test_each_refusal_is_one_line_of_the_log_with_its_id(proxy, place):
    answer = wire.ask(proxy.port, "/admin/x", fields=[place.alice])
    told = answer.json()
    line = next(line for line in proxy.log().splitlines() if "gatepost:" in line and "role_missing" in line)
    assert "[info]" in line and "gatepost: denied 403 role_missing client=127.0.0.1 id=" in line and 'scheme=basic subject="alice"' in line
    assert f" id={told['id']} " in line
    assert "client: 127.0.0.1" in line
