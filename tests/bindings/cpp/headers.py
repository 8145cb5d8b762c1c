"""gatepost.hpp alone, twice, in two translation units, by both compilers; and what must not compile."""
import subprocess

from building import BUILD, INCLUDE, LINK, STRICT, TOP, compilers, run

WRONG = {
    "owns what is handed out by value": (
        "struct C { struct I { int at; std::pair<std::string, std::string> operator*() const { return {}; }"
        " I& operator++() { return ++at, *this; } bool operator!=(const I& o) const { return at != o.at; } };"
        " I begin() const { return {0}; } I end() const { return {1}; } };\nvoid f() { gatepost::Request().headers(C{}); }",
        "a Request only borrows them",
    ),
    "is no field": ("void f() { gatepost::Request().headers(std::vector<int>{1}); }", "a header field is a pair"),
    "copies a decision": ("gatepost::Decision f(const gatepost::Decision& d) { return d; }", "deleted"),
    "copies a job": ("gatepost::Job f(const gatepost::Job& j) { return j; }", "deleted"),
    "leaves a result aside": ("void f(const gatepost::Engine& e) { e.start(); }", "nodiscard"),
}


def written(name, text):
    path = BUILD / name
    path.write_text(text)
    return path


def check(compiler, standard, path, *more):
    command = [compiler, f"-std={standard}", *STRICT, "-fsyntax-only", *more, *INCLUDE, str(path)]
    return subprocess.run(command, capture_output=True, text=True)


def test_each_header_stands_alone_and_may_come_twice():
    names = ["gatepost.hpp"] + [f"gatepost/{path.name}" for path in (TOP / "bindings/cpp/gatepost").glob("*.hpp")]
    assert len(names) > 10
    for compiler in compilers():
        for standard in ["c++17", "c++20"]:
            for more in [[], ["-fno-exceptions", "-fno-rtti"]]:
                for name in names if standard == "c++17" and not more else names[:1]:
                    text = f"#include <{name}>\n#include <{name}>\nint main() {{ return 0; }}\n"
                    done = check(compiler, standard, written("alone.cpp", text), *more)
                    assert done.returncode == 0, f"{compiler} {standard} {name}:\n{done.stderr}"


def test_two_translation_units_make_one_program():
    one = written("one.cpp", "#include <gatepost.hpp>\nint other();\nint main() { return gatepost::check_library() ? other() : 1; }\n")
    two = written("two.cpp", "#include <gatepost.hpp>\nint other() { return gatepost::has_feature(\"sqlite\") ? 0 : 1; }\n")
    for compiler in compilers():
        binary = BUILD / "both"
        run([compiler, "-std=c++17", *STRICT, *INCLUDE, str(one), str(two), "-o", str(binary), *LINK])
        run([str(binary)])


def test_what_is_wrong_does_not_compile():
    for compiler in compilers():
        for why, (text, says) in WRONG.items():
            path = written("wrong.cpp", f"#include <gatepost.hpp>\n{text}\nint main() {{}}\n")
            done = check(compiler, "c++17", path)
            assert done.returncode != 0 and says in done.stderr, f"{compiler}: {why}:\n{done.stderr[:3000]}"


def test_headers_of_two_releases_are_noticed():
    folder = BUILD / "newer"
    folder.mkdir(exist_ok=True)
    text = (TOP / "include/gatepost.h").read_text()
    (folder / "gatepost.h").write_text(text.replace("#define GATEPOST_VERSION_MINOR 1", "#define GATEPOST_VERSION_MINOR 2"))
    path = written("mixed.cpp", "#include <gatepost.hpp>\nint main() {}\n")
    for compiler in compilers():
        done = check(compiler, "c++17", path, "-I", str(folder))
        assert done.returncode != 0 and "install both of one release" in done.stderr, done.stderr


def test_the_version_is_the_librarys():
    version = next(line.split('"')[1] for line in (TOP / "Cargo.toml").read_text().splitlines() if line.startswith("version = "))
    assert f'#define GATEPOST_HPP_VERSION "{version}"' in (TOP / "bindings/cpp/gatepost/handle.hpp").read_text()
