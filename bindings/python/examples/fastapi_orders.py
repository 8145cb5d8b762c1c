"""A service of FastAPI's: uvicorn fastapi_orders:app. GATEPOST_POLICY names the policy."""

import logging
import os
from typing import Annotated

from fastapi import Depends, FastAPI

import gatepost
from gatepost.fastapi import GatepostMiddleware, User, current_user, require

# For the lines that say who was refused, and why.
logging.basicConfig(level=logging.INFO)
app = FastAPI()
# Last, so that it is outermost.
app.add_middleware(GatepostMiddleware, engine=gatepost.Engine(os.environ.get("GATEPOST_POLICY", "orders.toml")))

Caller = Annotated[User, Depends(current_user)]


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "well"}


@app.get("/catalogue")
async def catalogue(user: Caller) -> dict[str, str]:
    return {"for": user.identity if user.is_authenticated else "whoever you are"}


@app.get("/orders/{number}")
async def order(number: int, user: Caller) -> dict[str, object]:
    return {"order": number, "user": user.identity, "roles": user.roles}


# The policy lets clerks read; that deleting takes an administrator is said here.
@app.delete("/orders/{number}")
async def delete(number: int, user: Annotated[User, Depends(require(role="admin"))]) -> dict[str, object]:
    return {"deleted": number, "by": user.identity}
