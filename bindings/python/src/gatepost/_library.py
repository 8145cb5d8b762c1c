"""The shared library: loaded once, and checked before anything of it is called."""

import os
import re
from collections.abc import Callable, Sequence
from typing import Any

from . import _native
from ._header import ABI, VERSION

ffi: Any = _native.ffi


def octets(text: Any) -> bytes:
    """The bytes of a gatepost_str, copied."""
    return bytes(ffi.unpack(text.ptr, text.len)) if text.len else b""


def string(text: Any) -> str:
    """The text of a gatepost_str."""
    return octets(text).decode("utf-8", "replace")


class LibraryError(ImportError):
    """The shared library does not fit this package."""


def load(path: str) -> Any:
    """Loads a shared library and makes sure that it can serve this package.

    Raises LibraryError, which says what to install, where it is older than the header that the package was made of.
    """
    try:
        library = ffi.dlopen(path)
    except OSError as error:
        raise LibraryError(
            f"Gatepost's shared library cannot be loaded: {error}; GATEPOST_LIBRARY names it: correct or unset that"
        ) from None
    return check(library, path)


def check(library: Any, path: str) -> Any:
    """Refuses a library that is older than the header."""
    advice = f"install the library of gatepost {VERSION}, or unset GATEPOST_LIBRARY to use the one in this package"
    try:
        fits = library.gatepost_abi_check(ABI) == 0
    except (AttributeError, ffi.error):
        raise LibraryError(f"{path} is not Gatepost's library, or is older than any release: {advice}") from None
    if not fits:
        raise LibraryError(
            f"{path} speaks version {library.gatepost_abi()} of the binary interface and this package needs {ABI}: {advice}"
        )
    missing = []
    for name in dir(library):
        try:
            getattr(library, name)
        except (AttributeError, ffi.error):
            missing.append(name)
    # Only now, since that may be one of them.
    version = "of no known version" if "gatepost_version" in missing else string(library.gatepost_version())
    if missing:
        raise LibraryError(
            f"{path} is Gatepost {version} and older than this package: it has no {', '.join(missing)}; {advice}"
        )
    if older(version, VERSION):
        raise LibraryError(f"{path} is Gatepost {version} and older than this package: {advice}")
    return library


def older(version: str, than: str) -> bool:
    """Compares versions like "0.1.0". What is not one is not older."""
    try:
        return [int(part) for part in version.split(".")] < [int(part) for part in than.split(".")]
    except ValueError:
        return False


def _find() -> Any:
    path = os.environ.get("GATEPOST_LIBRARY")
    if path:
        return load(path)
    return check(_native.lib, os.path.join(os.path.dirname(_native.__file__ or ""), "lib_native.so"))


lib: Any = _find()


def callback(signature: str) -> Callable[[Callable[..., Any]], Any]:
    """Makes a function that the library can call. It must not raise."""
    made: Callable[[Callable[..., Any]], Any] = ffi.callback(signature)
    return made


class Borrowed:
    """Makes strings of the library's out of Python's, and keeps their memory until it is let go of."""

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def text(self, value: "str | bytes | os.PathLike[str] | None") -> Any:
        """A gatepost_str by value."""
        if isinstance(value, os.PathLike):
            value = os.fspath(value)
        if isinstance(value, str):
            value = value.encode("utf-8", "surrogateescape")
        elif value is not None and not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"text is wanted, not {type(value).__name__}")
        if not value:
            return {"ptr": ffi.NULL, "len": 0}
        memory = ffi.from_buffer(value)
        self._kept.append(memory)
        return {"ptr": memory, "len": len(value)}

    def given(self, value: "str | bytes") -> Any:
        """The same of what cannot be left out: a None that got here is a mistake and not the empty text."""
        if value is None:
            raise TypeError("text is wanted, not None")
        return self.text(value)

    def many(self, values: Sequence[str]) -> tuple[Any, int]:
        """An array of gatepost_str and its length."""
        if isinstance(values, (str, bytes)):
            raise TypeError("a list of strings is wanted, not one string")
        array = ffi.new("gatepost_str[]", [self.text(value) for value in values])
        self._kept.append(array)
        return array, len(values)

    def struct(self, kind: "str", **fields: Any) -> Any:
        """A struct that begins with struct_size. Strings are converted, everything else is taken as it is."""
        made = ffi.new(f"{kind} *")
        made.struct_size = ffi.sizeof(kind)
        known = _fields(kind)
        for name, value in fields.items():
            if known[name] == "gatepost_str":
                setattr(made, name, self.text(value))
            elif value is not None:
                setattr(made, name, value)
        self._kept.append(made)
        return made


def _fields(kind: str) -> dict[str, str]:
    return {name: field.type.cname.removeprefix("struct ") for name, field in ffi.typeof(kind).fields}


_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")


def unescape(text: str) -> str:
    """Undoes the percent-encoding of roles and scopes."""
    if "%" not in text:
        return text
    raw = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return raw.encode("latin-1").decode("utf-8", "replace")
