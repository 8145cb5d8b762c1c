//! What is installed is whole: the archive exports our functions alone, pkg-config and CMake find it, man pages and
//! completions cover the command line, the Debian packages come and go without a trace, the bill of materials is the
//! lock file's.
//!
//! The files come from the build that these tests are part of, through the same scripts as a release.
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
use std::sync::OnceLock;

use serde_json::Value;
use tools::{check, library, output, root, scratch, tool};

/// Folders that stand for target/release and target/dist, filled once.
fn dist() -> &'static (PathBuf, PathBuf) {
    static DIST: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    DIST.get_or_init(|| {
        let (release, dist) = (scratch("release"), scratch("dist"));
        let deps = library().parent().expect("deps").to_owned();
        for (from, to) in [
            (library(), "libgatepost.so"),
            (deps.join("libgatepost.a"), "libgatepost.a"),
            (PathBuf::from(env!("CARGO_BIN_EXE_gatepost")), "gatepost"),
        ] {
            assert!(from.exists(), "{} is missing", from.display());
            let to = release.join(to);
            let _ = fs::remove_file(&to);
            // Without the places in the source, that a release does not hold either.
            check(Command::new(tool("objcopy", "binutils")).arg("--strip-debug").arg(from).arg(to));
        }
        check(script("bindings/c/dist.sh", &(release.clone(), dist.clone())).env("CARGO_TARGET_DIR", scratch("none")));
        (release, dist)
    })
}

fn script(path: &str, (release, dist): &(PathBuf, PathBuf)) -> Command {
    let mut command = Command::new(root().join(path));
    command.env("GATEPOST_RELEASE", release).env("GATEPOST_DIST", dist).current_dir(root());
    command
}

fn install(what: &str, destination: &Path, prefix: &str) -> Command {
    let mut command = script("bindings/c/install.sh", dist());
    command.arg(what).env("DESTDIR", destination).env("PREFIX", prefix);
    command
}

/// A fresh folder with an installation below `usr`.
fn installed(name: &str) -> PathBuf {
    let destination = scratch(name);
    fs::remove_dir_all(&destination).expect("removed");
    check(&mut install("install", &destination, "/usr"));
    destination
}

/// All files and links below a folder, relative to it.
fn files(folder: &Path) -> BTreeSet<String> {
    fn walk(folder: &Path, top: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() && !path.is_symlink() {
                walk(&path, top, found);
            } else {
                found.insert(path.strip_prefix(top).expect("below").to_string_lossy().into_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(folder, folder, &mut found);
    found
}

/// Starts an engine from C, beside a function that SQLite has too.
const PROGRAM: &str = r#"
#include <gatepost.h>
#include <stdio.h>
int sqlite3_open(const char *name, void **place);
int sqlite3_open(const char *name, void **place) { (void)name; (void)place; return 42; }
int main(void) {
    gatepost_engine *engine = NULL;
    gatepost_error *error = NULL;
    const char *policy = "[engine]\nstate = \":memory:\"\nschemes = [\"basic\"]\n[[route]]\npath = \"/\"\n";
    gatepost_str text = {policy, 0};
    while (policy[text.len] != 0) text.len++;
    if (gatepost_engine_new(text, GATEPOST_STR(""), NULL, &engine, &error) != GATEPOST_OK ||
        gatepost_engine_start(engine, &error) != GATEPOST_OK) {
        fprintf(stderr, "%s\n", gatepost_error_message(error).ptr);
        return 1;
    }
    gatepost_engine_free(engine);
    printf("%s %d\n", gatepost_version().ptr, sqlite3_open(NULL, NULL));
    return 0;
}
"#;

fn program(folder: &Path) -> PathBuf {
    let source = folder.join("main.c");
    fs::write(&source, PROGRAM).expect("written");
    source
}

fn says() -> String {
    format!("{} 42\n", env!("CARGO_PKG_VERSION"))
}

#[test]
fn the_archive_exports_our_functions_and_nothing_else() {
    let listed =
        output(Command::new(tool("nm", "binutils")).args(["-g", "--defined-only"]).arg(dist().1.join("libgatepost.a")));
    let found: BTreeSet<&str> = listed.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    let symbols = fs::read_to_string(root().join("tests/abi/symbols.txt")).expect("symbols.txt");
    assert_eq!(found, symbols.lines().collect());
    // As cargo makes it, it is no such archive: the check can fail.
    let raw = output(
        Command::new("nm")
            .args(["-g", "--defined-only"])
            .arg(dist().0.join("libgatepost.a"))
            .stderr(std::process::Stdio::null()),
    );
    assert!(raw.lines().count() > 1_000);
}

#[test]
fn pkg_config_leads_to_programs_that_run_shared_and_static() {
    let destination = installed("pkg_config");
    let folder = scratch("pkg_config_program");
    let source = program(&folder);
    let usr = destination.join("usr");
    for kind in [&[][..], &["--static"]] {
        let flags = output(
            Command::new(tool("pkg-config", "pkg-config"))
                .args(["--cflags", "--libs"])
                .args(kind)
                .arg("gatepost")
                .env("PKG_CONFIG_SYSROOT_DIR", &destination)
                .env("PKG_CONFIG_ALLOW_SYSTEM_CFLAGS", "1")
                .env("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1")
                .env("PKG_CONFIG_LIBDIR", usr.join("lib/pkgconfig")),
        );
        let binary = folder.join(format!("program{}", kind.len()));
        let mut compile = Command::new(tool("cc", "gcc"));
        compile.args(["-Wall", "-Wextra", "-Werror"]).arg(&source).arg("-o").arg(&binary);
        let flags = flags.split_whitespace();
        if kind.is_empty() {
            compile.args(flags).arg(format!("-Wl,-rpath,{}", usr.join("lib").display()));
        } else {
            compile.args(flags.map(|flag| if flag == "-lgatepost" { "-l:libgatepost.a" } else { flag }));
        }
        check(&mut compile);
        assert_eq!(output(&mut Command::new(&binary)), says());
        let needs = output(Command::new("objdump").arg("-p").arg(&binary));
        assert_eq!(needs.contains("libgatepost.so.0"), kind.is_empty(), "{needs}");
    }
    let version = output(
        Command::new("pkg-config")
            .args(["--modversion", "gatepost"])
            .env("PKG_CONFIG_LIBDIR", usr.join("lib/pkgconfig")),
    );
    assert_eq!(version.trim(), env!("CARGO_PKG_VERSION"));
}

#[test]
fn cmake_finds_it_wherever_it_was_moved() {
    let destination = installed("cmake");
    // Debian's place for libraries is one folder deeper; the tree is moved after it was installed.
    let triplet = output(Command::new(tool("gcc", "gcc")).arg("-print-multiarch"));
    let libraries = format!("/opt/gatepost/lib/{}", triplet.trim());
    let moved = scratch("cmake_moved");
    fs::remove_dir_all(&moved).expect("removed");
    check(install("install", &destination, "/opt/gatepost").env("LIBDIR", &libraries));
    fs::rename(destination.join("opt/gatepost"), &moved).expect("moved");
    for (name, prefix) in [("flat", destination.join("usr")), ("deep", moved)] {
        let folder = scratch(&format!("cmake_{name}"));
        let _ = fs::remove_dir_all(folder.join("build"));
        program(&folder);
        let version = env!("CARGO_PKG_VERSION");
        fs::write(
            folder.join("CMakeLists.txt"),
            format!(
                "cmake_minimum_required(VERSION 3.13)\nproject(host C)\nset(THREADS_PREFER_PTHREAD_FLAG ON)\n\
                 find_package(gatepost {version} REQUIRED)\nfind_package(gatepost 99 QUIET)\n\
                 if(gatepost_FOUND)\n  message(FATAL_ERROR \"version 99 was found\")\nendif()\n\
                 foreach(kind gatepost static)\n  add_executable(with_${{kind}} main.c)\n  \
                 target_link_libraries(with_${{kind}} PRIVATE gatepost::${{kind}})\nendforeach()\n"
            ),
        )
        .expect("written");
        let build = folder.join("build");
        check(
            Command::new(tool("cmake", "cmake"))
                .arg("-S")
                .arg(&folder)
                .arg("-B")
                .arg(&build)
                .arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())),
        );
        check(Command::new("cmake").arg("--build").arg(&build));
        for kind in ["gatepost", "static"] {
            assert_eq!(output(&mut Command::new(build.join(format!("with_{kind}")))), says(), "{name} {kind}");
        }
    }
}

#[test]
fn uninstalling_leaves_nothing_behind() {
    let destination = installed("uninstall");
    let found = files(&destination);
    for wanted in [
        "usr/bin/gatepost",
        "usr/include/gatepost.h",
        "usr/include/gatepost.hpp",
        "usr/include/gatepost/engine.hpp",
        "usr/lib/libgatepost.a",
        "usr/lib/libgatepost.so",
        "usr/lib/libgatepost.so.0",
        "usr/share/doc/gatepost/THIRD-PARTY.txt",
        "usr/share/doc/gatepost/LICENSE-MIT",
        "usr/share/gatepost/policy.schema.json",
    ] {
        assert!(found.contains(wanted), "{wanted} is not installed: {found:#?}");
    }
    // What is not ours stays.
    fs::write(destination.join("usr/lib/libother.so"), "").expect("written");
    check(&mut install("install", &destination, "/usr"));
    check(&mut install("uninstall", &destination, "/usr"));
    assert_eq!(files(&destination), BTreeSet::from(["usr/lib/libother.so".to_owned()]));
    assert!(!destination.join("usr/share/doc/gatepost").exists());
    assert!(!destination.join("usr/include/gatepost").exists());
}

#[test]
fn an_installation_that_cannot_work_is_refused() {
    let destination = scratch("refused");
    let refused = |command: &mut Command, says: &str| {
        let done = command.output().expect("run");
        let text = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(!done.status.success() && text.contains(says), "{text}");
        assert!(files(&destination).is_empty());
    };
    refused(&mut install("install", &destination, "usr"), "no absolute path");
    refused(&mut install("install", &destination, "/usr/my files"), "a character that build tools trip over");
    let empty = scratch("empty");
    refused(install("install", &destination, "/usr").env("GATEPOST_DIST", &empty), "run bindings/c/dist.sh first");
    refused(install("install", &destination, "/usr").env("GATEPOST_RELEASE", &empty), "run make build first");
    // A file that is missing half way is no success either.
    let partial = scratch("partial");
    check(Command::new("cp").arg("-a").arg(dist().1.join(".")).arg(&partial));
    fs::remove_file(partial.join("THIRD-PARTY.txt")).expect("removed");
    let done =
        install("install", &scratch("partial_root"), "/usr").env("GATEPOST_DIST", &partial).output().expect("run");
    assert!(!done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    refused(&mut install("reinstall", &destination, "/usr"), "usage");
}

/// Every command that is listed, as `gatepost user add`.
fn commands() -> Vec<Vec<String>> {
    fn below(command: &[String], found: &mut Vec<Vec<String>>) {
        let help = output(Command::new(env!("CARGO_BIN_EXE_gatepost")).args(command).arg("--help"));
        found.push(command.to_vec());
        let listed =
            help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| line.starts_with("  "));
        for name in listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help") {
            below(&[command, &[name.to_owned()]].concat(), found);
        }
    }
    let mut found = Vec::new();
    below(&[], &mut found);
    found
}

#[test]
fn every_command_has_a_man_page_that_renders() {
    let folder = dist().1.join("man");
    let mut wanted = BTreeSet::new();
    for command in commands() {
        let name = [&["gatepost".to_owned()], command.as_slice()].concat().join("-");
        let page = folder.join(format!("{name}.1"));
        wanted.insert(format!("{name}.1"));
        let done = Command::new(tool("groff", "groff-base"))
            .args(["-man", "-Kutf8", "-Tutf8", "-ww", "-P-c"])
            .arg(&page)
            .output()
            .expect("groff");
        let warnings = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success() && warnings.is_empty(), "{}: {warnings}", page.display());
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(text.contains(&format!("{}(1)", name.to_uppercase())), "{text}");
        assert!(text.contains(&format!("Gatepost {}", env!("CARGO_PKG_VERSION"))), "{text}");
    }
    assert!(wanted.len() > 15);
    assert_eq!(files(&folder), wanted);
}

#[test]
fn completions_offer_every_command() {
    let completions = dist().1.join("completions");
    assert_eq!(
        files(&completions),
        BTreeSet::from(["_gatepost".to_owned(), "gatepost.bash".to_owned(), "gatepost.fish".to_owned()])
    );
    // Asked as bash asks when the tabulator key is pressed.
    let complete = |words: &[&str]| {
        let script = format!(
            "source {}; COMP_WORDS=(gatepost {}); COMP_CWORD={}; _gatepost gatepost \"${{COMP_WORDS[COMP_CWORD]}}\" x; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            completions.join("gatepost.bash").display(),
            words.join(" "),
            words.len()
        );
        output(Command::new("bash").args(["--norc", "-c", &script]))
    };
    assert_eq!(complete(&["che"]).trim(), "check");
    assert_eq!(complete(&["user", "pass"]).trim(), "passwd");
    assert_eq!(complete(&["check", "--stri"]).trim(), "--strict");
    assert_eq!(complete(&["nonsen"]).trim(), "");
    for (file, needle) in [("_gatepost", "#compdef gatepost"), ("gatepost.fish", "complete -c gatepost")] {
        let text = fs::read_to_string(completions.join(file)).expect("read");
        assert!(text.contains(needle), "{file}");
        for command in commands().iter().filter_map(|command| command.first()) {
            assert!(text.contains(command.as_str()), "{file} lacks {command}");
        }
    }
}

#[test]
fn debian_packages_install_run_and_go_without_a_trace() {
    let target = scratch("debian");
    // Compressed lightly: xz would take most of the time.
    let mut build = script("bindings/debian/build.sh", dist());
    let packages = output(build.env("CARGO_TARGET_DIR", &target).env("GATEPOST_COMPRESSION", "-Zgzip -z1"));
    let packages: Vec<&str> = packages.lines().collect();
    assert_eq!(packages.len(), 3, "{packages:?}");
    check(
        Command::new(tool("lintian", "lintian"))
            .args(["--fail-on", "error,warning", "--allow-root"])
            .args(LINTIAN)
            .args(&packages),
    );

    let system = scratch("debian_system");
    fs::remove_dir_all(&system).expect("removed");
    fs::create_dir_all(system.join("var/lib/dpkg/updates")).expect("made");
    for file in ["status", "available"] {
        fs::write(system.join("var/lib/dpkg").join(file), "").expect("written");
    }
    let before = files(&system);
    let dpkg = |arguments: &[&str], packages: &[&str]| {
        // Into an empty system, where the C library is missing: what they depend on is asked above, of lintian.
        check(
            Command::new(tool("fakeroot", "fakeroot"))
                .args(["dpkg", "--force-not-root", "--force-script-chrootless", "--force-depends"])
                .arg(format!("--root={}", system.display()))
                .arg("--log=/dev/null")
                .args(arguments)
                .args(packages)
                .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").expect("PATH"))),
        );
    };
    dpkg(&["--install"], &packages);
    let arch = output(Command::new("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH"));
    let libraries = system.join("usr/lib").join(arch.trim());
    let version = output(Command::new(system.join("usr/bin/gatepost")).arg("--version"));
    assert_eq!(version.trim(), format!("gatepost {}", env!("CARGO_PKG_VERSION")));
    let folder = scratch("debian_program");
    check(
        Command::new("cc")
            .arg(program(&folder))
            .arg("-o")
            .arg(folder.join("program"))
            .arg(format!("-I{}", system.join("usr/include").display()))
            .arg(format!("-L{}", libraries.display()))
            .arg(format!("-Wl,-rpath,{}", libraries.display()))
            .arg("-lgatepost"),
    );
    assert_eq!(output(&mut Command::new(folder.join("program"))), says());
    dpkg(&["--remove"], &["gatepost", "libgatepost-dev", "libgatepost0"]);
    dpkg(&["--purge"], &["gatepost", "libgatepost-dev", "libgatepost0"]);
    let left: Vec<String> =
        files(&system).difference(&before).filter(|path| !path.starts_with("var/lib/dpkg/")).cloned().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!system.join("usr").exists());
}

/// What lintian says and is meant so.
const LINTIAN: &[&str] =
    &["--suppress-tags", "initial-upload-closes-no-bugs,unstripped-binary-or-object,unstripped-static-library"];

#[test]
fn the_bill_of_materials_is_the_lock_file_s() {
    let text = fs::read_to_string(dist().1.join("gatepost.cdx.json")).expect("bill");
    let bill: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((bill["bomFormat"].as_str(), bill["specVersion"].as_str()), (Some("CycloneDX"), Some("1.5")));
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("lock");
    let mut found = BTreeSet::new();
    for component in bill["components"].as_array().expect("components") {
        let (name, version) =
            (component["name"].as_str().expect("name"), component["version"].as_str().expect("version"));
        let digest = component["hashes"][0]["content"].as_str().expect("hash");
        let licence = component["licenses"][0]["expression"].as_str().expect("licence");
        assert!(!licence.contains('/'), "{name}: {licence}");
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\nsource = ");
        let (_, rest) = lock.split_once(&entry).unwrap_or_else(|| panic!("Cargo.lock has no {name} {version}"));
        assert!(rest.lines().nth(1).expect("checksum").contains(digest), "{name}: another checksum");
        found.insert(format!("{name} v{version}"));
    }
    // The same question, asked of cargo in another way.
    let tree = output(
        Command::new(env!("CARGO"))
            .args(["tree", "--locked", "--edges=normal,no-proc-macro", "--prefix=none", "--no-dedupe", "--format={p}"])
            .current_dir(root()),
    );
    let mut wanted: BTreeSet<String> =
        tree.lines().map(|line| line.split(" (").next().expect("name").to_owned()).collect();
    assert!(wanted.remove(&format!("gatepost v{}", env!("CARGO_PKG_VERSION"))));
    let missing: Vec<&String> = wanted.difference(&found).collect();
    assert!(missing.is_empty(), "linked in and not in the bill: {missing:?}");
    assert!(found.len() > 60, "{}", found.len());
    assert!(text.contains("\"SQLite\""), "the C library that is compiled in");

    let notices = fs::read_to_string(dist().1.join("THIRD-PARTY.txt")).expect("notices");
    for name in &found {
        assert!(notices.contains(&format!("\n{} (", name.replace(" v", " "))), "no licence text for {name}");
    }
}
