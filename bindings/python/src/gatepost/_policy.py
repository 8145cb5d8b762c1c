"""What needs no engine: checking a policy, the words of reasons, what the library is."""

import os

from ._header import Audience, Reason
from ._library import Borrowed, lib, string
from .errors import taken

#: The media type of `Engine.metrics`.
METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def policy_check(file: "str | os.PathLike[str]" = "", *, text: str = "") -> str:
    """Checks a policy as making an engine of it would, without opening its state.

    text: the policy itself; empty: file is read. With a text, file only names it in messages.
    Returns the warnings, empty where there are none. Raises PolicyError where it does not load.
    """
    borrowed = Borrowed()
    # A text wants a name for the messages.
    name = borrowed.text(file or "policy.toml" if text else file)
    report = taken(
        lib.gatepost_policy_check, "gatepost_bytes", lib.gatepost_bytes_free, name, borrowed.text(text)
    )
    return string(lib.gatepost_bytes_view(report))


def reason_text(reason: Reason, audience: Audience = Audience.PERSON) -> str:
    """The sentence that goes with a reason, in English: for the person refused, or for the operator."""
    return string(lib.gatepost_reason_text(int(reason), int(audience)))


def reason_status(reason: Reason) -> int:
    """The HTTP status that goes with a reason."""
    return int(lib.gatepost_reason_status(int(reason)))


def has_feature(name: str) -> bool:
    """Whether this build of the library can do something: "basic", "bearer", "api-key", "sqlite", "pool", "https"."""
    borrowed = Borrowed()
    return bool(lib.gatepost_has_feature(borrowed.text(name)))


def library_version() -> str:
    """The version of the library that runs; the package's own is `__version__`."""
    return string(lib.gatepost_version())
