//! Hosts of routes: one spelling for all spellings of a host.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Slip;
use crate::policy::report::quote;

/// Lower case, A-labels, no trailing dot; IPv6 in brackets.
pub(in crate::policy) fn normalise(text: &str) -> Result<String, Slip> {
    if let Some(rest) = text.strip_prefix('[') {
        return literal(text, rest);
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Err(Slip::new(format!("{} wants brackets", quote(text)), format!("write \"[{text}]\"")));
    }
    if let Some((name, port)) = text.rsplit_once(':') {
        return Err(if port.bytes().all(|b| b.is_ascii_digit()) {
            Slip::new(
                format!("{} names a port; a route holds for all ports of its host", quote(text)),
                format!("write \"{}\"", name.escape_debug()),
            )
        } else {
            not_a_host(text, "write the name alone, without scheme and path")
        });
    }
    if text.contains('*') {
        return Err(Slip::new(
            format!("{} is a pattern; a host is named in full", quote(text)),
            "write a route for each host, or leave `host` out for any",
        ));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Ok(address.to_string());
    }
    let name =
        idna::domain_to_ascii(name).map_err(|_| not_a_host(text, "write a host name, like \"admin.example.com\""))?;
    let sound = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    if name.len() > 253 || !name.split('.').all(sound) {
        return Err(not_a_host(text, "labels of letters, digits and `-`, joined by dots, like \"admin.example.com\""));
    }
    Ok(name)
}

fn literal(text: &str, rest: &str) -> Result<String, Slip> {
    let Some((inside, after)) = rest.split_once(']') else {
        return Err(not_a_host(text, "an IPv6 address ends with `]`"));
    };
    if after.starts_with(':') {
        return Err(Slip::new(
            format!("{} names a port; a route holds for all ports of its host", quote(text)),
            format!("write \"[{}]\"", inside.escape_debug()),
        ));
    }
    match inside.parse::<Ipv6Addr>() {
        Ok(address) if after.is_empty() => Ok(format!("[{address}]")),
        _ => Err(not_a_host(text, "an IPv6 address is written like \"[2001:db8::1]\"")),
    }
}

fn not_a_host(text: &str, help: &str) -> Slip {
    Slip::new(format!("{} is not a host", quote(text)), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_host_become_one() {
        for (text, wanted) in [
            ("Admin.Example.COM", "admin.example.com"),
            ("admin.example.com.", "admin.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:DB8:0::1]", "[2001:db8::1]"),
            ("my_service", "my_service"),
        ] {
            assert_eq!(normalise(text).ok().as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused_with_advice() {
        for text in [
            "example.com:80",
            "[::1]:80",
            "::1",
            "[::1",
            "[x]",
            "*.example.com",
            "https://example.com",
            "a b",
            "a..b",
            ".",
            "a/b",
            "exa mple",
            "..",
            "a@b",
        ] {
            let slip = normalise(text).err();
            assert!(slip.is_some_and(|slip| !slip.help.is_empty()), "{text}");
        }
    }
}
