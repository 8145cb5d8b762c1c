"""A client that proves with each request that it holds the key of its token (RFC 9449). OpenSSL's command signs."""

import base64
import hashlib
import json
import subprocess
import time
from pathlib import Path

from . import people
from .places import PATIENCE


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Client:
    """A key in `folder`, and a token that is bound to it."""

    def __init__(self, folder: Path, secret: bytes, subject="sam", roles=("clerk",)):
        self.key, self.made = folder / "client.pem", 0
        self._openssl("genpkey", "-algorithm", "ed25519", "-out", self.key)
        # The last 32 octets of the DER are the key itself (RFC 8410).
        public = self._openssl("pkey", "-in", self.key, "-pubout", "-outform", "DER")[-32:]
        self.jwk = {"crv": "Ed25519", "kty": "OKP", "x": _encoded(public)}
        thumbprint = hashlib.sha256(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")).encode()).digest()
        self.token = people.token(secret, subject, roles, cnf={"jkt": _encoded(thumbprint)})

    def _openssl(self, *arguments) -> bytes:
        return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=PATIENCE).stdout

    def fields(self, uri: str, method="GET") -> list:
        """The fields of one request: each time a fresh proof."""
        self.made += 1
        claims = {
            "jti": f"{id(self)}-{self.made}-{time.time_ns()}", "htm": method, "htu": uri, "iat": int(time.time()),
            "ath": _encoded(hashlib.sha256(self.token.encode()).digest()),
        }
        header = {"typ": "dpop+jwt", "alg": "EdDSA", "jwk": self.jwk}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
        text = self.key.parent / "signed"
        text.write_text(signed)
        signature = self._openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", text)
        return [("Authorization", "DPoP " + self.token), ("DPoP", f"{signed}.{_encoded(signature)}")]
