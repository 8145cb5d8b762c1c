"""gatepost.hpp follows gatepost.h: each function, constant and field of the one is named in the other."""
import re

from building import TOP

# Named nowhere in gatepost.hpp, and why.
NOT_NAMED = {
    "GATEPOST_H": "guards the header",
    "gatepost_decide_flat": "C++ reads the view where it lies",
    "gatepost_decide_text": "C++ points to strings where they lie",
    "gatepost_decision_action": "Decision reads the view, which holds it",
    "gatepost_decision_status": "likewise",
    "gatepost_decision_reason": "likewise",
    "gatepost_decision_subject": "likewise",
    "gatepost_decision_id": "likewise",
    "GATEPOST_STR": "makes a gatepost_str of a literal; std::string_view does that here",
    "GATEPOST_VERSION": "a program reads it itself; GATEPOST_HPP_VERSION is held to it",
    "gatepost_header.mode": "0 in a request; in a decision read as Header::mode",
}
# The part that deals with a struct, by the line that it begins with: it must read or write each of the struct's fields, of
# what these names stand for there: raw, raw_, view_, known, fetched, header, text.
PARTS = {
    "gatepost_str": ("handle.hpp", "inline std::string_view view(gatepost_str text)"),
    "gatepost_fetched": ("options.hpp", "    Result<void> answer("),
    "gatepost_event": ("options.hpp", "inline void call_event("),
    "gatepost_fetch": ("options.hpp", "class Fetch {"),
    "gatepost_options": ("options.hpp", "inline gatepost_options options("),
    "gatepost_header": ("decision.hpp", "struct ReadHeader {"),
    "gatepost_request": ("request.hpp", "class Request {"),
    "gatepost_view": ("decision.hpp", "class Decision {"),
    "gatepost_token_view": ("tokens.hpp", "class Verified {"),
    "gatepost_revocation": ("tokens.hpp", "class Revocation {"),
    "gatepost_token_request": ("engine.hpp", "    [[nodiscard]] Result<Tokens> issue_token("),
    "gatepost_refresh_request": ("engine.hpp", "    [[nodiscard]] Result<Tokens> refresh_token("),
    "gatepost_issued": ("tokens.hpp", "class Tokens {"),
}
# sized() sets the one, and zero is what the other has to be.
EVERYWHERE = {"struct_size", "reserved"}
# Structs that gatepost.hpp does without.
UNUSED = {"gatepost_flat", "gatepost_place"}
# Fields of options and of the refresh request that are 0 in this release.
ZERO = {"gatepost_refresh_request.flags"}


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


def wanted(header):
    """Functions, constants and (struct, field) of the C header."""
    code = without_comments(header)
    functions = set(re.findall(r"\b(gatepost_\w+)\s*\(", code)) - set(re.findall(r"typedef[^;]*?\b(gatepost_\w+)\s*\(", code))
    constants = set(re.findall(r"^#define (GATEPOST_\w+)", code, flags=re.M))
    fields = set()
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", code, flags=re.S):
        fields |= {(name, field) for field in re.findall(r"(\w+);", body)}
    return functions, constants, fields


def part(files, struct):
    """What deals with a struct: from its first line to the brace that ends it."""
    file, line = PARTS.get(struct, ("", ""))
    found = re.search(rf"^{re.escape(line)}.*?^{re.match(' *', line)[0]}\}}", files.get(file, ""), flags=re.S | re.M)
    # What is only made empty is not dealt with.
    return re.sub(r"raw_\.\w+ = (\{\}|0|nullptr);", "", without_comments(found[0])) if struct in PARTS else ""


def missing(header, files):
    """What gatepost.hpp does not name."""
    functions, constants, fields = wanted(header)
    assert len(functions) > 50 and len(constants) > 90 and len(fields) > 100, (len(functions), len(constants), len(fields))
    all_words = set(re.findall(r"\w+", without_comments("\n".join(files.values()))))
    lacks = {name for name in functions | constants if name not in all_words and name not in NOT_NAMED}
    for struct, field in fields:
        name = f"{struct}.{field}"
        if struct in UNUSED or field in EVERYWHERE or name in ZERO or name in NOT_NAMED:
            continue
        text = part(files, struct)
        if not re.search(rf"(\b(raw|raw_|view_|known|fetched|header|text)(\.|->)|&{struct}::){field}\b", text):
            lacks.add(name)
    return lacks


def files():
    folder = TOP / "bindings/cpp/gatepost"
    return {path.name: path.read_text() for path in folder.glob("*.hpp")}


def header():
    return (TOP / "include/gatepost.h").read_text()


def test_gatepost_hpp_names_all_of_the_header():
    lacks = missing(header(), files())
    assert not lacks, f"bindings/cpp does not follow gatepost.h: {sorted(lacks)}"


def test_a_request_begins_with_every_field_set():
    begins = re.search(r"    Request\(\) noexcept \{.*?\n    \}", files()["request.hpp"], flags=re.S)[0]
    fields = {field for struct, field in wanted(header())[2] if struct == "gatepost_request"}
    assert len(fields) > 12 and fields == set(re.findall(r"raw_\.(\w+) = ", begins)), begins


def test_every_exception_is_still_one():
    words = set(re.findall(r"\w+", without_comments("\n".join(files().values()))))
    functions, constants, fields = wanted(header())
    known = functions | constants | {f"{struct}.{field}" for struct, field in fields}
    for name in NOT_NAMED:
        assert name in known and name not in words, f"{name} needs no exception any more"


def test_what_is_added_is_noticed():
    added = header().replace(
        "uint32_t gatepost_abi(void);", "uint32_t gatepost_abi(void);\nuint32_t gatepost_read_minds(uint32_t whose);"
    )
    assert missing(added, files()) == {"gatepost_read_minds"}
    added = header().replace("#define GATEPOST_PASS 3", "#define GATEPOST_PASS 3\n#define GATEPOST_PONDER 4")
    assert missing(added, files()) == {"GATEPOST_PONDER"}
    added = header().replace("    uint64_t generation;\n", "    uint64_t generation;\n    uint32_t mood;\n")
    assert missing(added, files()) == {"gatepost_view.mood"}
    # One that another struct has too, of which another part reads it.
    for struct, before in [("gatepost_issued", "int64_t expires_in;"), ("gatepost_refresh_request", "struct gatepost_str token;")]:
        head, tail = header().split(f"typedef struct {struct} {{")
        added = head + f"typedef struct {struct} {{" + tail.replace(before, before + "\n    struct gatepost_str claims;", 1)
        assert missing(added, files()) == {f"{struct}.claims"}
    added = header() + "typedef struct gatepost_mood {\n    uint32_t now;\n} gatepost_mood;\n"
    assert missing(added, files()) == {"gatepost_mood.now"}
    fewer = {name: text.replace("raw.lifetime =", "") for name, text in files().items()}
    assert missing(header(), fewer) == {"gatepost_token_request.lifetime"}
    # Each request.now must be handed on by its own part.
    name, line = "engine.hpp", "        raw.now = wanted.now;\n"
    fewer = {**files(), name: files()[name][::-1].replace(line[::-1], "", 1)[::-1]}
    assert missing(header(), fewer) == {"gatepost_refresh_request.now"}
