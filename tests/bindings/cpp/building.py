"""How the tests of gatepost.hpp build and run programs, and the service that these are tested against."""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parents[2]
RELEASE = Path(os.environ["GATEPOST_RELEASE"]).resolve()
BUILD = Path(os.environ["GATEPOST_BUILD"]).resolve()
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
# Unoptimized, so that nothing is gone before the sanitizers look, and compiled in half the time; what the optimizer warns
# of it warns of in the builds without. Not so for threads: there control_race passes unseen.
ADDRESS = ["-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
THREAD = ["-fsanitize=thread"]
INCLUDE = ["-I", str(TOP / "bindings/cpp"), "-I", str(TOP / "include")]
LINK = ["-L", str(RELEASE), "-lgatepost", f"-Wl,-rpath,{RELEASE}", "-pthread"]


def tool(name, package):
    """A program that must be there."""
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(f"{name} is not installed and this test needs it: apt-get install {package}")
    return found


def compilers():
    return [tool("g++", "g++"), tool("clang++", "clang")]


def run(command, **more):
    """What a command printed; an exception where it does not succeed."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=900, **more)
    if done.returncode != 0:
        words = "\n".join((done.stdout + done.stderr).splitlines()[:60])
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.returncode}\n{words}")
    return done.stdout


def compiled(source, kind, *flags, compiler="g++", standard="c++17", link=True):
    """Builds a program; `kind` tells builds of one program apart."""
    binary = BUILD / kind / Path(source).stem
    binary.parent.mkdir(parents=True, exist_ok=True)
    # Lines are all that a report of a sanitizer or of valgrind needs; the rest of -g costs a quarter of the time.
    command = [tool(compiler, compiler), f"-std={standard}", "-g1", "-O1", *STRICT, *flags, *INCLUDE, str(source)]
    run([*command, "-o", str(binary), *(LINK if link else [])])
    return binary


def service(name):
    """A fresh folder with the policy and a state in which alice is a clerk."""
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=BUILD))
    shutil.copy(HERE / "policy.toml", folder / "policy.toml")
    (folder / "signing.key").write_text("kT7vQz2mXw9LrB4nYd6HcJ8sPfG3aUe5")
    command = [str(RELEASE / "gatepost"), "user", "add", "alice", "--role", "clerk", "--policy", str(folder / "policy.toml")]
    run(command, input="correct horse battery staple\n")
    return folder
