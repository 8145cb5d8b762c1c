"""The wheel: what is in it, that it installs without a compiler, what the README shows, and older libraries."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import gatepost
from gatepost import _library

from .conftest import PASSWORD, PATIENCE, ROOT, command
from .serving import serving

PYTHON = ROOT / "bindings/python"
TARGET = Path(os.environ["CARGO_TARGET_DIR"]) if "CARGO_TARGET_DIR" in os.environ else ROOT / "target"
README = (PYTHON / "README.md").read_text()


def wheel() -> Path:
    (found,) = (TARGET / "python/wheel").glob("gatepost-*.whl")
    return found


def shown(language: str, number: int = 0) -> str:
    return str(re.findall(rf"```{language}\n(.*?)```", README, flags=re.S)[number])


def test_what_is_in_it() -> None:
    assert re.fullmatch(rf"gatepost-{gatepost.__version__}-py3-none-manylinux_\d+_\d+_x86_64\.whl", wheel().name)
    with zipfile.ZipFile(wheel()) as archive:
        names = set(archive.namelist())
        library = archive.read("gatepost/_native/lib_native.so")
        metadata = archive.read(f"gatepost-{gatepost.__version__}.dist-info/METADATA").decode()
    assert {"gatepost/py.typed", "gatepost/_native/ffi.py", "gatepost/asgi.py"} <= names
    assert library == (Path(os.environ["GATEPOST_RELEASE"]) / "libgatepost.so").read_bytes()
    assert b"libgatepost.so.%d" % gatepost.ABI in library, "its SONAME"
    texts = {name.rsplit("/", 1)[1] for name in names if "/licenses/" in name}
    assert texts == {"LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY.txt"}
    assert all(f"License-File: licenses/{name}" in metadata for name in texts)
    assert not any("/tests/" in name or "examples" in name for name in names)
    assert "Requires-Dist: cffi" in metadata and "Apache-2.0 OR MIT" in metadata
    sources = {path.name for path in (PYTHON / "src/gatepost").glob("*.py")}
    assert sources == {name.split("/")[1] for name in names if re.fullmatch(r"gatepost/\w+\.py", name)}


def test_it_installs_into_an_empty_environment_without_a_compiler(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=PATIENCE * 3)
    python = tmp_path / "venv/bin/python"
    # No compiler would be found, and none may be looked for.
    bare = {"PATH": str(tmp_path / "venv/bin"), "CC": "/bin/false", "HOME": str(tmp_path)}
    # As from PyPI, out of a folder: an index that does not answer fails no test.
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
        + ["--no-index", "--find-links", str(TARGET / "python/needed"), str(wheel())],
        check=True,
        env=bare,
        timeout=PATIENCE * 3,
    )
    (tmp_path / "orders.toml").write_text(shown("toml"))
    done = subprocess.run(
        [python, "-W", "error", "-c", shown("python", 1)], cwd=tmp_path, env=bare, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.stdout.startswith("401 credentials_missing\n"), done.stderr


def test_the_quick_start_is_ten_lines_and_works(tmp_path: Path) -> None:
    code = shown("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    (tmp_path / "app.py").write_text(code)
    policy = tmp_path / "orders.toml"
    policy.write_text(shown("toml") + '[[route]]\npath = "/health"\naccess = "public"\n')
    (tmp_path / "health.py").write_text("from app import app\napp.get('/health')(lambda: 'well')\n")
    command("user", "add", "alice", "--role", "clerk", "--policy", policy, stdin=PASSWORD + "\n")
    words: list[str | Path] = ["uvicorn", "--app-dir", tmp_path, "health:app", "--port", "{port}"]
    with serving(tmp_path / "log", *words, policy=policy, cwd=tmp_path) as server:
        assert server.curl("/orders/7").status == 401
        answer = server.curl("/orders/7", "-u", f"alice:{PASSWORD}")
        assert answer.json() == {"order": 7, "for": "alice", "roles": ["clerk"]}


def whole(version: str) -> str:
    """A library that has every function, and says that it is of another release."""
    own = ("gatepost_abi", "gatepost_abi_check", "gatepost_version")
    rest = [name for name in dir(_library.lib) if name.startswith("gatepost_") and name not in own]
    assert len(rest) > 50
    return (
        "#include <stdint.h>\n#include <stddef.h>\ntypedef struct { const char *ptr; size_t len; } str;\n"
        "uint32_t gatepost_abi(void) { return 0; }\nuint32_t gatepost_abi_check(uint32_t abi) { return 0; }\n"
        f'str gatepost_version(void) {{ return (str){{"{version}", {len(version)}}}; }}\n'
        + "".join(f"void {name}(void) {{}}\n" for name in rest)
    )


OLD = {
    "an older release with every function": (whole("0.0.9"), "Gatepost 0.0.9 and older than this package: install"),
    "another binary interface": (
        "#include <stdint.h>\nuint32_t gatepost_abi(void) { return 9; }\n"
        "uint32_t gatepost_abi_check(uint32_t abi) { return abi == 9 ? 0 : 17; }\n",
        "version 9 of the binary interface and this package needs 0",
    ),
    "fewer functions": (
        "#include <stdint.h>\n#include <stddef.h>\ntypedef struct { const char *ptr; size_t len; } str;\n"
        "uint32_t gatepost_abi(void) { return 0; }\nuint32_t gatepost_abi_check(uint32_t abi) { return 0; }\n"
        'str gatepost_version(void) { return (str){"0.0.9", 5}; }\n',
        "Gatepost 0.0.9 and older than this package: it has no .*gatepost_decide_into",
    ),
    "none of ours": ("int nothing;\n", "not Gatepost's library"),
}


@pytest.mark.parametrize("name", OLD)
def test_an_older_library_is_refused_in_words(tmp_path: Path, name: str) -> None:
    source, words = OLD[name]
    (tmp_path / "old.c").write_text(source)
    library = tmp_path / "libold.so"
    subprocess.run(["cc", "-shared", "-fPIC", tmp_path / "old.c", "-o", library], check=True)
    with pytest.raises(_library.LibraryError, match=words):
        _library.load(str(library))
    done = subprocess.run(
        [sys.executable, "-c", "import gatepost"],
        env={**os.environ, "GATEPOST_LIBRARY": str(library)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1 and re.search(words, done.stderr) and "GATEPOST_LIBRARY" in done.stderr


@pytest.mark.parametrize("version", [gatepost.__version__, "0.1.10", "1.0.0", "of my own making"])
def test_a_library_that_is_not_older_is_taken(tmp_path: Path, version: str) -> None:
    (tmp_path / "new.c").write_text(whole(version))
    subprocess.run(["cc", "-shared", "-fPIC", tmp_path / "new.c", "-o", tmp_path / "libnew.so"], check=True)
    library = _library.load(str(tmp_path / "libnew.so"))
    assert _library.string(library.gatepost_version()) == version


def test_another_build_of_the_library_can_be_named(tmp_path: Path) -> None:
    code = "import gatepost; from gatepost._library import lib; print(gatepost.library_version())"
    named = {**os.environ, "GATEPOST_LIBRARY": str(Path(os.environ["GATEPOST_RELEASE"]) / "libgatepost.so")}
    done = subprocess.run([sys.executable, "-c", code], env=named, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.stdout == gatepost.__version__ + "\n", done.stderr
    nowhere = {**os.environ, "GATEPOST_LIBRARY": str(tmp_path / "nowhere.so")}
    done = subprocess.run([sys.executable, "-c", code], env=nowhere, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert re.search("cannot be loaded.*nowhere.so.*GATEPOST_LIBRARY names it", done.stderr), done.stderr


def test_the_package_is_typed_for_its_users(tmp_path: Path) -> None:
    good = "import gatepost\nengine = gatepost.Engine('x')\nd: gatepost.Decision = engine.decide(gatepost.Request('GET', '/'))\nreveal_type(d.status)\n"
    (tmp_path / "good.py").write_text(good)
    (tmp_path / "bad.py").write_text("import gatepost\ngatepost.Engine('x').decide('GET')\n")
    words = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run([*words, tmp_path / "good.py"], capture_output=True, text=True, timeout=PATIENCE * 3, check=False)
    assert done.returncode == 0 and 'Revealed type is "int"' in done.stdout.replace("builtins.", ""), done.stdout
    done = subprocess.run([*words, tmp_path / "bad.py"], capture_output=True, text=True, timeout=PATIENCE * 3, check=False)
    assert done.returncode == 1 and "incompatible type" in done.stdout


def test_the_reference_is_made_of_the_docstrings() -> None:
    subprocess.run([PYTHON / "docs.sh"], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE * 3)
    page = (TARGET / "docs/python/gatepost.html").read_text()
    for name in gatepost.__all__:
        assert name in page, name
    for name in ("asgi", "wsgi", "fastapi", "flask", "django", "starlette"):
        assert (TARGET / f"docs/python/gatepost/{name}.html").exists()
    undocumented = [
        f"{name}.{member}"
        for name in gatepost.__all__
        if isinstance(getattr(gatepost, name), type)
        for member, value in vars(getattr(gatepost, name)).items()
        if not member.startswith("_") and callable(value) and not value.__doc__
    ]
    assert undocumented == []
