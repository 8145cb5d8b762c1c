"""The reference is made of the comments, and a comment that is missing is an error."""
import os
import shutil
import subprocess

from building import BUILD, TOP, run, tool


def made(top, name):
    tool("doxygen", "doxygen")
    out = BUILD / name
    shutil.rmtree(out, ignore_errors=True)
    environment = {**os.environ, "GATEPOST_DOCS": str(out)}
    return out, subprocess.run([str(top / "bindings/cpp/docs.sh")], capture_output=True, text=True, env=environment)


def test_the_reference_is_made_without_a_warning():
    out, done = made(TOP, "reference")
    assert done.returncode == 0 and not done.stderr, done.stderr
    engine = (out / "classgatepost_1_1Engine.html").read_text()
    for word in ["decide", "begin", "revoke_tokens", "poll_blocking", "One that was moved away"]:
        assert word in engine, word
    assert "Quick start" in (out / "index.html").read_text()
    assert not (out / "namespacegatepost_1_1detail.html").exists()


def test_a_comment_that_is_missing_is_an_error():
    top = BUILD / "reference-source"
    shutil.rmtree(top, ignore_errors=True)
    (top / "bindings").mkdir(parents=True)
    shutil.copy(TOP / "Cargo.toml", top)
    shutil.copytree(TOP / "bindings/cpp", top / "bindings/cpp")
    path = top / "bindings/cpp/gatepost/engine.hpp"
    for line in ["    /// \\param pool whose dispatch() the event loop calls\n", "    /// \\returns how many policies were in force"]:
        text = path.read_text()
        assert line in text
        path.write_text(text.replace(line, "    ///\n" if line.endswith("\n") else "    /// x"))
        _, done = made(top, "reference-wrong")
        assert done.returncode != 0 and "not documented" in done.stderr, done.stderr
        path.write_text(text)
