"""Engines, requests and decisions."""

import copy
import gc
import json
import pickle
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import gatepost
from gatepost import Action, HeaderMode, Reason, Severity, asgi, wsgi
from gatepost.flask import Gatepost

from .conftest import PLAIN, Place, ask, basic


def test_a_refusal_says_everything(engine: gatepost.Engine) -> None:
    decision = ask(engine, "/private")
    assert not decision and not decision.allowed
    assert (decision.action, decision.status, decision.reason) == (Action.DENY, 401, Reason.CREDENTIALS_MISSING)
    assert decision.reason_name == decision.reason.label == "credentials_missing"
    challenge = gatepost.Header("WWW-Authenticate", 'Basic realm="Tea", charset="UTF-8"', HeaderMode.APPEND)
    assert challenge in decision.response_headers
    assert decision.id and decision.id.encode() in decision.body
    assert decision.subject is None and decision.scheme is None and decision.identity is None
    assert decision.upstream_headers == () and "X-Auth-Subject" in decision.strip
    assert decision.retry_after is None and decision.generation == 1
    assert "401 credentials_missing" in repr(decision)


def test_who_is_let_in_is_told_to_the_application(orders: gatepost.Engine) -> None:
    decision = ask(orders, "/orders/7", basic("alice"), ("x_auth_subject", "root"))
    assert decision and decision.action is Action.ALLOW and decision.status == 200
    assert decision.identity == gatepost.Identity("alice", "", "basic", ("clerk",), ())
    assert {(field.name, field.value) for field in decision.upstream_headers} == {
        ("X-Auth-Subject", "alice"),
        ("X-Auth-Roles", "clerk"),
    }
    assert "x_auth_subject" in decision.strip and decision.body == b""
    assert decision.attribute("roles") == "clerk" and decision.attribute("nothing") == ""


def test_wrong_credentials_and_missing_rights_are_told_apart(orders: gatepost.Engine) -> None:
    wrong = ask(orders, "/orders/7", basic("alice", "not the password at all"), peer="192.0.2.99")
    assert (wrong.status, wrong.reason) == (401, Reason.CREDENTIALS_INVALID)
    nowhere = ask(orders, "/nowhere", basic("alice"))
    assert (nowhere.status, nowhere.reason) == (403, Reason.ROUTE_UNKNOWN)


def test_an_api_key_is_taken(orders: gatepost.Engine, place: Place) -> None:
    decision = ask(orders, "/orders/7", ("X-API-Key", place.key))
    assert decision and decision.scheme == "api-key" and decision.subject == "alice"
    assert not ask(orders, "/orders/7", ("X-API-Key", place.key[:-1]))


@pytest.mark.parametrize(
    "headers", [{"Host": "a.example"}, [("Host", "a.example")], [(b"Host", b"a.example")], iter([("Host", b"a.example")])]
)
def test_headers_of_every_kind_are_taken(engine: gatepost.Engine, headers: gatepost.request.Headers) -> None:
    assert engine.decide(gatepost.Request("GET", "/public", headers))


def test_a_policy_that_does_not_load_says_where(tmp_path: Path) -> None:
    policy = tmp_path / "bad.toml"
    policy.write_text('[engine]\nname = "x"\nfoo = 1\n')
    with pytest.raises(gatepost.PolicyError) as caught:
        gatepost.Engine(policy)
    error = caught.value
    assert (error.file, error.line, error.column) == (str(policy), 3, 1)
    assert "`foo`" in error.message and error.status is gatepost.Status.ERR_POLICY
    same = pickle.loads(pickle.dumps(error))
    assert (same.file, same.line, same.message) == (error.file, error.line, error.message)
    with pytest.raises(gatepost.GatepostError, match="nowhere"):
        gatepost.Engine(tmp_path / "nowhere.toml")


def test_a_policy_is_checked_without_an_engine(tmp_path: Path) -> None:
    assert gatepost.policy_check(text=PLAIN) == ""
    assert "public" in gatepost.policy_check(text=PLAIN + '[[route]]\npath = "/{*rest}"\naccess = "public"\n')
    with pytest.raises(gatepost.PolicyError):
        gatepost.policy_check(text="[engine]\nfoo = 1\n")
    with pytest.raises(gatepost.GatepostError):
        gatepost.policy_check(tmp_path / "nowhere.toml")


def test_closed_is_closed_and_close_is_idempotent() -> None:
    engine = gatepost.Engine.from_text(PLAIN)
    with engine:
        decision = ask(engine, "/private")
    engine.close()
    for call in (lambda: ask(engine, "/public"), engine.start, engine.reload, engine.metrics, engine.poll):
        with pytest.raises(gatepost.ClosedError):
            call()
    assert decision.reason_name == "credentials_missing", "a decision outlives its engine"
    with decision:
        pass
    decision.close()
    assert decision.status == 401
    with pytest.raises(gatepost.ClosedError):
        _ = decision.body
    with pytest.raises(gatepost.ClosedError):
        _ = decision.response_headers


def test_what_is_the_librarys_cannot_be_copied(engine: gatepost.Engine) -> None:
    for thing in (engine, ask(engine, "/private"), gatepost.Request()):
        for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                duplicate(thing)


def test_reload_swaps_the_policy_or_keeps_it(place: Place) -> None:
    with gatepost.Engine(place.policy) as engine:
        assert not ask(engine, "/new") and engine.generation == 1
        text = place.policy.read_text()
        place.policy.write_text(text + '[[route]]\npath = "/new"\naccess = "public"\n')
        engine.reload()
        assert ask(engine, "/new") and engine.generation == 2
        place.policy.write_text("[engine]\nfoo = 1\n")
        with pytest.raises(gatepost.PolicyError):
            engine.reload()
        assert ask(engine, "/new").generation == 2
    with gatepost.Engine.from_text(PLAIN) as engine, pytest.raises(gatepost.GatepostError):
        engine.reload()


def test_the_clock_is_asked_and_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[float] = []

    def clock() -> float:
        asked.append(1764504000.5)
        return asked[-1]

    events: list[gatepost.Event] = []
    with gatepost.Engine.from_text(PLAIN, clock=clock, on_event=events.append) as engine:
        ask(engine, "/private")
    assert asked and events[-1].fields["time"].startswith("2025-11-30T12:00:00")

    def broken() -> float:
        raise RuntimeError("the clock has stopped")

    before = time.time()
    with gatepost.Engine.from_text(PLAIN, clock=broken, on_event=events.append) as engine:
        assert ask(engine, "/private").status == 401
    seen = datetime.fromisoformat(events[-1].fields["time"]).timestamp()
    assert before - 1 <= seen <= time.time() + 1, "the system's clock stands in"
    assert "the clock has stopped" in caplog.text


def test_events_are_told(caplog: pytest.LogCaptureFixture) -> None:
    events: list[gatepost.Event] = []
    with gatepost.Engine.from_text(PLAIN, on_event=events.append) as engine:
        request = gatepost.Request("GET", "/private", {"Host": "a"}, tag=4711, request_id="mine")
        decision = engine.decide(request)
    event = next(event for event in events if event.name == "decision")
    assert (event.id, event.status, event.action, event.reason) == ("mine", 401, Action.DENY, Reason.CREDENTIALS_MISSING)
    assert event.tag == 4711 and event.severity is Severity.NOTICE and decision.id == "mine"
    assert event.fields["reason"] == "credentials_missing"

    def broken(event: gatepost.Event) -> None:
        raise RuntimeError("nobody listens")

    with gatepost.Engine.from_text(PLAIN, on_event=broken) as engine:
        assert ask(engine, "/public"), "what a callback raises changes no decision"
        ask(engine, "/private")
    assert "nobody listens" in caplog.text
    with pytest.raises(TypeError):
        gatepost.Engine.from_text(PLAIN, clock=5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="hashing_memory"):
        gatepost.Engine.from_text(PLAIN, hashing_memory=-1)


def test_callbacks_are_let_go_of_with_the_engine() -> None:
    from gatepost import _events

    before = len(_events._held)
    engine = gatepost.Engine.from_text(PLAIN, clock=time.time, on_event=print)
    assert len(_events._held) == before + 2
    del engine
    gc.collect()
    assert len(_events._held) == before
    with pytest.raises(gatepost.PolicyError):
        gatepost.Engine.from_text("[engine]\nfoo = 1\n", clock=time.time)
    assert len(_events._held) == before


def test_metrics_and_poll(engine: gatepost.Engine) -> None:
    ask(engine, "/private")
    text = engine.metrics()
    assert 'reason="credentials_missing"' in text and text.endswith("# EOF\n")
    assert 0 < engine.poll() <= 3600
    assert engine.wants_body(gatepost.Request()) == 0


def test_reasons_have_words() -> None:
    for reason in Reason:
        assert gatepost.reason_text(reason) and gatepost.reason_text(reason, gatepost.Audience.OPERATOR)
        assert 200 <= gatepost.reason_status(reason) < 600
    assert Reason(9999).name == "UNKNOWN_9999" and Action(77) is Action.DENY
    with pytest.raises(ValueError):
        Reason("nothing")  # type: ignore[arg-type]


def test_numbers_are_printed_as_their_names(engine: gatepost.Engine) -> None:
    decision = ask(engine, "/private")
    assert f"{decision.action} {decision.reason}" == "DENY credentials_missing"
    assert [str(member) for member in (Reason.TOKEN_EXPIRED, Severity.NOTICE, HeaderMode.SET, gatepost.Status.PENDING)] == [
        "token_expired",
        "NOTICE",
        "SET",
        "PENDING",
    ]
    assert "%s %s" % (gatepost.Audience.OPERATOR, Reason(9999)) == "OPERATOR unknown_9999"
    # They are numbers all the same.
    assert f"{decision.reason:d} {decision.reason:03d} {int(decision.reason)}" == "40 040 40"
    assert json.dumps(decision.reason) == "40" and decision.reason == 40


def test_versions_and_features() -> None:
    assert gatepost.__version__ == gatepost.library_version()
    assert gatepost.has_feature("basic") and not gatepost.has_feature("telepathy")


def test_read_only_leaves_no_trace(place: Place) -> None:
    with gatepost.Engine(place.policy, read_only=True) as engine:
        for _ in range(30):
            decision = ask(engine, "/orders/7", basic("alice", "not the password at all"))
            assert decision.reason is Reason.CREDENTIALS_INVALID, "never throttled"


def test_a_clock_that_fails_is_the_systems(caplog: pytest.LogCaptureFixture) -> None:
    for wrong in (10**30, -1, float("nan"), float("inf"), "noon", None):
        heard: list[gatepost.Event] = []
        before = time.time()
        with gatepost.Engine.from_text(PLAIN, clock=lambda wrong=wrong: wrong, on_event=heard.append) as engine:  # type: ignore[misc]
            ask(engine, "/private")
        assert not heard[-1].line.startswith('{"time":"1970'), wrong
        seen = datetime.fromisoformat(heard[-1].fields["time"]).timestamp()
        assert before - 1 <= seen <= time.time() + 1, wrong
    assert "which is no time" in caplog.text


def test_wrong_types_are_told_as_such(engine: gatepost.Engine) -> None:
    for wrong in ("GET", None, 5):
        with pytest.raises(TypeError, match="a gatepost.Request is wanted"):
            engine.decide(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="a gatepost.Request is wanted"):
            engine.wants_body(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="a gatepost.Request is wanted"):
            engine.decide_async(wrong).send(None)  # type: ignore[arg-type]
    for number in (0, 7):
        with pytest.raises(TypeError, match="text is wanted, not int"):
            gatepost.hash_password(number)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="text is wanted, not int"):
            gatepost.Engine(number)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="policy must be a path, not None"):
        gatepost.Engine(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="text must be a policy, not None"):
        gatepost.Engine.from_text(None)  # type: ignore[arg-type]
    assert ask(engine, "/public").allowed


@pytest.mark.parametrize("make", [asgi.GatepostMiddleware, wsgi.GatepostMiddleware, lambda app, engine: Gatepost(Flask("a"), engine)])
def test_a_middleware_wants_an_engine(make: Any, engine: gatepost.Engine) -> None:
    make(print, engine=engine)
    with pytest.raises(TypeError, match=r"not str: gatepost\.Engine\('orders\.toml'\) makes one"):
        make(print, engine="orders.toml")
    for wrong in (5, gatepost.Engine):
        with pytest.raises(TypeError, match=f"engine must be a gatepost.Engine, not {type(wrong).__name__}"):
            make(print, engine=wrong)
