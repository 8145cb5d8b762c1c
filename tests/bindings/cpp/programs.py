"""The programs of programs/: plain by both compilers, under sanitizers, under valgrind; and those that must be caught."""
import os
import shutil
import subprocess

from building import BUILD, HERE, compiled, run, service, tool

FOLDER = HERE / "programs"
PROGRAMS = ["values", "containers", "jobs", "options", "tokens", "threads", "forking"]
ADDRESS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
THREAD = ["-fsanitize=thread"]
SANITIZED = {
    "ASAN_OPTIONS": "detect_leaks=1:exitcode=9",
    "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=9",
    "TSAN_OPTIONS": f"exitcode=9:suppressions={HERE / 'tsan.supp'}",
}
VALGRIND = ["--quiet", "--leak-check=full", "--error-exitcode=9"]


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


def source(name):
    return FOLDER / f"{name}.cpp"


def test_programs_hold_by_gcc():
    for name in PROGRAMS:
        played(compiled(source(name), "gcc"))


def test_programs_hold_by_clang_in_cpp20():
    for name in PROGRAMS:
        played(compiled(source(name), "clang", compiler="clang++", standard="c++20"))


def test_programs_hold_without_exceptions():
    for name in PROGRAMS:
        if name != "containers":  # its operator new throws
            played(compiled(source(name), "no-exceptions", "-fno-exceptions", "-fno-rtti"))


def test_programs_hold_under_the_sanitizers():
    for name in PROGRAMS:
        # A child lets go of what is its parent's without freeing it: another thread may have held it at fork.
        leaks = "detect_leaks=0" if name == "forking" else "detect_leaks=1"
        played(compiled(source(name), "sanitized", *ADDRESS), ASAN_OPTIONS=f"{leaks}:exitcode=9")


def test_programs_hold_under_valgrind():
    valgrind = tool("valgrind", "valgrind")
    for name in PROGRAMS:
        # Children as above.
        options = [option for option in VALGRIND if name != "forking" or "leak" not in option]
        if name == "containers":
            # Valgrind takes its operator new for its own, and not its operator delete.
            options.append("--show-mismatched-frees=no")
        played(compiled(source(name), "valgrind", "-DDECISIONS=50"), valgrind, *options)


def test_threads_hold_under_the_thread_sanitizer():
    for name in ["threads", "jobs"]:
        played(compiled(source(name), "tsan", *THREAD, "-DDECISIONS=200"))


def test_the_tools_really_look():
    caught(compiled(source("control_leak"), "sanitized", *ADDRESS), "LeakSanitizer")
    caught(compiled(source("control_dangling"), "sanitized", *ADDRESS), "heap-use-after-free")
    caught(compiled(source("control_race"), "tsan", *THREAD), "data race")
    valgrind = [tool("valgrind", "valgrind"), *VALGRIND]
    caught(compiled(source("control_leak"), "valgrind"), "definitely lost", *valgrind)
    caught(compiled(source("control_dangling"), "valgrind"), "Invalid read", *valgrind)


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
