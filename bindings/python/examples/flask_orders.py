"""A service of Flask's: flask --app flask_orders run, or gunicorn --preload flask_orders:app.

GATEPOST_POLICY names the policy. SIGHUP to the workers is gunicorn's; reload with `engine.reload()`.
"""

import logging
import os

import flask

import gatepost
from gatepost.flask import Gatepost, require

# For the lines that say who was refused, and why.
logging.basicConfig(level=logging.INFO)
app = flask.Flask(__name__)
engine = gatepost.Engine(os.environ.get("GATEPOST_POLICY", "orders.toml"))
Gatepost(app, engine)


@app.get("/health")
def health() -> dict[str, object]:
    return {"status": "well", "process": os.getpid()}


@app.get("/catalogue")
def catalogue() -> str:
    return str(flask.g.user.identity) if flask.g.user.is_authenticated else "whoever you are"


@app.get("/orders/<int:number>")
def order(number: int) -> dict[str, object]:
    fields = {name.lower(): value for name, value in flask.request.headers if name.lower().startswith("x-auth")}
    return {
        "order": number,
        "user": flask.g.user.identity,
        "remote_user": flask.request.remote_user,
        "roles": flask.g.user.roles,
        "fields": fields,
        "process": os.getpid(),
    }


# The policy lets clerks read; that deleting takes an administrator is said here.
@app.delete("/orders/<int:number>")
@require(role="admin")
def delete(number: int) -> dict[str, object]:
    return {"deleted": number, "by": flask.g.user.identity}
