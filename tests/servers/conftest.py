"""Fixtures that the tests of all servers share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from frame.echo import Echo  # noqa: E402


@pytest.fixture(scope="session")
def echo_server():
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def echo(echo_server):
    """The application behind the server under test, with nothing received yet."""
    echo_server.received.clear()
    return echo_server
