use proptest::prelude::*;

use super::*;

fn host(text: &str) -> Host<'_> {
    Host::parse(text.as_bytes()).unwrap()
}

fn path(method: &str, target: &str, host_field: &str) -> Option<String> {
    let host = host(host_field);
    parse(method, target.as_bytes(), Some(&host)).ok().map(|t| String::from_utf8(t.path.to_vec()).unwrap())
}

#[test]
fn origin_form_is_the_path_without_the_query() {
    for (target, wanted) in [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a?b", "/a"),
        ("/a?b?c=/d//e", "/a"),
        ("/?", "/"),
        ("/a%2Fb;x", "/a%2Fb;x"),
        ("/a//b", "/a//b"),
        ("/@+:,=~%20", "/@+:,=~%20"),
        ("/http://x", "/http://x"),
    ] {
        assert_eq!(path("GET", target, "h").as_deref(), Some(wanted), "{target}");
    }
}

#[test]
fn the_query_never_takes_part() {
    for target in ["/a?q=100%", "/a?q=%zz", "/a?a\\b", "/a?//", "/a?../..", "/a?%00", "/a?x=/public"] {
        assert_eq!(path("GET", target, "h").as_deref(), Some("/a"), "{target}");
    }
    assert!(parse("GET", b"/a?\xFF\xFE", None).is_ok());
}

/// CVE-2025-54576: a rule matched what the query holds.
#[test]
fn cve_2025_54576_query_is_no_path() {
    assert_eq!(path("GET", "/secret?x=/public", "h").as_deref(), Some("/secret"));
}

/// CVE-2021-32779, CVE-2023-47106, CVE-2026-41059.
#[test]
fn cve_2021_32779_fragment_in_the_target() {
    for target in ["/admin#x", "/public#/../admin", "/a?b#c", "#", "/#", "http://h/#x", "/a?#"] {
        assert_eq!(path("GET", target, "h"), None, "{target}");
    }
    assert_eq!(path("GET", "/a%23x", "h").as_deref(), Some("/a%23x"));
}

/// CVE-2026-26205, GHSA-x732-6j76-qmhm.
#[test]
fn cve_2026_26205_leading_double_slash() {
    for target in ["//admin", "//", "///", "//h/admin", "http://h//admin", "//?x"] {
        assert_eq!(path("GET", target, "h"), None, "{target}");
    }
    assert_eq!(path("GET", "/a?//", "h").as_deref(), Some("/a"));
}

/// CVE-2021-32637: a URI that cannot be read was let through.
#[test]
fn cve_2021_32637_malformed_targets() {
    for target in [
        "",
        "a",
        "a/b",
        "*",
        "**",
        "?",
        "?a",
        ".",
        "..",
        "h:80",
        "h",
        "ftp://h/",
        "http:/h/",
        "http:h",
        "http:",
        "http://",
        "https:///a",
        "javascript:x",
        "/ ",
        "/a b",
        "/\t",
        "/\n",
        "/a\r\nX: y",
        "/\0",
        "/\u{7f}",
        "/a\\b",
        "\\",
        "/\\h",
        "/%",
        "/%2",
        "/%g0",
        "/%0g",
        "/a%",
        "/%%32%46",
        "/a?b c",
        "/a?\u{1}",
        "/%u002f",
        " /a",
        "http://h\\@x/",
    ] {
        assert_eq!(path("GET", target, "h"), None, "{target:?}");
    }
}

#[test]
fn a_path_without_its_slash_is_told_what_it_lacks() {
    for target in ["orders/7", "a", "?a", "h:80"] {
        let why = parse("GET", target.as_bytes(), None).unwrap_err().explanation;
        assert!(why.contains("does not begin with \"/\""), "{target}: {why}");
    }
    assert!(parse("GET", b"/orders/7", None).is_ok());
    assert!(!parse("GET", b"/a b", None).unwrap_err().explanation.contains("begin"), "that is not what is wrong");
}

#[test]
fn the_asterisk_is_for_options() {
    let target = parse("OPTIONS", b"*", None).unwrap();
    assert!(target.asterisk);
    for method in ["GET", "options", ""] {
        assert!(parse(method, b"*", None).is_err());
    }
    assert!(parse("OPTIONS", b"*?x", None).is_err());
    assert!(!parse("OPTIONS", b"/*", None).unwrap().asterisk);
}

#[test]
fn an_absolute_form_names_the_host_of_the_request() {
    for (target, host, wanted) in [
        ("http://h", "h", "/"),
        ("http://h/", "h", "/"),
        ("http://h?a", "h", "/"),
        ("http://h/?a", "h", "/"),
        ("http://h/a?b", "h", "/a"),
        ("HTTP://H./a", "h", "/a"),
        ("https://h:443/a", "h", "/a"),
        ("http://h/a", "h:80", "/a"),
        ("http://h:80/a", "h", "/a"),
        ("http://h:/a", "h", "/a"),
        ("http://h:8080/a", "h:8080", "/a"),
        ("http://[::1]:8080/a", "[0:0::1]:8080", "/a"),
        ("http://bücher.example/a", "xn--bcher-kva.example", "/a"),
        ("http://h/a?x@y", "h", "/a"),
        ("http://h/@a", "h", "/@a"),
    ] {
        assert_eq!(path("GET", target, host).as_deref(), Some(wanted), "{target}");
    }
    for (target, host) in [
        ("http://x/a", "h"),
        ("http://h.x/a", "h"),
        ("http://h:8080/a", "h"),
        ("http://h/a", "h:8080"),
        ("http://h:443/a", "h"),
        ("https://h:80/a", "h"),
        ("http://h@h/a", "h"),
        ("http://@h/a", "h"),
        ("http://u:p@h/a", "h"),
        ("http://h%2Fx/a", "h"),
        ("http:///a", "h"),
        ("http://h:99999/a", "h"),
        ("http://h/%", "h"),
        ("http://h/a\\b", "h"),
        ("ws://h/a", "h"),
    ] {
        assert_eq!(path("GET", target, host), None, "{target}");
    }
    assert!(parse("GET", b"http://h/a", None).is_err());
    assert!(parse("GET", b"/a", None).is_ok());
}

/// GHSA-72h4-mxfc-jx37, CVE-2026-48794, CVE-2026-27588: hosts compared byte by byte.
#[test]
fn cve_2026_27588_host_in_one_spelling() {
    for (text, name, port) in [
        ("ADMIN.example.com", "admin.example.com", None),
        ("admin.example.com.", "admin.example.com", None),
        ("admin.example.com:8443", "admin.example.com", Some(8443)),
        ("admin.example.com.:80", "admin.example.com", Some(80)),
        ("admin.example.com:", "admin.example.com", None),
        ("bücher.example", "xn--bcher-kva.example", None),
        ("BÜCHER.example.", "xn--bcher-kva.example", None),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example", None),
        ("ａdmin.example", "admin.example", None),
        ("admin。example", "admin.example", None),
        ("192.0.2.7", "192.0.2.7", None),
        ("[2001:DB8:0::1]:443", "[2001:db8::1]", Some(443)),
        ("under_score", "under_score", None),
        ("-a-", "-a-", None),
    ] {
        assert_eq!(Host::parse(text.as_bytes()), Ok(Host { name: name.into(), port }), "{text}");
    }
}

#[test]
fn hosts_that_are_none_are_refused() {
    for text in [
        "",
        ".",
        "..",
        ":80",
        "a..b",
        ".a",
        "a..",
        "a b",
        " a",
        "a ",
        "a\t",
        "a\0",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "u@a",
        "a:b",
        "a:99999",
        "a:-1",
        "a:+1",
        "a: 1",
        "a:80:80",
        "::1",
        "[::1",
        "[]",
        "[::1]x",
        "[::1]:x",
        "[192.0.2.1]",
        "[fe80::1%25eth0]",
        "[v1.a]",
        "%61",
        "a%00",
        "a,b",
        "a;b",
        "a'b",
        "a\"b",
        "<a>",
        "a／b",
        "a％41",
        "ａ：80",
        "\u{AD}",
        "a。。b",
        "xn--\u{e4}",
    ] {
        assert!(Host::parse(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(Host::parse(b"a\xFF").is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(target in any::<Vec<u8>>(), name in any::<Vec<u8>>(), method in ".{0,8}") {
        let host = Host::parse(&name).ok();
        let _ = parse(&method, &target, host.as_ref());
        let mut origin = b"/".to_vec();
        origin.extend(&target);
        if let Ok(read) = parse(&method, &origin, host.as_ref()) {
            prop_assert!(read.path.starts_with(b"/") && origin.starts_with(read.path));
        }
        let mut absolute = b"http://".to_vec();
        absolute.extend(&name);
        absolute.extend(&origin);
        if let Ok(read) = parse(&method, &absolute, host.as_ref()) {
            prop_assert!(read.path.starts_with(b"/"));
        }
    }

    #[test]
    fn a_host_reads_the_same_again(text in "[a-zA-Z0-9äß._~:\\[\\]-]{1,20}") {
        if let Ok(host) = Host::parse(text.as_bytes()) {
            let written = host.to_string();
            prop_assert_eq!(Host::parse(written.as_bytes()), Ok(host));
        }
    }
}
