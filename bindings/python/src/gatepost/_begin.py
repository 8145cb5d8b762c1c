"""One decision: what is cheap at once, in memory that is used again; what is slow as a job."""

from typing import TYPE_CHECKING, Any

from ._answer import LETS_IN, Answer, answers, learn
from ._header import Status
from ._library import ffi, lib
from ._memory import BEGIN, Laid, Place, free, new_place, written
from .decision import Decision, kept
from .errors import ClosedError, failure

if TYPE_CHECKING:
    from .engine import Engine

_decide_text = lib.gatepost_decide_text
_INVALID, _NOT_STARTED = int(Status.ERR_INVALID_ARGUMENT), int(Status.ERR_NOT_STARTED)
_PENDING = int(Status.PENDING)
_new = object.__new__
# Bound once: a method of what was imported is looked up anew by each call.
_take, _give, _known = free.pop, free.append, answers.get


def begin(engine: "Engine", text: bytes) -> Any:
    """The decision on a request in one text, as `gatepost_decide_text` has it; or the job that is left: a pointer, owned by
    the caller; or None where the request must be laid out, since a line break in it would make two strings of one."""
    handle = engine._handle
    if handle is None:
        raise ClosedError("engine")
    try:
        taken = _take()
    except IndexError:
        taken = new_place()
    place, memory = taken
    status = _decide_text(handle, text, len(text), place)
    if status:
        if status == _NOT_STARTED:
            # The first decision in this process.
            engine.start()
            status = _decide_text(handle, text, len(text), place)
        if status:
            return None if status == _INVALID else _left(status, taken)
    pointer, mark, size, action, ident = written(memory)
    if pointer:
        return _kept(taken)
    decision: Decision = _new(Decision)
    decision._written = data = memory[BEGIN : BEGIN + size]
    _give(taken)
    if action in LETS_IN:
        answer = _known(mark)
        # A mark says where to compare: the head has all lengths, so that what begins alike is the same but for the id.
        if answer is None or not data.startswith(answer._raw):
            answer = learn(mark, data[: size - ident], action)
        decision._answer = answer
    else:
        # As `learn`, of which a call is dear. The id behind it stays: nobody compares it.
        decision._answer = answer = _new(Answer)
        answer._raw = data
        answer._numbers = answer._parts = None
        answer.action = action
    return decision


def _left(status: int, taken: Place) -> Any:
    if status != _PENDING:
        raise failure(status)
    job = taken[0].job
    _give(taken)
    return job


def _kept(taken: Place) -> Decision:
    """Of a decision for which there was no room."""
    pointer = taken[0].decision
    _give(taken)
    return kept(pointer)


def begin_laid(engine: "Engine", laid: Laid) -> Any:
    """The same of a request that was laid out; never None."""
    made, job = ffi.new("gatepost_decision **"), ffi.new("gatepost_job **")
    handle = engine._alive()
    status = lib.gatepost_decide(handle, laid.pointer, made, job)
    if status == _NOT_STARTED:
        engine.start()
        status = lib.gatepost_decide(handle, laid.pointer, made, job)
    if status == _PENDING:
        return job[0]
    if status:
        raise failure(status)
    return kept(made[0])


def finished(job: Any) -> Decision:
    """Runs a job to its end on this thread, and takes up its decision."""
    made = ffi.new("gatepost_decision **")
    try:
        status = lib.gatepost_job_run(job)
        if not status:
            status = lib.gatepost_job_finish(job, made, ffi.NULL)
        if status:
            raise failure(status)
    except BaseException:
        # Does nothing where it is gone.
        lib.gatepost_job_free(job)
        raise
    return kept(made[0])
