"""An installation serves projects in C++: by CMake, also where the tree was moved, and by pkg-config."""
import os
import shutil

from building import BUILD, HERE, RELEASE, TOP, run, tool

PROJECT = HERE / "project"


def version():
    lines = (TOP / "Cargo.toml").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("version = "))


SAYS = f"{version()} 401 credentials_missing\n"


def installation(name, prefix):
    """A fresh folder with an installation below a prefix."""
    dist, destination = BUILD / "dist", BUILD / name
    environment = {**os.environ, "GATEPOST_RELEASE": str(RELEASE), "GATEPOST_DIST": str(dist)}
    run([str(TOP / "bindings/c/dist.sh")], env=environment)
    shutil.rmtree(destination, ignore_errors=True)
    environment |= {"DESTDIR": str(destination), "PREFIX": prefix}
    run([str(TOP / "bindings/c/install.sh"), "install"], env=environment)
    return destination, environment


def fresh(name):
    folder = BUILD / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(PROJECT, folder)
    return folder


def test_cmake_finds_it_wherever_it_was_moved():
    destination, _ = installation("cmake-root", "/opt/gatepost")
    moved = BUILD / "moved elsewhere"
    shutil.rmtree(moved, ignore_errors=True)
    (destination / "opt/gatepost").rename(moved)
    folder = fresh("cmake-project")
    cmake = tool("cmake", "cmake")
    run([cmake, "-S", str(folder), "-B", str(folder / "build"), f"-DCMAKE_PREFIX_PATH={moved}"])
    run([cmake, "--build", str(folder / "build")])
    for kind in ["gatepost", "static"]:
        assert run([str(folder / "build" / f"with_{kind}")]) == SAYS
    # Without the headers of the part nothing is found by chance.
    (moved / "include/gatepost.hpp").unlink()
    shutil.rmtree(folder / "build")
    run([cmake, "-S", str(folder), "-B", str(folder / "build"), f"-DCMAKE_PREFIX_PATH={moved}"])
    try:
        run([cmake, "--build", str(folder / "build")])
    except RuntimeError as error:
        assert "gatepost.hpp" in str(error)
    else:
        raise AssertionError("another gatepost.hpp was found")


def test_pkg_config_leads_to_it_and_uninstalling_leaves_nothing():
    destination, environment = installation("pkg-config-root", "/usr")
    folder = fresh("pkg-config-project")
    libraries = destination / "usr/lib"
    tool("pkg-config", "pkg-config")
    environment |= {
        "PKG_CONFIG_SYSROOT_DIR": str(destination),
        "PKG_CONFIG_LIBDIR": str(libraries / "pkgconfig"),
        "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1",
        "PKG_CONFIG_ALLOW_SYSTEM_LIBS": "1",
        "LDFLAGS": f"-Wl,-rpath,{libraries}",
    }
    run([tool("make", "make"), "-C", str(folder), "main"], env=environment)
    assert run([str(folder / "main")]) == SAYS
    run([str(TOP / "bindings/c/install.sh"), "uninstall"], env=environment)
    left = [path for path in destination.rglob("*") if not path.is_dir()]
    assert not left and not (destination / "usr/include/gatepost").exists(), left
