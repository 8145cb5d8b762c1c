//! The header is what the source says, compiles everywhere, and declares what the library exports; symbols and layouts
//! are those of the committed tables. `UPDATE=1 cargo test --test header` rewrites the header and the tables.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod tools;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tools::{check, compiler, library, output, root, scratch};

/// The order in which the header tells its story.
const FILES: &[&str] = &[
    "types",
    "reason_numbers",
    "version",
    "reason",
    "error",
    "bytes",
    "policy",
    "event",
    "fetch",
    "engine",
    "request",
    "decision",
    "decide",
    "job",
    "pool",
    "password",
    "verified",
    "revocation",
    "token",
];

const HEADER: &str = "include/gatepost.h";
const SYMBOLS: &str = "tests/abi/symbols.txt";
const LAYOUT: &str = "tests/abi/layout.txt";

#[test]
fn the_header_is_what_the_source_says() {
    compare(HEADER, generated());
}

#[test]
fn the_header_alone_compiles_as_c99_c11_and_cpp17() {
    committed();
    let folder = scratch("header_alone");
    for (name, compilers, standards) in [
        ("alone.c", ["gcc", "clang"], ["c99", "c11"].as_slice()),
        ("alone.cpp", ["g++", "clang++"], ["c++11", "c++17"].as_slice()),
    ] {
        let source = folder.join(name);
        // A string literal as an argument shows the one macro that differs between C and C++.
        fs::write(
            &source,
            "#include <gatepost.h>\n#include <gatepost.h>\nuint32_t f(void);\n\
             uint32_t f(void) { return gatepost_has_feature(GATEPOST_STR(\"basic\")); }\n",
        )
        .expect("written");
        for (index, tool) in compilers.into_iter().enumerate() {
            // gcc is what we need to build at all; clang is a second opinion, asked where it is installed.
            let Some(tool) = compiler(tool, index == 0) else {
                println!("{tool} is not installed: the header was not compiled with it (apt-get install clang)");
                continue;
            };
            for standard in standards {
                check(
                    Command::new(&tool)
                        .arg(format!("-std={standard}"))
                        .args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"])
                        .args(if name.ends_with("pp") { [].as_slice() } else { &["-Wstrict-prototypes"] })
                        .arg("-I")
                        .arg(root().join("include"))
                        .args(["-c", "-o"])
                        .arg(folder.join("alone.o"))
                        .arg(&source),
                );
            }
        }
    }
}

#[test]
fn a_gatepost_str_is_made_of_literals_alone() {
    committed();
    let folder = scratch("header_literals");
    let gcc = compiler("gcc", true).expect("gcc");
    for (name, text, compiles) in [
        ("literal.c", "\"basic\"", true),
        ("literals.c", "GATEPOST_VERSION \"-1\"", true),
        ("pointer.c", "name", false),
        ("array.c", "room", false),
    ] {
        let source = folder.join(name);
        let program = format!(
            "#include <gatepost.h>\ngatepost_str f(const char *name);\nextern char room[64];\n\
             gatepost_str f(const char *name) {{ (void)name; return GATEPOST_STR({text}); }}\n"
        );
        fs::write(&source, program).expect("written");
        let mut command = Command::new(&gcc);
        command.arg("-fsyntax-only").arg("-I").arg(root().join("include")).arg(&source);
        assert_eq!(command.output().expect("gcc").status.success(), compiles, "{name}");
    }
}

#[test]
fn exported_symbols_are_the_declared_functions_and_the_committed_table() {
    let exported = exported();
    let declared = declared();
    assert!(declared.len() > 40, "the header was read: {declared:?}");
    assert_eq!(exported, declared, "left: what nm finds in the library; right: what the header declares");
    assert!(exported.iter().all(|name| name.starts_with("gatepost_")), "every symbol has our prefix");
    let table: String = exported.iter().map(|name| format!("{name}\n")).collect();
    compare(SYMBOLS, &table);
}

#[test]
fn struct_layouts_are_those_of_the_committed_table() {
    let header = committed();
    let structs = structs(&header);
    assert!(structs.len() >= 5, "the header's structs were found: {structs:?}");
    let mut program = String::from("#include <gatepost.h>\n#include <stdio.h>\nint main(void) {\n");
    for (name, fields) in &structs {
        program += &format!("    printf(\"{name} %zu\\n\", sizeof({name}));\n");
        for field in fields {
            program += &format!(
                "    printf(\"{name}.{field} %zu %zu\\n\", offsetof({name}, {field}), sizeof((({name} *)0)->{field}));\n"
            );
        }
    }
    program += "    return 0;\n}\n";
    let folder = scratch("layout");
    let (source, binary) = (folder.join("layout.c"), folder.join("layout"));
    fs::write(&source, program).expect("written");
    let gcc = compiler("gcc", true).expect("gcc");
    check(Command::new(gcc).arg("-I").arg(root().join("include")).arg("-o").arg(&binary).arg(&source));
    let table = output(&mut Command::new(&binary));
    compare(LAYOUT, &format!("# struct size, struct.field offset size; x86-64 and aarch64 Linux alike\n{table}"));
}

#[test]
fn every_exported_function_is_guarded_and_documented() {
    let mut seen = 0;
    for file in source_files() {
        let text = fs::read_to_string(&file).expect("read");
        for (before, after) in split_functions(&text) {
            seen += 1;
            let name = after.split('(').next().unwrap_or_default().to_owned();
            let body = after.split_once('{').map_or("", |(_, body)| body);
            let body = body.split("\n}").next().unwrap_or_default();
            let guarded = ["guard(", "guard_status(", "guard_setup(", "view("].iter().any(|guard| body.contains(guard));
            assert!(guarded, "{name} in {} has no guard: a panic would unwind into C", file.display());
            assert!(before.contains("///"), "{name} is not documented");
        }
    }
    assert!(seen > 40, "the source was searched; {seen} functions found");
    assert!(
        !fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml").contains("panic = \"abort\""),
        "the guards need panic = \"unwind\""
    );
}

#[test]
fn the_library_has_its_soname_and_stays_loaded() {
    let dynamic = output(Command::new(tools::tool("readelf", "binutils")).arg("-d").arg(library()));
    let soname = format!("[libgatepost.so.{}]", env!("GATEPOST_ABI"));
    assert!(dynamic.lines().any(|line| line.contains("(SONAME)") && line.contains(&soname)), "{dynamic}");
    assert!(dynamic.lines().any(|line| line.contains("(FLAGS_1)") && line.contains("NODELETE")), "{dynamic}");
}

/// The header as the source has it. Asked for by every test that reads the file, so that `UPDATE=1` writes it first.
fn generated() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| {
        let mut config = cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml");
        config.after_includes = Some(version_macros());
        let mut builder = cbindgen::Builder::new().with_config(config);
        for file in FILES {
            builder = builder.with_src(root().join(format!("src/ffi/{file}.rs")));
        }
        let mut text = Vec::new();
        builder.generate().expect("the header is generated").write(&mut text);
        let text = String::from_utf8(text).expect("UTF-8");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(root().join(HEADER), &text).expect("written");
        }
        text
    })
}

/// The committed header.
fn committed() -> String {
    generated();
    fs::read_to_string(root().join(HEADER)).expect(HEADER)
}

/// `#define`s that come from the package and not from the source text.
fn version_macros() -> String {
    let mut text = format!(
        "\n/**\n * The release that this header belongs to; gatepost_version() says the library's.\n */\n\
         #define GATEPOST_VERSION \"{}\"\n",
        env!("CARGO_PKG_VERSION")
    );
    for (name, value) in [
        ("MAJOR", env!("CARGO_PKG_VERSION_MAJOR")),
        ("MINOR", env!("CARGO_PKG_VERSION_MINOR")),
        ("PATCH", env!("CARGO_PKG_VERSION_PATCH")),
    ] {
        text += &format!("#define GATEPOST_VERSION_{name} {value}\n");
    }
    text += &format!(
        "\n/**\n * The number of the binary interface; gatepost_abi() says the library's. It is the last part of its \
         SONAME.\n */\n#define GATEPOST_ABI {}\n\n\
         /**\n * A gatepost_str of a string literal; of anything else, whose sizeof says something else, it does not \
         compile.\n */\n#ifdef __cplusplus\n\
         #define GATEPOST_STR(literal) (gatepost_str{{\"\" literal, sizeof(literal) - 1}})\n#else\n\
         #define GATEPOST_STR(literal) ((gatepost_str){{\"\" literal, sizeof(literal) - 1}})\n#endif\n",
        env!("GATEPOST_ABI")
    );
    text
}

fn compare(path: &str, wanted: &str) {
    let file = root().join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, wanted).expect("written");
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == wanted,
        "{path} is out of date; look at what changed with: UPDATE=1 cargo test --test header && git diff"
    );
}

fn exported() -> BTreeSet<String> {
    let text = output(Command::new(tools::tool("nm", "binutils")).args(["-D", "--defined-only"]).arg(library()));
    text.lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .filter(|name| !name.starts_with("gatepost_test_"))
        .map(str::to_owned)
        .collect()
}

fn declared() -> BTreeSet<String> {
    let header = committed();
    let function = regex::Regex::new(r"(?m)^(?:struct |const )*\w[\w *]*?\b(gatepost_\w+)\(").expect("regex");
    let code = without_comments(&header);
    function
        .captures_iter(&code)
        .filter(|found| !found[0].starts_with("typedef"))
        .map(|found| found[1].to_owned())
        .collect()
}

/// Each struct with visible fields, in the order of the header.
fn structs(header: &str) -> Vec<(String, Vec<String>)> {
    let code = without_comments(header);
    let whole = regex::Regex::new(r"(?s)typedef struct (gatepost_\w+) \{(.*?)\}").expect("regex");
    let field = regex::Regex::new(r"(\w+)\s*;").expect("regex");
    whole
        .captures_iter(&code)
        .map(|found| (found[1].to_owned(), field.captures_iter(&found[2]).map(|f| f[1].to_owned()).collect()))
        .collect()
}

fn without_comments(text: &str) -> String {
    regex::Regex::new(r"(?s)/\*.*?\*/").expect("regex").replace_all(text, "").into_owned()
}

fn source_files() -> Vec<PathBuf> {
    fs::read_dir(root().join("src/ffi"))
        .expect("src/ffi")
        .map(|entry| entry.expect("entry").path())
        .filter(|path: &PathBuf| Path::new(path).extension().is_some_and(|ext| ext == "rs"))
        .collect()
}

/// For each exported function: the text before it back to the last empty line, and the text from its name on.
fn split_functions(text: &str) -> Vec<(String, String)> {
    text.match_indices("#[unsafe(no_mangle)]")
        .map(|(at, _)| {
            let before = text[..at].rsplit("\n\n").next().unwrap_or_default().to_owned();
            let after = text[at..].split_once("fn ").map_or("", |(_, after)| after).to_owned();
            (before, after)
        })
        .collect()
}
