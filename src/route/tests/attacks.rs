//! Attacks on the reading of paths, each named after the advisory, with what is allowed beside it.

use super::*;

/// Protected folder, public everything else: the policy that these attacks go through.
fn shop() -> Router {
    router(&[("/admin/{*rest}", "admin"), ("/{*all}", "public")])
}

/// Public folders, protected everything else.
fn inverse() -> Router {
    router(&[("/{*all}", "admin"), ("/public/{*rest}", "public")])
}

fn table(router: &Router, rows: &[(&str, &str)]) {
    for (path, wanted) in rows {
        assert_eq!(lands(router, path), *wanted, "{path}");
    }
}

fn with_rules(rules: PathRules) -> Router {
    Router::build(&routes(&[("/admin/{*rest}", "admin"), ("/{*all}", "public")]), rules).unwrap()
}

#[test]
fn cve_2019_9901_dot_segments() {
    table(
        &shop(),
        &[
            ("/public/../admin", "ambiguous"),
            ("/./admin", "ambiguous"),
            ("/admin/../public", "ambiguous"),
            ("/a/b/../../admin/x", "ambiguous"),
            ("/admin/./x", "0"),
            ("/admin/a/../b", "0"),
            ("/a/../b", "1"),
            ("/a/.b/..c/...", "1"),
        ],
    );
    table(&inverse(), &[("/public/../admin", "ambiguous"), ("/public/a/../b", "1"), ("/public/..", "ambiguous")]);
}

#[test]
fn cve_2021_29492_encoded_slash() {
    table(
        &shop(),
        &[
            ("/a%2F..%2Fadmin", "ambiguous"),
            ("/a%2f..%2fadmin", "ambiguous"),
            ("/a%5c..%5cadmin", "ambiguous"),
            ("/a%5C..%5Cadmin", "ambiguous"),
            ("/admin%2Fusers", "ambiguous"),
            ("/admin%5Cusers", "ambiguous"),
            ("/%2Fadmin", "ambiguous"),
            ("/a%2Fb", "1"),
            ("/a%5Cb", "1"),
            ("/admin/a%2Fb", "0"),
            ("/admin/a%5Cb", "0"),
        ],
    );
}

#[test]
fn cve_2026_73551_dot_segment_with_parameters() {
    table(
        &shop(),
        &[
            ("/user/..;foo=bar/admin", "ambiguous"),
            ("/.;/admin", "ambiguous"),
            ("/user/..;/admin", "ambiguous"),
            ("/user/%2e%2e;/admin", "ambiguous"),
            ("/;/admin", "ambiguous"),
            ("/admin/..;/admin/x", "0"),
            ("/user/..;foo/x", "1"),
        ],
    );
}

#[test]
fn cve_2026_73511_matrix_parameters() {
    table(
        &shop(),
        &[("/admin;x/users", "ambiguous"), ("/admin;", "ambiguous"), ("/orders;v=1/x", "1"), ("/admin/users;x", "0")],
    );
    table(&inverse(), &[("/public;x/y", "ambiguous"), ("/public/y;x", "1"), ("/orders;v=1", "0")]);
}

#[test]
fn cve_2026_50559_encoded_semicolon() {
    table(
        &shop(),
        &[
            ("/admin%3Bx/users", "ambiguous"),
            ("/admin%3bx/users", "ambiguous"),
            ("/user/..%3B/admin", "ambiguous"),
            ("/admin%2Fx", "ambiguous"),
            ("/admin%5Cx", "ambiguous"),
            ("/admin%253Bx", "ambiguous"),
            ("/x%3By", "1"),
            ("/admin/x%3By", "0"),
        ],
    );
}

#[test]
fn cve_2026_33494_encoded_dots() {
    table(
        &shop(),
        &[
            ("/user/../admin", "ambiguous"),
            ("/user/%2e%2e/admin", "ambiguous"),
            ("/user/%2E./admin", "ambiguous"),
            ("/user/.%2e/admin", "ambiguous"),
            ("/user/%2e%2e%2fadmin", "ambiguous"),
            ("/%2e/admin", "ambiguous"),
            ("/user/%2e%2ex/admin", "1"),
        ],
    );
}

#[test]
fn cve_2026_33494_decoded_twice() {
    table(
        &shop(),
        &[
            ("/%2561dmin", "ambiguous"),
            ("/user/%252e%252e/admin", "ambiguous"),
            ("/a%252F..%252Fadmin", "ambiguous"),
            ("/a%255C..%255cadmin", "ambiguous"),
            ("/a%25%32%46..%25%32%46admin", "ambiguous"),
            ("/100%25", "1"),
            ("/100%25zz", "1"),
            ("/a%252Fb", "1"),
            ("/admin/100%25", "0"),
            ("/admin/a%252Fb", "0"),
            // A third decoding is nobody's.
            ("/%252561dmin", "1"),
        ],
    );
}

/// GHSA-r9fw-vxmp-hwf2, GO-2026-5108: `%2f` and `%2F` are one; unreserved characters are always decoded.
#[test]
fn go_2026_5108_reencoding_changes_nothing() {
    table(
        &shop(),
        &[
            ("/%61%64%6d%69%6E/x", "0"),
            ("/%61dmin", "0"),
            ("/admin/%7Euser", "0"),
            ("/a%2fb", "1"),
            ("/@+:,=~%20!$&'()*", "1"),
            ("/admin/@+:,=~%20!$&'()*", "0"),
            ("/ä", "1"),
            ("/%C3%A4", "1"),
        ],
    );
}

/// CVE-2026-27587: folding forgot the encoded letters.
#[test]
fn cve_2026_27587_letter_case() {
    table(
        &shop(),
        &[
            ("/%41dmin", "ambiguous"),
            ("/Admin", "ambiguous"),
            ("/ADMIN/x", "ambiguous"),
            ("/%2541dmin", "ambiguous"),
            ("/Orders/ABC", "1"),
            ("/admin/ABC", "0"),
        ],
    );
    // The pattern is folded like the path.
    let upper = router(&[("/Admin/{*rest}", "admin"), ("/{*all}", "public")]);
    table(&upper, &[("/admin", "ambiguous"), ("/aDMIN/x", "ambiguous"), ("/Admin/x", "0"), ("/other", "1")]);
}

#[test]
fn patterns_that_differ_in_case_only_must_be_equal_rules() {
    let differ = router(&[("/Admin", "admin"), ("/admin", "public"), ("/x", "public")]);
    table(&differ, &[("/Admin", "ambiguous"), ("/admin", "ambiguous"), ("/ADMIN", "ambiguous"), ("/x", "2")]);
    let equal = router(&[("/Admin", "admin"), ("/admin", "admin")]);
    table(&equal, &[("/Admin", "0"), ("/admin", "1"), ("/ADMIN", "ambiguous")]);
    let methods = router(&[("GET /Admin", "admin"), ("POST /admin", "admin")]);
    table(&methods, &[("/Admin", "ambiguous"), ("/admin", "ambiguous")]);
}

/// CVE-2026-52844: a backslash is a slash on Windows. Raw it is refused anywhere.
#[test]
fn cve_2026_52844_backslash() {
    table(
        &shop(),
        &[
            ("/admin%5cusers", "ambiguous"),
            ("/x\\admin", "ambiguous"),
            ("/\\admin", "ambiguous"),
            ("/x\\y", "ambiguous"),
            ("/%5C%5Cserver", "1"),
        ],
    );
}

#[test]
fn cve_2026_26205_double_slash() {
    table(
        &shop(),
        &[
            ("//admin", "ambiguous"),
            ("//", "ambiguous"),
            ("//x/admin", "ambiguous"),
            ("/a//b", "1"),
            ("/admin//b", "0"),
            ("/a///", "1"),
            ("/.//admin", "ambiguous"),
        ],
    );
    let deep = router(&[("/a/b", "admin"), ("/{*all}", "public")]);
    table(
        &deep,
        &[("/a//b", "ambiguous"), ("/a/b", "0"), ("/a/b//", "ambiguous"), ("/a/b/", "0"), ("/a/%2Fb", "ambiguous")],
    );
}

/// CVE-2022-22978 and its kin: a dot of a pattern did not match a line break.
#[test]
fn cve_2022_22978_line_break() {
    for path in
        ["/admin%0a", "/x%0Ay", "/x%0d", "/x%00", "/x%250a", "/x%1F", "/x%7f", "/x%257F", "/a\nb", "/a\0b", "/a\x7fb"]
    {
        assert_eq!(lands(&shop(), path), "ambiguous", "{path:?}");
        assert_eq!(lands(&router(&[]), path), "ambiguous", "{path:?}");
    }
    table(&shop(), &[("/x%20y", "1"), ("/x%2520y", "1"), ("/x%C2%85", "1")]);
}

/// CVE-2025-46569: the path became part of a query. Here it is data, whatever it holds.
#[test]
fn cve_2025_46569_quotes_and_brackets() {
    table(
        &shop(),
        &[
            ("/a\"][\"b\"]", "1"),
            ("/'or'1'='1", "1"),
            ("/admin/\"]{x}", "0"),
            ("/{*all}", "1"),
            ("/{x}/admin", "1"),
            ("/*", "1"),
        ],
    );
}

/// CVE-2021-32637: whatever cannot be read is refused, on any route.
#[test]
fn cve_2021_32637_malformed_paths_on_any_route() {
    let policies = [shop(), inverse(), router(&[]), router(&[("/{*all}", "public")])];
    for path in [
        &b""[..],
        b"a",
        b"*",
        b"%2Fadmin",
        b"/%",
        b"/%2",
        b"/%zz",
        b"/a%%41",
        b"/\xFF",
        b"/%FF",
        b"/%C3",
        b"/%C3%2841",
        b"/%c0%af",
        b"/%25FF",
        b"/%25C3",
        b"/\xC3%A4\xC3",
        b"/%E2%82",
        b"/%ED%A0%80",
        b"/a#b",
        b"/a?b",
        b"/a b",
        b"/..",
        b"/../a",
        b"/a/../..",
        b"/%2e%2e",
        b"/%252e%252e",
        b"/..;x",
        b"/..%3Bx",
        b"/a%2F..%2F..",
        b"/a%5C..%5C..%5Cb",
        b"/a//../..",
        b"/a/;/../../b",
    ] {
        for router in &policies {
            assert_eq!(word(router.find(None, path, "GET")), "ambiguous", "{}", path.escape_ascii());
        }
    }
    // The same under rules that drop every reading.
    let all = PathRules {
        separate_encoded_slash: true,
        separate_encoded_backslash: true,
        keep_parameters: true,
        keep_empty_segments: true,
        resolve_dot_segments: true,
        decode_once: true,
        case_sensitive: true,
    };
    for path in ["/x%250a", "/%25FF", "/%252e%252e", "/..%3Bx", "/a%2F..%2F..", "/a//../..", "//x", "/a\\b"] {
        assert_eq!(lands(&with_rules(all), path), "ambiguous", "{path}");
    }
    table(&with_rules(all), &[("/a%2F..%2Fadmin", "1"), ("/%C3%A4", "1"), ("/admin/\u{e4}", "0"), ("/%25zz", "1")]);
}

/// Servers differ in the order of their steps too. Envoy merges slashes after dot segments; Tomcat drops parameters
/// before it decodes.
#[test]
fn the_order_of_a_servers_steps_is_a_reading() {
    let merged_last = router(&[("/a/c", "admin"), ("/{*all}", "public")]);
    table(&merged_last, &[("/a//b//../../c", "ambiguous"), ("/x//b//../../c", "1")]);
    let raw = router(&[("/a/b", "public"), ("/a/{x}", "admin"), ("/{*all}", "public")]);
    table(&raw, &[("/a;x/b%3By", "ambiguous"), ("/z;x/b%3By", "2")]);
    let inside = router(&[("/pub/b/c", "admin"), ("/{*all}", "public")]);
    table(&inside, &[("/pub;x%2F..%2Fy/b%2Fc", "ambiguous")]);
}

#[test]
fn each_rule_drops_its_reading() {
    let plain = PathRules::default();
    for (path, rules) in [
        ("/admin%2Fx", PathRules { separate_encoded_slash: true, ..plain }),
        ("/admin%5Cx", PathRules { separate_encoded_backslash: true, ..plain }),
        ("/admin;x", PathRules { keep_parameters: true, ..plain }),
        ("/admin%3Bx", PathRules { keep_parameters: true, ..plain }),
        ("/%2561dmin", PathRules { decode_once: true, ..plain }),
        ("/Admin", PathRules { case_sensitive: true, ..plain }),
        ("/%41dmin", PathRules { case_sensitive: true, ..plain }),
    ] {
        assert_eq!(lands(&shop(), path), "ambiguous", "{path}");
        assert_eq!(lands(&with_rules(rules), path), "1", "{path}");
        // Each drops only its own.
        assert_eq!(lands(&with_rules(rules), "/x/../admin"), "ambiguous", "{path}");
    }
    let resolve = PathRules { resolve_dot_segments: true, ..plain };
    table(
        &with_rules(resolve),
        &[("/x/../admin", "0"), ("/admin/../x", "1"), ("/x%2F../admin", "ambiguous"), ("/Admin", "ambiguous")],
    );
    let list = routes(&[("/a/b", "admin"), ("/{*all}", "public")]);
    let keep = Router::build(&list, PathRules { keep_empty_segments: true, ..plain }).unwrap();
    table(&keep, &[("/a//b", "1"), ("/a/b", "0"), ("/A/b", "ambiguous")]);
}

/// "/a//." is "/a//" (RFC 3986 section 5.2.4): the empty segment before the trailing slash stays.
#[test]
fn a_dot_segment_at_the_end_leaves_a_trailing_slash() {
    let rules = PathRules { keep_empty_segments: true, resolve_dot_segments: true, ..PathRules::default() };
    let router = Router::build(&routes(&[("/a", "admin"), ("/{*all}", "public")]), rules).unwrap();
    table(&router, &[("/a//.", "1"), ("/a//b/..", "1"), ("/a/.", "0"), ("/a/b/..", "0"), ("/a/", "0"), ("/a//", "1")]);
}

#[test]
fn the_explanation_names_both_readings_and_what_they_lead_to() {
    let explanation = shop().find(None, b"/a%2F..%2Fadmin", "GET").unwrap_err().explanation;
    assert_eq!(
        explanation,
        "decoded once it is /a%2F..%2Fadmin and leads to route /{*all} (line 2); decoded once, %2F as a slash, dot \
         segments resolved it is /admin and leads to route /admin/{*rest} (line 1)"
    );
}

/// The worst that 8 KiB can ask for: every choice open, all readings equal so that none ends the search early.
#[test]
fn hostile_paths_cost_bounded_time() {
    let router =
        router(&[("/{*all}", "admin"), ("/{a}/{b}/{c}/d", "admin"), ("/A/{*r}", "admin"), ("/a/{x}/{y}", "admin")]);
    for piece in [
        "/%252f..;",
        "/%2f%5c;x//.",
        "//;%3b.",
        "/a%252f%255c;%253B/./A//b/..",
        "/",
        "/A",
        "/%25",
        "/;",
        "%2f",
        "/a/..//",
    ] {
        let mut path = String::from("/s");
        while path.len() + piece.len() <= 8192 {
            path.push_str(piece);
        }
        let took = || {
            let start = std::time::Instant::now();
            let _ = router.find(None, path.as_bytes(), "GET");
            start.elapsed().as_millis()
        };
        // The least of some: what else the machine does can only add to it.
        let least = (0..30).map(|_| took()).find(|took| *took < 150);
        assert!(least.is_some(), "{piece}");
    }
}
