"""A token: a whole decision of ours in Python, and verification by PyJWT, which checks signature, times, issuer and audience.

Both on the same tokens, in turn, in one thread of one process; the processor's time, what a tenth of the rounds were
quicker than. First: tokens that the engine has not seen. Again: the same ones, as a client sends its token with each
request.
"""

import secrets
import sys
import time
from pathlib import Path
from statistics import quantiles
from time import thread_time_ns

import gatepost

EACH, ROUNDS = 10, 101
POLICY = """
[engine]
state = ":memory:"
[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithms = ["{algorithm}"]
keys = {keys}
claims = {{ subject = "sub", roles = "roles", scopes = "scope" }}
[[role]]
name = "clerk"
permissions = ["orders:read"]
[[route]]
path = "/orders/{{id}}"
schemes = ["bearer"]
require = {{ permission = "orders:read" }}
"""


def main(folder: Path, libraries: str) -> None:
    sys.path.append(libraries)
    import jwt
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    keys = {
        "HS256": secrets.token_bytes(32),
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    print(f"{'ns of the processor':20} {'PyJWT':>10} {'ours, first':>20} {'ours, again':>20}")
    for algorithm, key in keys.items():
        if isinstance(key, bytes):
            file, public = folder / f"{algorithm}.key", key
            file.touch(0o600)
            file.write_bytes(key)
            words = f'{{ secret_file = "{file.name}", encoding = "raw" }}'
        else:
            public = key.public_key()
            file = folder / f"{algorithm}.pem"
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            file.write_bytes(public.public_bytes(serialization.Encoding.PEM, form))
            words = f'{{ file = "{file.name}" }}'
        engine = gatepost.Engine.from_text(POLICY.format(algorithm=algorithm, keys=words), folder)
        theirs, first, again = [], [], []
        for _ in range(ROUNDS):
            tokens = [jwt.encode(claims(), key, algorithm, {"typ": "at+jwt"}) for _ in range(EACH)]
            requests = [
                gatepost.Request("GET", "/orders/7", [("Host", "a.example"), ("Authorization", f"Bearer {token}")])
                for token in tokens
            ]
            # Whatever is done once is done.
            engine.decide(gatepost.Request("GET", "/orders/7", [("Host", "a.example")]))
            start = thread_time_ns()
            for token in tokens:
                jwt.decode(token, public, [algorithm], audience="orders", issuer="https://accounts.example.com")
            theirs.append((thread_time_ns() - start) / EACH)
            for times in (first, again):
                start = thread_time_ns()
                for request in requests:
                    assert engine.decide(request).allowed
                times.append((thread_time_ns() - start) / EACH)
        they, new, known = (quantiles(times, n=10)[0] for times in (theirs, first, again))
        print(f"{algorithm:20} {they:10.0f} {f'{new:.0f} ({they / new:.1f} times)':>20} {f'{known:.0f} ({they / known:.1f} times)':>20}")


def claims() -> "dict[str, object]":
    now = int(time.time())
    return {
        "iss": "https://accounts.example.com",
        "sub": "sam",
        "aud": ["orders"],
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "jti": secrets.token_hex(16),
        "sid": secrets.token_hex(16),
        "client_id": "shop",
        "roles": ["clerk"],
        "scope": "orders:read profile email",
        "email": "sam@example.com",
        "name": "Sam Example",
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
