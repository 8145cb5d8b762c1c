"""Users, keys and tokens for a policy, made by the command line and by hand."""

import base64
import hashlib
import hmac
import json
import subprocess
import time
from pathlib import Path

from .places import PATIENCE, release
from .wire import basic

PASSWORD = "four cups of green tea each noon"


def gatepost(*arguments, stdin="", fails=False) -> str:
    """Runs the command line and returns what it printed."""
    done = subprocess.run(
        [str(release() / "gatepost"), *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=PATIENCE
    )
    if (done.returncode != 0) != fails:
        raise AssertionError(f"gatepost {arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + (done.stderr if fails else "")


def user(policy: Path, name: str, *roles, password=PASSWORD):
    """Adds a user with a password."""
    words = [word for role in roles for word in ("--role", role)]
    gatepost("user", "add", name, *words, "--policy", policy, stdin=password + "\n")


def key(policy: Path, name: str, owner: str) -> str:
    """Issues an API key."""
    told = json.loads(gatepost("key", "issue", name, "--user", owner, "--policy", policy, "--json"))
    return next(value for value in _texts(told) if value.startswith("gp_") and len(value) > 30)


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(secret: bytes, subject: str, roles=(), lifetime=3600, **claims) -> str:
    """An HS256 token (RFC 7515) of the issuer that examples and policies of these tests believe."""
    now = int(time.time())
    said = {
        "iss": "https://accounts.example.com", "aud": "orders", "sub": subject, "roles": list(roles), "iat": now - 600,
        "exp": now + lifetime, **claims,
    }
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "at+jwt"}, said))
    return signed + "." + _encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())


def bearer(text: str) -> tuple:
    return ("Authorization", "Bearer " + text)


def secret(policy: Path) -> bytes:
    """The key of the issuer that policies of these tests believe."""
    return (policy.parent / "accounts.key").read_bytes()


def basic_of(name: str, password=PASSWORD) -> tuple:
    """The field with which a user of these tests logs in."""
    return basic(name, password)
