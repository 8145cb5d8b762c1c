"""Fixtures of the nginx tests: a policy with people in it, and the server that most tests need."""

from types import SimpleNamespace

import pytest

from frame import nginx, people


@pytest.fixture
def place(tmp_path):
    """A folder with a policy, alice (a clerk), root (an administrator), a key of alice's, and tokens."""
    policy = nginx.policy(tmp_path)
    people.user(policy, "alice", "clerk")
    people.user(policy, "root", "admin")
    secret = people.secret(policy)
    return SimpleNamespace(
        folder=tmp_path, policy=policy, secret=secret, key=people.key(policy, "ci", "alice"),
        alice=people.basic_of("alice"), root=people.basic_of("root"),
        token=people.bearer(people.token(secret, "sam", ["clerk"])),
    )


@pytest.fixture
def proxy(place, echo):
    """nginx in front of the echo, everything guarded."""
    text = (
        "gatepost_policy policy.toml;\nserver { listen 127.0.0.1:PORT; gatepost on;\n"
        f"location / {{ proxy_pass http://127.0.0.1:{echo.port}; }}\n}}"
    )
    with nginx.Nginx(place.folder, text) as server:
        yield server
