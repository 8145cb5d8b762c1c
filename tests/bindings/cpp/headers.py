"""gatepost.hpp alone, twice, in two translation units, by both compilers; and what must not compile."""
import functools
import signal
import subprocess
from pathlib import Path

from building import BUILD, INCLUDE, LINK, STRICT, TOP, compilers, run, tool

INCLUDES = "#include <gatepost.hpp>\n#include <array>\n#include <iterator>\n#include <map>\n"
ENDING = "end with the expression"
YES = "also where it is a refusal"
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
    "is such a string of a token": (
        "std::string s();\nvoid f(gatepost::TokenRequest& r) { r.user = s(); }", "ends with the expression",
    ),
    "is such a string of a revocation": (
        "std::string s();\nauto f() { return gatepost::Revocation::of_user(s()); }", "ends with the expression",
    ),
    "is such a string of what was fetched": (
        "std::string s();\nvoid f(gatepost::Fetched& r) { r.body = s(); }", "ends with the expression",
    ),
    "is nothing at all": ('void f(gatepost::Request& r) { r.header("A", nullptr); }', "nullptr"),
    "is no field": ("void f() { gatepost::Request().headers(std::vector<int>{1}); }", "a header field is a pair"),
    "is a pair of no strings": (
        "void f(const std::map<std::string, int>& m) { gatepost::Request().headers(m); }", "a header field is a pair",
    ),
    "copies a decision": ("gatepost::Decision f(const gatepost::Decision& d) { return d; }", "deleted"),
    "copies a job": ("gatepost::Job f(const gatepost::Job& j) { return j; }", "deleted"),
    "takes the answer for a yes": ("int f(const gatepost::Engine& e, const gatepost::Request& r) { if (e.decide(r)) { return 1; } return 0; }", YES),
    "takes the password for right": ('int f() { return gatepost::verify_password("tea", "hash") ? 1 : 0; }', YES),
    "takes the hash for worn out": ('int f(const gatepost::Engine& e) { return !e.needs_rehash("hash") ? 1 : 0; }', YES),
    "takes the token for good": ('int f(const gatepost::Engine& e) { if (auto v = e.verify_token("t")) { return 1; } return 0; }', YES),
    "goes over fields of a decision that ends": (
        "void f(const gatepost::Engine& e, const gatepost::Request& r) { for (auto h : e.decide(r).value().response_headers()) { (void)h; } }",
        "deleted",
    ),
    "prints what has no words": ('#include <ostream>\nvoid f(std::ostream& o, gatepost::Request& r) { o << r; }', "operator<<"),
    "leaves a result aside": ("void f(const gatepost::Engine& e) { e.start(); }", "nodiscard"),
}
# Of these clang alone can tell.
DANGLES = [
    "std::string_view s = e.decide(r).value().subject(); return s.size();",
    "std::string_view s = e.decide(r)->subject(); return s.size();",
    "std::size_t n = 0; for (auto h : e.decide(r)->strip()) { n += h.size(); } return n;",
    "auto&& decision = e.decide(r).value(); return decision.strip().size();",
    "std::string_view s = e.metrics().value(); (void)r; return s.size();",
    "std::string_view s = e.verify_token(r.raw().user ? \"a\" : \"b\")->subject(); return s.size();",
]
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


@functools.cache
def common(compiler):
    """What the sources below begin with, read once by each compiler; made anew in each run, since g++ asks for no dates."""
    folder = BUILD / Path(compiler).stem
    folder.mkdir(exist_ok=True)
    path = folder / "common.hpp"
    path.write_text(INCLUDES)
    (folder / "common.hpp.gch").unlink(missing_ok=True)
    run([compiler, "-std=c++17", *STRICT, *INCLUDE, "-x", "c++-header", str(path), "-o", f"{path}.gch"])
    return ["-Winvalid-pch", "-include", str(path)]


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


def test_who_prints_nothing_pays_for_no_streams():
    nothing = written("no_streams.cpp", "#include <gatepost.hpp>\nint main() {}\n")
    streams = written("streams.cpp", "#include <gatepost.hpp>\n#include <ostream>\nint main() {}\n")
    for compiler in compilers():
        for source, expected in [(nothing, False), (streams, True)]:
            files = run([compiler, "-std=c++17", "-M", *INCLUDE, str(source)]).split()
            assert any(file.endswith("/ostream") for file in files) == expected, files


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
            path = written("wrong.cpp", f"{text}\nint main() {{}}\n")
            done = check(compiler, "c++17", path, *common(compiler))
            assert done.returncode != 0 and says in done.stderr, f"{compiler}: {why}:\n{done.stderr[:3000]}"


def test_what_is_like_it_and_right_compiles():
    for compiler in compilers():
        done = check(compiler, "c++17", written("right.cpp", f"{RIGHT}\nint main() {{}}\n"), *common(compiler))
        assert done.returncode == 0, f"{compiler}:\n{done.stderr[:3000]}"


def test_clang_warns_of_what_outlives_what_it_was_taken_from():
    clang = tool("clang++", "clang")
    frame = "std::size_t f(const gatepost::Engine& e, const gatepost::Request& r) {{ {} }}\nint main() {{}}\n"
    for text in DANGLES:
        done = check(clang, "c++17", written("dangling.cpp", frame.format(text)), *common(clang))
        assert done.returncode != 0 and "-Wdangling" in done.stderr, f"{text}\n{done.stderr}"
    kept = "const auto decision = e.decide(r).value(); std::string_view s = decision.subject(); return s.size();"
    done = check(clang, "c++17", written("dangling.cpp", frame.format(kept)), *common(clang))
    assert done.returncode == 0, done.stderr


PARTED = """#include <gatepost.hpp>
int {name}() {{ {before} return gatepost::Result<int>(gatepost::Error(gatepost::Status::state)).value(); {after} }}
"""


def test_parts_with_and_without_exceptions_make_one_program():
    throwing = written("throwing.cpp", PARTED.format(name="throws", before="try {", after="} catch (const gatepost::Error&) { return 7; }"))
    aborting = written("aborting.cpp", PARTED.format(name="aborts", before="", after=""))
    main = written("parts.cpp", "int throws(); int aborts();\nint main(int argc, char**) { return argc > 1 ? aborts() : throws() == 7 ? 0 : 1; }\n")
    for compiler in compilers():
        objects = []
        for source, more in [(throwing, []), (aborting, ["-fno-exceptions"]), (main, [])]:
            objects.append(str(source.with_suffix(".o")))
            run([compiler, "-std=c++17", "-O0", *more, *STRICT, *INCLUDE, "-c", str(source), "-o", objects[-1]])
        # Of two functions of one name the linker takes the first.
        for order in [objects, objects[::-1]]:
            binary = BUILD / "parts"
            run([compiler, *order, "-o", str(binary), *LINK])
            run([str(binary)])
            ended = subprocess.run([str(binary), "aborts"], capture_output=True, text=True)
            assert ended.returncode == -signal.SIGABRT and "a result that is an error" in ended.stderr, ended


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
