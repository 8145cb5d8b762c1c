"""Gatepost: for any HTTP request, let in, 401 or 403, and why.

    >>> import gatepost
    >>> engine = gatepost.Engine("orders.toml")
    >>> decision = engine.decide(gatepost.Request("GET", "/orders/7", [("Host", "orders.example.com")], peer="192.0.2.7"))
    >>> print(decision.status, decision.reason_name)
    401 credentials_missing

`gatepost.asgi`, `gatepost.wsgi` hold the middlewares, `gatepost.fastapi`, `gatepost.flask` and `gatepost.django` what
each framework expects besides.
"""

from ._events import Event, Fetch, Fetched
from ._header import ABI, Action, Audience, HeaderMode, Reason, Severity, Status
from ._header import VERSION as __version__
from ._library import LibraryError
from ._policy import METRICS_TYPE, has_feature, library_version, policy_check, reason_status, reason_text
from .aio import AsyncPool
from .decision import Decision, Header, Identity
from .engine import Engine
from .errors import (
    CancelledError,
    ClosedError,
    ConflictError,
    GatepostError,
    InternalError,
    InvalidArgumentError,
    NotStartedError,
    OverloadedError,
    PolicyError,
    RefusedError,
    StateError,
    SystemFailure,
    UnsupportedError,
)
from .request import Request
from .tokens import Tokens, Verified, hash_password, needs_rehash, verify_password

__all__ = [
    "ABI",
    "METRICS_TYPE",
    "Action",
    "AsyncPool",
    "Audience",
    "CancelledError",
    "ClosedError",
    "ConflictError",
    "Decision",
    "Engine",
    "Event",
    "Fetch",
    "Fetched",
    "GatepostError",
    "Header",
    "HeaderMode",
    "Identity",
    "InternalError",
    "InvalidArgumentError",
    "LibraryError",
    "NotStartedError",
    "OverloadedError",
    "PolicyError",
    "Reason",
    "RefusedError",
    "Request",
    "Severity",
    "StateError",
    "Status",
    "SystemFailure",
    "Tokens",
    "UnsupportedError",
    "Verified",
    "__version__",
    "has_feature",
    "hash_password",
    "library_version",
    "needs_rehash",
    "policy_check",
    "reason_status",
    "reason_text",
    "verify_password",
]
