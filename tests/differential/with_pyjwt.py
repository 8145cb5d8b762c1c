"""Answers for PyJWT. Each line of stdin is JSON: first {"issuers": {name: {issuer, algorithms, keys}}, "audience",
"leeway", "now"}, then {"issuer": name, "token"} each answered by {"claims"} or {"refused"}."""
import datetime
import json
import sys

import jwt
import jwt.api_jwt

setup = json.loads(sys.stdin.readline())


class Fixed(datetime.datetime):
    """PyJWT has no setting for the time."""

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(setup["now"], tz)


jwt.api_jwt.datetime = Fixed


def keys_of(trusted, token):
    """Those that the token names, or all for its algorithm where it names none: what PyJWKClient and its users do."""
    header = jwt.get_unverified_header(token)
    keys = trusted["keys"]
    if "kid" in header:
        return [key for kid, key in keys if kid == header["kid"]]
    return [key for _, key in keys if key.algorithm_name == header.get("alg")]


def verify(trusted, token):
    found = keys_of(trusted, token)
    if not found:
        raise jwt.InvalidTokenError("no key")
    for index, key in enumerate(found):
        try:
            return jwt.decode(
                token,
                key,
                algorithms=trusted["algorithms"],
                audience=setup["audience"],
                issuer=trusted["issuer"],
                leeway=setup["leeway"],
                options={"require": ["exp", "sub"]},
            )
        except jwt.InvalidSignatureError:
            if index + 1 == len(found):
                raise


for trusted in setup["issuers"].values():
    trusted["keys"] = [(key.get("kid"), jwt.PyJWK(key)) for key in trusted["keys"]]
print(json.dumps({"ready": f"PyJWT {jwt.__version__}"}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"claims": verify(setup["issuers"][asked["issuer"]], asked["token"])}
        text = json.dumps(answer)
    except Exception as error:  # whatever it is, the token was not accepted
        text = json.dumps({"refused": f"{type(error).__name__}: {error}"})
    print(text, flush=True)
