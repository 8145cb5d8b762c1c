"""The example services on real servers, each asked with curl and with a library."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from .conftest import EXAMPLES, PASSWORD, PATIENCE, Place, basic, command
from .serving import Server, serving

SERVERS = {
    "uvicorn+fastapi": ["uvicorn", "fastapi_orders:app", "--port", "{port}", "--log-level", "info"],
    "uvicorn+starlette": ["uvicorn", "starlette_orders:app", "--port", "{port}", "--loop", "uvloop"],
    "uvicorn+starlette+h11": ["uvicorn", "starlette_orders:app", "--port", "{port}", "--http", "h11", "--loop", "asyncio"],
    "uvicorn+django": ["uvicorn", "django_orders:later", "--port", "{port}", "--lifespan", "off"],
    "gunicorn+flask": ["gunicorn", "--timeout", "600", "--preload", "-w", "2", "-b", "127.0.0.1:{port}", "flask_orders:app"],
    "gunicorn+threads": ["gunicorn", "--timeout", "600", "-k", "gthread", "--threads", "4", "-b", "127.0.0.1:{port}", "flask_orders:app"],
    "gunicorn+django": ["gunicorn", "--timeout", "600", "--preload", "-w", "2", "-b", "127.0.0.1:{port}", "django_orders:app"],
    "flask run": ["flask", "--app", "flask_orders", "run", "--port", "{port}"],
    "django runserver": ["django_orders", "runserver", "--noreload", "127.0.0.1:{port}"],
}


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, pattern: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    policy = pattern.copy(folder / "place").policy
    with serving(folder / "log", *SERVERS[request.param], policy=policy) as running:
        yield running


def test_curl_is_refused_and_told_why(server: Server) -> None:
    answer = server.curl("/orders/7")
    assert answer.status == 401
    # Several challenges, as several fields or as one list; the last one is seen here.
    assert "realm=" in answer.headers["www-authenticate"]
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["reason"] == "credentials_missing" and problem["id"]


def test_curl_is_let_in(server: Server) -> None:
    answer = server.curl("/orders/7", "-u", f"alice:{PASSWORD}", "-H", "X-Auth-Roles: admin", "-H", "x-auth-subject: root")
    assert answer.status == 200, answer
    assert answer.json()["user"] == "alice" and answer.json()["roles"] == ["clerk"]
    if "fields" in answer.json():
        assert answer.json()["fields"] == {"x-auth-subject": "alice", "x-auth-roles": "clerk"}
    assert answer.headers["cache-control"] == "private, no-store"


def test_httpx_and_requests_agree(server: Server, pattern: Place) -> None:
    key = ("X-API-Key", pattern.key)
    answer = server.httpx("/orders/7", key)
    assert answer.status == 200 and answer.json()["user"] == "alice"
    url = f"http://127.0.0.1:{server.port}/orders/7"
    got = requests.get(url, headers=dict([key]), timeout=PATIENCE)
    assert (got.status_code, got.json()["user"]) == (200, "alice")
    assert requests.get(url, auth=("alice", "not the password at all"), timeout=PATIENCE).status_code == 401


def test_a_public_and_an_optional_route(server: Server, pattern: Place) -> None:
    assert server.httpx("/health").status == 200
    assert b"whoever you are" in server.httpx("/catalogue").body
    assert b"alice" in server.httpx("/catalogue", ("X-API-Key", pattern.key)).body
    assert server.httpx("/catalogue", ("X-API-Key", "gp_nonsense")).status == 401


def test_what_the_code_requires_besides(server: Server) -> None:
    clerk = server.httpx("/orders/7", basic("alice"), method="DELETE")
    assert clerk.status == 403, clerk
    assert clerk.headers["content-type"] == "application/problem+json" and clerk.headers["cache-control"] == "no-store"
    assert clerk.json()["reason"] == "role_missing"
    # The services show their log as the README says.
    seen = [line for line in server.text().splitlines() if clerk.json()["id"] in line]
    assert len(seen) == 1 and "wanted role 'admin', had 'clerk'" in seen[0], server.text()
    admin = server.httpx("/orders/7", basic("root"), method="DELETE")
    assert admin.status == 200 and admin.json()["by"] == "root"


def test_no_route_no_method_no_way_round(server: Server) -> None:
    assert server.curl("/nowhere").status == 403
    assert server.curl("/orders/7", method="PUT").status == 403
    for target in ("/catalogue/..%2forders/7", "/orders/../orders/7", "/health/../orders/7", "//orders/7", "/orders%2f7"):
        assert server.curl(target).status in (400, 401, 403), target
    # A name that servers fold into another one.
    assert server.curl("/orders/7", "-H", "X_API_Key: gp_nonsense").status in (400, 401)


def test_head_has_no_body(server: Server) -> None:
    got = requests.head(f"http://127.0.0.1:{server.port}/orders/7", timeout=PATIENCE)
    assert got.status_code in (401, 403) and got.content == b""


def test_many_clients_at_once(server: Server, pattern: Place) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: server.httpx("/orders/7", ("X-API-Key", pattern.key)).status, range(64)))
    assert answers == [200] * 64


def test_an_ended_account_is_out_at_once(place: Place, tmp_path: Path) -> None:
    with serving(tmp_path / "log", *SERVERS["gunicorn+flask"], policy=place.policy) as server:
        assert server.httpx("/orders/7", ("X-API-Key", place.key)).status == 200
        command("user", "disable", "alice", "--policy", place.policy)
        for _ in range(6):
            assert server.httpx("/orders/7", ("X-API-Key", place.key)).status == 401, "in every worker"


def test_gunicorn_workers_each_start_after_the_fork(place: Place, tmp_path: Path) -> None:
    with serving(tmp_path / "log", *SERVERS["gunicorn+flask"], policy=place.policy) as server:
        seen: set[int] = set()
        end = time.monotonic() + PATIENCE
        while len(seen) < 2 and time.monotonic() < end:  # the second may be long in coming
            answer = server.httpx("/orders/7", ("X-API-Key", place.key))
            assert answer.status == 200
            seen.add(answer.json()["process"])
        assert len(seen) == 2 and server.process.pid not in seen
        # The master opened nothing of the engine's, each worker opened the state for itself.
        assert not has_open(server.process.pid, "orders.db")
        assert all(has_open(pid, "orders.db") for pid in seen)


def has_open(pid: int, name: str) -> bool:
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # closed meanwhile
            if name in os.readlink(entry.path):
                return True
    return False


def test_a_service_whose_policy_does_not_load_does_not_start(tmp_path: Path) -> None:
    policy = tmp_path / "bad.toml"
    policy.write_text("[engine]\nfoo = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "uvicorn", "starlette_orders:app", "--port", "0"],
        cwd=EXAMPLES,
        env={**os.environ, "GATEPOST_POLICY": str(policy)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode != 0 and "has no key `foo`" in done.stderr
