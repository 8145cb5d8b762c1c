"""The service that middleware.py asks, by uvicorn: with the middleware where GATEPOST_POLICY is set."""

import os

from fastapi import FastAPI

import gatepost
from gatepost.fastapi import GatepostMiddleware

app = FastAPI()
if os.environ.get("GATEPOST_POLICY"):
    app.add_middleware(GatepostMiddleware, engine=gatepost.Engine(os.environ["GATEPOST_POLICY"]))


@app.get("/orders/{number}")
async def order(number: int) -> "dict[str, object]":
    return {"order": number, "items": ["tea", "cups"]}
