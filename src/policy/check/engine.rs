//! `[engine] state`, `[paths]`, `[proxies]`, `[session]` and `[throttle]`.

use std::path::Path;

use crate::certificate::carried::Form;
use crate::policy::beside;
use crate::policy::model::{ForwardedHeader, Limit, PathRules, Proxies, SessionRules, StateLocation, ThrottleRules};
use crate::policy::network::Network;
use crate::policy::read::{Fields, Value};
use crate::policy::report::{Report, quote};

pub(super) fn state(report: &mut Report<'_>, engine: &Fields, folder: &Path) -> Option<StateLocation> {
    let text = engine.text("state")?;
    if text == ":memory:" {
        return Some(StateLocation::Memory);
    }
    if let Some((scheme, _)) = text.split_once("://") {
        let known = ["redis", "rediss", "postgres", "postgresql"].contains(&scheme);
        let message = if known {
            format!("state in {} is not built yet, and nothing works without its state", quote(scheme))
        } else {
            format!("there is no state of the kind {}", quote(scheme))
        };
        report.error(&engine.span("state"), message, "name a SQLite file, like \"gatepost.db\", or \":memory:\"");
        return None;
    }
    if text.ends_with('/') || beside(folder, text).is_dir() {
        report.error(
            &engine.span("state"),
            format!("{} is a folder", quote(text)),
            "name the file in it, like \"gatepost.db\"",
        );
        return None;
    }
    let path = beside(folder, text);
    if path.parent().is_some_and(|parent| !parent.as_os_str().is_empty() && !parent.is_dir()) {
        report.warning(
            &engine.span("state"),
            format!("the folder that {} should lie in is not there", quote(text)),
            "make it before the first start, for the user that the server runs as",
        );
    }
    Some(StateLocation::File(path))
}

pub(super) fn paths(fields: &Fields) -> PathRules {
    PathRules {
        separate_encoded_slash: fields.flag("separate_encoded_slash"),
        separate_encoded_backslash: fields.flag("separate_encoded_backslash"),
        keep_parameters: fields.flag("keep_parameters"),
        keep_empty_segments: fields.flag("keep_empty_segments"),
        resolve_dot_segments: fields.flag("resolve_dot_segments"),
        decode_once: fields.flag("decode_once"),
        case_sensitive: fields.flag("case_sensitive"),
    }
}

pub(super) fn proxies(report: &mut Report<'_>, fields: &Fields) -> Proxies {
    let mut trusted = Vec::new();
    let mut trust_unix = false;
    for (text, span) in fields.texts("trusted") {
        if text == "unix:" {
            trust_unix = true;
        } else if let Ok(range) = Network::parse(text) {
            if text.ends_with("/0") {
                report.warning(
                    span,
                    format!("{} trusts everybody: every client can choose its own address", quote(text)),
                    "name the addresses of your proxies alone",
                );
            }
            trusted.push(range);
        }
    }
    if trusted.is_empty() && !trust_unix && !fields.is_written("trusted") {
        for name in ["header", "scheme", "host", "certificate"].into_iter().filter(|name| fields.is_written(name)) {
            report.warning(
                &fields.span(name),
                format!("`{name}` is believed from nobody, because no proxy is trusted"),
                "add `trusted = [\"127.0.0.1/32\"]` with the addresses of your proxies",
            );
        }
    }
    if fields.is_written("certificate_form") && !fields.is_written("certificate") {
        report.warning(
            &fields.span("certificate_form"),
            "`certificate_form` has no effect without `certificate`",
            "add `certificate = \"Client-Cert\"` with the field that your proxy sets, or leave it out",
        );
    }
    Proxies {
        trusted,
        trust_unix,
        header: match fields.text("header") {
            Some("Forwarded") => ForwardedHeader::Forwarded,
            _ => ForwardedHeader::XForwardedFor,
        },
        scheme: fields.text("scheme").map(str::to_owned),
        host: fields.text("host").map(str::to_owned),
        certificate: fields.text("certificate").map(str::to_owned),
        certificate_form: match fields.text("certificate_form") {
            Some("escaped-pem") => Form::EscapedPem,
            _ => Form::Rfc9440,
        },
    }
}

pub(super) fn session(report: &mut Report<'_>, fields: &Fields) -> Option<SessionRules> {
    let (cookie, idle, absolute) = (fields.text("cookie")?, fields.number("idle")?, fields.number("absolute")?);
    if !cookie.starts_with("__Host-") {
        report.warning(
            &fields.span("cookie"),
            format!("the cookie {} has no `__Host-`: a neighbouring host, or plain HTTP, can plant it", quote(cookie)),
            format!("write \"__Host-{}\"", cookie.strip_prefix("__Secure-").unwrap_or(cookie)),
        );
    }
    if idle > absolute {
        report.warning(
            &fields.span("idle"),
            "`idle` is longer than `absolute` and never comes to pass",
            "write a shorter `idle` or a longer `absolute`",
        );
    }
    Some(SessionRules { cookie: cookie.to_owned(), idle, absolute })
}

pub(super) fn throttle(report: &mut Report<'_>, fields: &Fields) -> ThrottleRules {
    let mut limit = |name: &str| {
        if let Some(spot) = fields.get(name)
            && matches!(spot.value, Value::Flag(false))
        {
            report.warning(
                &spot.span,
                format!("the limit `{name}` is off: secrets can be guessed without end"),
                "write a high limit rather than none, like `{ failures = 100, per = \"15m\" }`",
            );
            return None;
        }
        let table = fields.table(name)?;
        let failures = u32::try_from(table.number("failures")?).ok()?;
        Some(Limit { failures, per: table.number("per")? })
    };
    ThrottleRules { account: limit("account"), address: limit("address"), prefix: limit("prefix"), pair: limit("pair") }
}
