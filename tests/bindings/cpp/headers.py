"""gatepost.hpp alone, twice, in two translation units, by both compilers; and what must not compile."""
import subprocess

from building import BUILD, INCLUDE, LINK, STRICT, TOP, compilers, run

INCLUDES = "#include <gatepost.hpp>\n#include <array>\n#include <iterator>\n#include <map>\n"
ENDING = "end with the expression"
# Hands out of an iterator whatever an expression says.
BY_VALUE = """struct C {{ struct I {{ int at; {type} operator*() const {{ return {value}; }}
 I& operator++() {{ return ++at, *this; }} bool operator!=(const I& o) const {{ return at != o.at; }} }};
 I begin() const {{ return {{0}}; }} I end() const {{ return {{1}}; }} }};
void f() {{ gatepost::Request().headers(C{{}}); }}"""
OBJECT = "struct O { std::string held; const std::string& name() const { return held; } const std::string& value() const { return held; } };\n"
WRONG = {
    "owns what is handed out by value": (BY_VALUE.format(type="std::pair<std::string, std::string>", value="{}"), ENDING),
    "owns what its functions refer to": (OBJECT + BY_VALUE.format(type="O", value="{}"), "may end with the expression"),
    "holds its bytes in itself": (BY_VALUE.format(type="std::pair<std::array<char, 4>, std::string_view>", value="{}"), ENDING),
    "is an array that is handed out by value": (
        "struct A { char name[8]; char value[8]; };\n" + BY_VALUE.format(type="A", value="{}"), ENDING,
    ),
    "keeps what its iterator refers to": (
        "struct F { std::string name, value; }; std::istream& operator>>(std::istream& in, F& f) { return in >> f.name; }\n"
        "struct R { std::istream_iterator<F> begin() const { return {}; } std::istream_iterator<F> end() const { return {}; } };\n"
        "void f(const R& r) { gatepost::Request().headers(r); }",
        "iterators of this range may keep",
    ),
    "ends with the expression": (
        "std::map<std::string, std::string> m();\nvoid f(gatepost::Request& r) { r.headers(m()); }", ENDING,
    ),
    "is a string that ends with the expression": (
        "std::string s();\nvoid f(gatepost::Request& r) { r.peer(s()); }", "ends with the expression",
    ),
    "is such a string among fields": (
        'std::string s();\nvoid f(gatepost::Request& r) { r.headers({{"A", s()}}); }', "ends with the expression",
    ),
    "is nothing at all": ('void f(gatepost::Request& r) { r.header("A", nullptr); }', "nullptr"),
    "is no field": ("void f() { gatepost::Request().headers(std::vector<int>{1}); }", "a header field is a pair"),
    "is a pair of no strings": (
        "void f(const std::map<std::string, int>& m) { gatepost::Request().headers(m); }", "a header field is a pair",
    ),
    "copies a decision": ("gatepost::Decision f(const gatepost::Decision& d) { return d; }", "deleted"),
    "copies a job": ("gatepost::Job f(const gatepost::Job& j) { return j; }", "deleted"),
    "leaves a result aside": ("void f(const gatepost::Engine& e) { e.start(); }", "nodiscard"),
}
# What these stand beside, which is right.
RIGHT = """
std::vector<std::pair<std::string_view, std::string_view>> views();
const std::string& kept();
struct Object { std::string_view name() const { return "A"; } std::string_view value() const { return "v"; } };
void f(gatepost::Request& r, std::map<std::string, std::string>& m, const char* none) {
    r.headers(m).headers(views()).peer(kept()).header("A", none).headers({{"A", kept()}, {"B", "v"}}).headers({});
    r.headers(std::vector<Object>(2));
}
"""


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
            path = written("wrong.cpp", f"{INCLUDES}{text}\nint main() {{}}\n")
            done = check(compiler, "c++17", path)
            assert done.returncode != 0 and says in done.stderr, f"{compiler}: {why}:\n{done.stderr[:3000]}"


def test_what_is_like_it_and_right_compiles():
    for compiler in compilers():
        done = check(compiler, "c++17", written("right.cpp", f"{INCLUDES}{RIGHT}\nint main() {{}}\n"))
        assert done.returncode == 0, f"{compiler}:\n{done.stderr[:3000]}"


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
