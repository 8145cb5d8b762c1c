"""Answers for joserfc; the lines are those of with_pyjwt.py."""
import json
import sys

import joserfc
from joserfc import jws, jwt
from joserfc.jwk import KeySet

setup = json.loads(sys.stdin.readline())


def claims_of(trusted):
    return jwt.JWTClaimsRegistry(
        now=setup["now"],
        leeway=setup["leeway"],
        iss={"essential": True, "value": trusted["issuer"]},
        aud={"essential": True, "value": setup["audience"]},
        exp={"essential": True},
        sub={"essential": True},
    )


for trusted in setup["issuers"].values():
    trusted["keys"] = KeySet.import_key_set({"keys": trusted["keys"]})
print(json.dumps({"ready": f"joserfc {joserfc.__version__}"}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    trusted = setup["issuers"][asked["issuer"]]
    try:
        token = jwt.decode(asked["token"], trusted["keys"], algorithms=trusted["algorithms"])
        claims_of(trusted).validate(token.claims)
        text = json.dumps({"claims": token.claims})
    except Exception as error:  # whatever it is, the token was not accepted
        text = json.dumps({"refused": f"{type(error).__name__}: {error}"})
    print(text, flush=True)
