"""WebSockets on a real server, with a real client."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from .conftest import PATIENCE, Place, basic
from .serving import Server, serving


@pytest.fixture(scope="module", params=["websockets", "websockets-sansio"])
def server(request: pytest.FixtureRequest, pattern: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("ws")
    policy = pattern.copy(folder / "place").policy
    words = ["uvicorn", "starlette_orders:app", "--port", "{port}", "--ws", request.param]
    with serving(folder / "log", *words, policy=policy) as running:
        yield running


def test_a_websocket_is_let_in_with_its_identity(server: Server, pattern: Place) -> None:
    with connect(f"ws://127.0.0.1:{server.port}/live", additional_headers=dict([basic("alice")]), open_timeout=PATIENCE) as socket:
        assert socket.recv(timeout=PATIENCE) == "Hello, alice."


def test_a_websocket_without_credentials_is_refused_before_the_handshake(server: Server) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(f"ws://127.0.0.1:{server.port}/live", open_timeout=PATIENCE)
    assert caught.value.response.status_code in (401, 403)
    if caught.value.response.status_code == 401:
        assert "WWW-Authenticate" in caught.value.response.headers


def test_another_sites_page_is_refused(server: Server) -> None:
    with pytest.raises(InvalidStatus) as caught:
        headers = dict([basic("alice")])
        url, origin = f"ws://127.0.0.1:{server.port}/live", Origin("https://evil.example")
        connect(url, additional_headers=headers, origin=origin, open_timeout=PATIENCE)
    assert caught.value.response.status_code == 403
