"""The programs of programs/: plain by both compilers, under sanitizers, under valgrind; and those that must be caught."""
import functools
import os
import shutil
import subprocess
from pathlib import Path

from building import ADDRESS, BUILD, HERE, THREAD, TOP, compiled, compilers, run, service, tool

FOLDER = HERE / "programs"
PROGRAMS = ["values", "containers", "jobs", "options", "tokens", "threads", "forking"]
SANITIZED = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=9",
    "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=9",
    "TSAN_OPTIONS": f"exitcode=9:suppressions={HERE / 'tsan.supp'}",
}
# Threads take turns: one that never waits would keep the others from running.
VALGRIND = ["--quiet", "--fair-sched=try", "--leak-check=full", "--error-exitcode=9"]


def played(binary, *before, **environment):
    """Runs a program with a service of its own."""
    folder = service(binary.name)
    run([*before, str(binary), str(folder)], env={**os.environ, **SANITIZED, **environment})
    shutil.rmtree(folder)


def caught(binary, says, *before):
    """A tool must find fault with it, and the right one."""
    folder = service(binary.name)
    command = [*before, str(binary), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", env={**os.environ, **SANITIZED})
    assert done.returncode == 9, f"{binary.name} is wrong on purpose and was not caught: {done.returncode}\n{done.stderr}"
    assert says in done.stderr, f"{binary.name} was caught for something else:\n{done.stderr}"
    shutil.rmtree(folder)


@functools.cache
def program(name, kind, *flags, **more):
    """Built once, however many look at it."""
    return compiled(FOLDER / f"{name}.cpp", kind, *flags, **more)


def test_programs_hold_by_gcc():
    for name in PROGRAMS:
        played(program(name, "gcc"))


def test_programs_hold_by_clang_in_cpp20():
    for name in PROGRAMS:
        played(program(name, "clang", compiler="clang++", standard="c++20"))


def test_programs_hold_without_exceptions():
    for name in PROGRAMS:
        if name != "containers":  # its operator new throws
            played(program(name, "no-exceptions", "-fno-exceptions", "-fno-rtti"))


def test_programs_hold_under_the_sanitizers():
    for name in PROGRAMS:
        # A child lets go of what is its parent's without freeing it: another thread may have held it at fork.
        leaks = "detect_leaks=0" if name == "forking" else "detect_leaks=1"
        played(program(name, "sanitized", *ADDRESS), ASAN_OPTIONS=f"{leaks}:exitcode=9")


def test_programs_hold_under_valgrind():
    valgrind = tool("valgrind", "valgrind")
    for name in PROGRAMS:
        # Children as above.
        options = [option for option in VALGRIND if name != "forking" or "leak" not in option]
        if name == "containers":
            # Valgrind takes its operator new for its own, and not its operator delete.
            options.append("--show-mismatched-frees=no")
        played(program(name, "gcc"), valgrind, *options, DECISIONS="50")


def test_threads_hold_under_the_thread_sanitizer():
    for name in ["threads", "jobs"]:
        played(program(name, "tsan", *THREAD), DECISIONS="200")


def test_the_tools_really_look():
    caught(program("control_leak", "sanitized", *ADDRESS), "LeakSanitizer")
    caught(program("control_dangling", "sanitized", *ADDRESS), "heap-use-after-free")
    caught(program("control_race", "tsan", *THREAD), "data race")
    valgrind = [tool("valgrind", "valgrind"), *VALGRIND]
    caught(program("control_leak", "gcc"), "definitely lost", *valgrind)
    caught(program("control_dangling", "gcc"), "Invalid read", *valgrind)


def test_every_program_of_the_folder_is_run():
    found = sorted(path.stem for path in FOLDER.glob("*.cpp") if not path.stem.startswith("control_"))
    assert found == sorted(PROGRAMS), found


OLDER = """
#include <gatepost.h>
extern "C" gatepost_str gatepost_version(void) { return GATEPOST_STR("%s"); }
extern "C" gatepost_status gatepost_abi_check(uint32_t) { return %s; }
"""


def test_a_library_that_is_older_is_told_in_clear_words():
    program = BUILD / "older.cpp"
    program.write_text(
        '#include <gatepost.hpp>\n#include <cstdio>\nint main() { std::printf("%s", '
        'gatepost::Engine::from_text("[engine]\\nstate = \\":memory:\\"\\n").error().what()); }\n'
    )
    binary = compiled(program, "older")
    assert "older" not in run([str(binary)]) and "newer" not in run([str(binary)])
    for version, fits, older in [
        ("0.0.9", "GATEPOST_OK", True),
        ("0.1.0", "GATEPOST_ERR_UNSUPPORTED", True),
        ("0.1.0", "GATEPOST_OK", False),
        ("0.2.0", "GATEPOST_OK", False),
        ("1.0.0", "GATEPOST_OK", False),
    ]:
        stub = BUILD / "stub.cpp"
        stub.write_text(OLDER % (version, fits))
        library = compiled(stub, f"older-{version}-{older}", "-shared", "-fPIC", link=False)
        said = run([str(binary)], env={**os.environ, "LD_PRELOAD": str(library)})
        words = f"the shared library libgatepost is {version} (ABI "
        assert (words in said and "install libgatepost 0.1.0 or newer" in said) == older, said


# A release that had little more than a version.
LACKING = """
#include <gatepost.h>
gatepost_str gatepost_version(void) { return GATEPOST_STR("0.0.9"); }
uint32_t gatepost_abi(void) { return GATEPOST_ABI; }
gatepost_status gatepost_abi_check(uint32_t abi) { return abi == GATEPOST_ABI ? GATEPOST_OK : GATEPOST_ERR_UNSUPPORTED; }
"""
USING = """
#include <gatepost.hpp>
#include <cstdio>
int main() {
    const auto engine = gatepost::Engine::open("orders.toml");
    if (!engine) {
        std::puts(engine.error().what());
        return 7;
    }
    return engine->decide(gatepost::Request("GET", "/")).value().allowed() ? 0 : 1;
}
"""


def test_a_library_that_lacks_functions_is_told_in_clear_words():
    folder = BUILD / "lacking"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "lacking.c").write_text(LACKING)
    (folder / "using.cpp").write_text(USING)
    library = folder / "libgatepost.so.0"
    run([tool("cc", "gcc"), "-shared", "-fPIC", "-I", str(TOP / "include"), str(folder / "lacking.c"), f"-Wl,-soname,{library.name}", "-o", str(library)])
    for compiler in compilers():
        for linked, says in [("lazy", "the shared library libgatepost is 0.0.9 (ABI 0)"), ("now", "undefined symbol: gatepost_")]:
            binary = compiled(folder / "using.cpp", "lacking", f"-Wl,-z,{linked}", compiler=Path(compiler).name)
            done = subprocess.run([str(binary)], capture_output=True, text=True, env={**os.environ, "LD_PRELOAD": str(library)})
            assert done.returncode in (7, 127) and says in done.stdout + done.stderr, done
