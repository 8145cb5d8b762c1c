//! Whether a request that carries an ambient credential came from the site itself (Fetch Metadata; RFC 6454).

use crate::reading::fields::Fields;
use crate::target::Host;

/// The request changes something, or opens a WebSocket, and another site caused it.
///
/// With neither `Sec-Fetch-Site` nor `Origin` it was not sent by a browser of this decade, and goes on.
pub fn is_cross_site(method: &str, fields: &Fields<'_>, tls: Option<bool>, host: Option<&Host<'_>>) -> bool {
    if is_safe(method) && !is_websocket(fields) {
        return false;
    }
    match fields.fetch_site.as_slice() {
        [] => {}
        [b"same-origin" | b"none"] => return false,
        _ => return true,
    }
    match fields.origin.as_slice() {
        [] => false,
        [origin] => !is_same_origin(origin, tls, host),
        _ => true,
    }
}

/// RFC 9110 section 9.2.1.
pub fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

fn is_websocket(fields: &Fields<'_>) -> bool {
    fields
        .upgrade
        .iter()
        .any(|value| value.split(|b| *b == b',').any(|p| p.trim_ascii().eq_ignore_ascii_case(b"websocket")))
}

fn is_same_origin(origin: &[u8], tls: Option<bool>, host: Option<&Host<'_>>) -> bool {
    let (Ok(origin), Some(tls), Some(host)) = (std::str::from_utf8(origin), tls, host) else { return false };
    let (scheme, default_port) = if tls { ("https", 443) } else { ("http", 80) };
    let Some(authority) = origin.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://")) else { return false };
    let Ok(authority) = Host::parse(authority.as_bytes()) else { return false };
    authority.name == host.name && authority.port.unwrap_or(default_port) == host.port.unwrap_or(default_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cross(method: &str, site: Option<&str>, origin: Option<&str>, upgrade: Option<&str>) -> bool {
        let mut fields = Fields::default();
        fields.fetch_site.extend(site.iter().map(|v| v.as_bytes()));
        fields.origin.extend(origin.iter().map(|v| v.as_bytes()));
        fields.upgrade.extend(upgrade.iter().map(|v| v.as_bytes()));
        is_cross_site(method, &fields, Some(true), Host::parse(b"orders.example.com").ok().as_ref())
    }

    #[test]
    fn unsafe_requests_must_come_from_the_site_itself() {
        assert!(!cross("POST", None, None, None), "no browser");
        assert!(
            !cross("POST", Some("same-origin"), Some("https://evil.example"), None),
            "Sec-Fetch-Site decides alone"
        );
        assert!(!cross("POST", Some("none"), None, None));
        assert!(cross("POST", Some("same-site"), None, None));
        assert!(cross("POST", Some("cross-site"), Some("https://orders.example.com"), None));
        assert!(!cross("POST", None, Some("https://orders.example.com"), None));
        assert!(!cross("POST", None, Some("https://orders.example.com:443"), None));
        for origin in [
            "http://orders.example.com",
            "https://orders.example.com:8443",
            "https://evil.example",
            "null",
            "",
            "https://orders.example.com.evil.example",
        ] {
            assert!(cross("POST", None, Some(origin), None), "{origin}");
        }
        assert!(!cross("GET", Some("cross-site"), None, None));
        assert!(cross("GET", Some("cross-site"), None, Some("WebSocket")));
        assert!(cross("DELETE", Some("cross-site"), None, None));
    }
}
