"""What can go wrong, as exceptions. A refusal is none of them: it is a decision."""

from typing import Any

from ._header import Status
from ._library import ffi, lib, string


class GatepostError(Exception):
    """Something did not work. Each kind has a class of its own, all of them under this one.

    Where a decision was wanted there is none, and the request must be refused: `http_status` says with which status.
    """

    def __init__(self, status: int, message: str, file: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        #: How the call ended.
        self.status: Status = Status(status)
        #: What happened and what to do about it; several lines where a policy has several faults.
        self.message: str = message
        #: The file that it is about, or None.
        self.file: str | None = file or None
        #: The line, counted from 1, or None.
        self.line: int | None = line or None
        #: The column in characters, counted from 1, or None.
        self.column: int | None = column or None

    def __reduce__(self) -> Any:
        return type(self), (int(self.status), self.message, self.file or "", self.line or 0, self.column or 0)

    @property
    def http_status(self) -> int:
        """The HTTP status to refuse a request with that could not be decided: 503 or 500."""
        busy = (Status.ERR_OVERLOADED, Status.ERR_STATE, Status.ERR_CANCELLED)
        return 503 if self.status in busy else 500


class InvalidArgumentError(GatepostError, ValueError):
    """An argument cannot be what it is."""


class UnsupportedError(GatepostError):
    """This release or build cannot do it."""


class NotStartedError(GatepostError):
    """The engine was not started in this process."""


class PolicyError(GatepostError):
    """The policy does not load; `message` says all that is wrong with it, `file`, `line`, `column` where the first is."""


class StateError(GatepostError):
    """The state cannot be opened, read or written."""


class OverloadedError(GatepostError):
    """No room to work on it now; try again later."""


class CancelledError(GatepostError):
    """It was cancelled, or its pool has ended."""


class ConflictError(GatepostError):
    """It exists already, does not exist, or was done before."""


class RefusedError(GatepostError):
    """A credential that was handed in is not taken. `message` is for the log and not for the client."""


class SystemFailure(GatepostError):
    """The operating system refused something, or memory ran out."""


class InternalError(GatepostError):
    """A fault in the library. Please report it."""


class ClosedError(GatepostError, ValueError):
    """The object was closed before."""

    def __init__(self, what: str) -> None:
        super().__init__(Status.ERR_INVALID_ARGUMENT, f"the {what} was closed")
        self._what = what

    def __reduce__(self) -> Any:
        return type(self), (self._what,)


_KINDS: dict[Status, type[GatepostError]] = {
    Status.ERR_INVALID_ARGUMENT: InvalidArgumentError,
    Status.ERR_UNSUPPORTED: UnsupportedError,
    Status.ERR_NOT_STARTED: NotStartedError,
    Status.ERR_POLICY: PolicyError,
    Status.ERR_STATE: StateError,
    Status.ERR_NO_MEMORY: SystemFailure,
    Status.ERR_OVERLOADED: OverloadedError,
    Status.ERR_CANCELLED: CancelledError,
    Status.ERR_CONFLICT: ConflictError,
    Status.ERR_SYSTEM: SystemFailure,
    Status.ERR_PANIC: InternalError,
    Status.ERR_INTERNAL: InternalError,
    Status.ERR_REFUSED: RefusedError,
}


def failure(status: int, error: Any = None) -> GatepostError:
    """The exception for a status and, where there is one, the library's error object, which is freed."""
    kind = _KINDS.get(Status(status), GatepostError)
    if error is None or error == ffi.NULL:
        return kind(status, string(lib.gatepost_status_text(status)))
    try:
        return kind(
            int(lib.gatepost_error_status(error)),
            string(lib.gatepost_error_message(error)),
            string(lib.gatepost_error_file(error)),
            lib.gatepost_error_line(error),
            lib.gatepost_error_column(error),
        )
    finally:
        lib.gatepost_error_free(error)


def settle(call: Any, *arguments: Any) -> None:
    """Makes a call whose last parameter is a `gatepost_error **`, and raises what it says."""
    error = ffi.new("gatepost_error **")
    status = call(*arguments, error)
    if status != Status.OK:
        raise failure(status, error[0])


def taken(call: Any, kind: str, free: Any, *arguments: Any) -> Any:
    """The same for a call that hands out one object before the error: the object, freed with its last reference."""
    made = ffi.new(f"{kind} **")
    settle(call, *arguments, made)
    return ffi.gc(made[0], free)
