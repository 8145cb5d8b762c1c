"""The binding follows include/gatepost.h: nothing in it is unknown here, and nothing is believed otherwise."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gatepost
from gatepost import _header, _memory
from gatepost._library import ffi, lib

from .conftest import ROOT

PYTHON = ROOT / "bindings/python"
HEADER = (ROOT / "include/gatepost.h").read_text()
BARE = re.sub(r"/\*.*?\*/|//[^\n]*", "", HEADER, flags=re.S)
SOURCES = "\n".join(path.read_text() for path in sorted((PYTHON / "src/gatepost").glob("*.py")))

# Functions that the package does without, and why.
UNUSED = {
    "gatepost_decision_action": "gatepost_decision_view",
    "gatepost_decision_status": "gatepost_decision_view",
    "gatepost_decision_reason": "gatepost_decision_view",
    "gatepost_decision_subject": "gatepost_decision_view",
    "gatepost_decision_id": "gatepost_decision_view",
    "gatepost_decide_flat": "gatepost_decide_text writes the same",
    "gatepost_decide_into": "gatepost_decide_text, and a job for what is slow",
    "gatepost_strip": "the middlewares decide about every request that they hand on",
    "gatepost_engine_ref": "the interpreter counts references",
}
# Structs that the package does not spell out field by field, and why.
BY_NUMBER = {
    "gatepost_request": "laid out as numbers in the order of the declaration: _memory.py",
    "gatepost_header": "likewise",
    "gatepost_flat": "read likewise: _answer.py",
}


def functions() -> list[str]:
    return re.findall(r"\b(gatepost_\w+)\((?!\*)", re.sub(r"typedef[^;{]*\(\*[^;]*;", "", BARE))


def structs() -> dict[str, list[str]]:
    found = {}
    for name, body in re.findall(r"typedef struct (gatepost_\w+) \{(.*?)\}", BARE, flags=re.S):
        found[name] = re.findall(r"(\w+);", body)
    return found


def test_the_committed_numbers_are_the_headers() -> None:
    done = subprocess.run([sys.executable, PYTHON / "declare.py", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert (PYTHON / "src/gatepost/_header.py").read_bytes() == Path(str(_header.__file__)).read_bytes(), "the wheel's too"


def test_a_change_of_the_header_is_noticed() -> None:
    spec = importlib.util.spec_from_file_location("declare", PYTHON / "declare.py")
    assert spec and spec.loader
    declare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(declare)
    committed = (PYTHON / "src/gatepost/_header.py").read_text()
    assert declare.module(HEADER) == committed
    assert declare.module(HEADER.replace("#define GATEPOST_ABI 0", "#define GATEPOST_ABI 1")) != committed
    one_more = HEADER.replace("#define GATEPOST_ERROR 3", "#define GATEPOST_ERROR 3\n\n/**\n * New.\n */\n#define GATEPOST_REASON_NEW 999")
    assert "    NEW = 999\n" in declare.module(one_more)
    with pytest.raises(SystemExit):
        declare.module(HEADER.replace("GATEPOST_ERROR 3", "GATEPOST_COLOUR_RED 3"))


def test_every_function_is_declared_and_used() -> None:
    names = functions()
    assert len(names) > 55 and len(set(names)) == len(names)
    for name in names:
        assert getattr(lib, name), name
        used = re.search(rf"\b(lib|library)\.{name}\b", SOURCES) is not None
        assert used != (name in UNUSED), f"{name}: the package does not follow the header"
    assert set(UNUSED) <= set(names)
    symbols = {line.split()[-1] for line in (ROOT / "tests/abi/symbols.txt").read_text().splitlines() if line.strip()}
    assert {name for name in symbols if name.startswith("gatepost_")} == set(names)


def test_every_struct_is_laid_out_as_the_library_has_it() -> None:
    seen = set()
    for line in (ROOT / "tests/abi/layout.txt").read_text().splitlines():
        words = line.split()
        if not words or words[0] == "#":
            continue
        kind, _, field = words[0].partition(".")
        if field:
            offset = ffi.offsetof(kind, field)
            size = ffi.sizeof(dict(ffi.typeof(kind).fields)[field].type)
            assert [offset, size] == [int(word) for word in words[1:3]], line
        else:
            seen.add(kind)
            assert ffi.sizeof(kind) == int(words[1]), line
    assert seen == set(structs())


def test_every_field_is_known() -> None:
    for kind, fields in structs().items():
        declared = [name for name, _ in ffi.typeof(kind).fields]
        assert declared == fields, kind
        if kind in BY_NUMBER:
            continue
        for field in fields:
            if field == "reserved":
                continue
            assert is_known(field), f"{kind}.{field}: the package does not follow the header"
    assert not is_known("colour")


def is_known(field: str) -> bool:
    """Read as an attribute, written by name, or found by its place in the view."""
    return re.search(rf"\.{field}\b|\b{field}=|[\"']{field}[\"']|^    {field}: ", SOURCES, flags=re.M) is not None


def test_the_numbers_stand_where_the_fields_are() -> None:
    """The hot path packs and unpacks structs as numbers: the formats agree with the declarations, field by field."""
    for kind in ("gatepost_request", "gatepost_header", "gatepost_flat"):
        form = _memory.layout(kind)
        memory = ffi.new(f"{kind} *")
        place = 0
        for name, field in ffi.typeof(kind).fields:
            numbers = [0] * len(form.unpack(bytes(form.size)))
            numbers[place] = 1
            ffi.buffer(memory)[:] = form.pack(*numbers).ljust(ffi.sizeof(kind), b"\0")
            value = getattr(memory, name)
            if field.type.kind == "struct":
                value, place = value.ptr, place + 1
            if field.type.kind in ("pointer", "struct"):
                value = int(ffi.cast("uintptr_t", value))
            assert value == 1, f"{kind}.{name}"
            place += 1
    # And what `Laid` and `Answer` take for granted of their order.
    order = [name for name, _ in ffi.typeof("gatepost_request").fields]
    strings = ["method", "target", "host", "peer", "request_id", "client_cert_der", "body"]
    assert order == ["struct_size", *strings, "headers", "header_count", "header_block", "flags", "now", "user"]
    assert [name for name, _ in ffi.typeof("gatepost_header").fields] == ["name", "value", "mode", "reserved"]
    order = [name for name, _ in ffi.typeof("gatepost_flat").fields]
    assert order[:8] == ["size", "head", "generation", "action", "status", "reason", "retry_after", "id"]
    assert order[8:13] == ["subject", "issuer", "scheme", "roles", "scopes"]
    assert order[13:] == ["response_header_count", "upstream_header_count", "strip_count", "body"]


def test_what_is_read_of_a_place_is_where_the_library_writes_it() -> None:
    place, memory = _memory.new_place()
    flat = ffi.cast("gatepost_flat *", place.memory)
    assert int(ffi.cast("uintptr_t", flat)) == int(ffi.cast("uintptr_t", place)) + _memory.BEGIN
    assert (place.struct_size, place.room) == (ffi.sizeof("gatepost_place"), len(memory) - _memory.BEGIN)
    assert _memory.written(memory) == (0, 0, 0, 0, 0)
    place.decision, flat.size, flat.action, flat.id = ffi.cast("gatepost_decision *", 7), 8, 10, 9
    place.job, flat.head, flat.subject = ffi.cast("gatepost_job *", 1), 2, 3
    place.mark = 2**64 - 1
    assert _memory.written(memory) == (7, 2**64 - 1, 8, 10, 9)


def test_the_version_is_the_librarys() -> None:
    from importlib.metadata import version

    assert gatepost.__version__ == gatepost.library_version() == version("gatepost")
    assert gatepost.ABI == lib.gatepost_abi()
