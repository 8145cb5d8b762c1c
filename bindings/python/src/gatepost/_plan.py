"""What an answer changes about a request and what is sent back, read once for all decisions that have it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ._answer import Answer, Fields
from .decision import identity
from .web import SET, SET_IF_ABSENT, Auth, Pairs, User, apply

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Sending = Callable[[Send, Message], Awaitable[None]]


class Plan:
    """The changes of an answer that lets in, names in small letters as ASGI has them."""

    __slots__ = ("added", "auth", "changes", "gone", "late", "sending", "user")

    def __init__(self, answer: Answer) -> None:
        parts = answer.parts
        gone = {*parts.strip, *map(bytes.lower, parts.strip)}
        #: Fields that the request gets, and those that it gets where it has none of that name.
        self.added: Pairs = []
        self.late: Fields = []
        for name, value, mode in parts.upstream:
            name = name.lower()
            if mode == SET_IF_ABSENT:
                self.late.append((name, value, mode))
                continue
            self.added.append((name, value))
            if mode == SET:
                gone.add(name)
        #: Names of fields that it loses: in small letters, as ASGI has them, and, where a server knows better, in its
        #: spelling, which the decision has too.
        self.gone = frozenset(gone)
        self.changes = bool(self.gone or self.added or self.late)
        #: Sends what the application sends, with fields for the answer; None: there are none.
        self.sending: Sending | None = _sending([(name.lower(), value, mode) for name, value, mode in parts.response])
        who = identity(answer)
        self.user, self.auth = User(who), Auth(who)

    def headers(self, headers: Pairs) -> Pairs:
        """The fields that the application sees."""
        gone = self.gone
        for name, _ in headers:
            if name in gone:
                headers = [pair for pair in headers if pair[0] not in gone]
                break
        headers = headers + self.added
        if self.late:
            apply(headers, self.late)
        return headers


def plan_of(answer: Answer) -> Plan:
    """The plan of an answer that lets in."""
    found: Plan | None = answer.plan
    if found is None:
        found = answer.plan = Plan(answer)
    return found


_STARTS = frozenset(("http.response.start", "websocket.accept", "websocket.http.response.start"))


def _sending(response: Fields) -> Sending | None:
    """The application's own messages stay as they are: it may send the same one to everybody."""
    if not response:
        return None
    if len(response) == 1 and response[0][2] == SET_IF_ABSENT:
        return _sending_once(*response[0][:2])

    def sending(send: Send, message: Message) -> Awaitable[None]:
        if message["type"] in _STARTS:
            headers = list(message.get("headers", ()))
            apply(headers, response)
            message = {**message, "headers": headers}
        return send(message)

    return sending


def _sending_once(name: bytes, value: bytes) -> Sending:
    """The same for the one field that almost every answer gets, where the application has none of that name."""
    field, length = (name, value), len(name)

    def sending(send: Send, message: Message) -> Awaitable[None]:
        if message["type"] in _STARTS:
            headers = message.get("headers", ())
            if type(headers) is not list:
                headers = list(headers)
                message = {**message, "headers": headers}
            for have, _ in headers:
                if len(have) == length and have.lower() == name:
                    return send(message)
            message = {**message}
            message["headers"] = [*headers, field]
        return send(message)

    return sending
