//! The counters as OpenMetrics text (OpenMetrics 1.0, which Prometheus and its kin read).

use std::fmt::Write;
use std::sync::atomic::Ordering;

use super::{Metrics, Refresh, RouteCounts, SCHEMES};
use crate::identity::Scheme;
use crate::reason::Reason;

/// What a server sends it as.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is not counted here but read at the moment that the text is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment<'a> {
    /// Which policy is in force.
    pub generation: u64,
    /// Lines of the journal that were written.
    pub events_written: u64,
    /// Lines that were lost.
    pub events_lost: u64,
    /// Lines that wait.
    pub events_waiting: u64,
    /// The keys of issuers.
    pub issuers: &'a [IssuerKeys],
}

/// The keys of one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerKeys {
    /// The operator's name for it.
    pub name: String,
    /// How many there are.
    pub keys: usize,
    /// Seconds since they were last confirmed, by the address that was silent longest; `None`: none is asked, or none has
    /// answered.
    pub age: Option<i64>,
}

impl Metrics {
    /// All of it as text. Deciders are not held up; what they count meanwhile may or may not be in.
    pub fn text(&self, moment: Moment<'_>) -> String {
        let mut out = Text(String::with_capacity(8 * 1024));
        out.family("gatepost_build", "info", "", "The release of the library.");
        out.sample("gatepost_build_info", &[("version", env!("CARGO_PKG_VERSION"))], "1");

        out.family(
            "gatepost_decisions",
            "counter",
            "",
            "Decisions, by reason and by the scheme that was used or tried.",
        );
        for (index, reason) in Reason::ALL.iter().enumerate() {
            for scheme in 0..SCHEMES {
                let count = self.decisions.sum(index * SCHEMES + scheme);
                let name = scheme.checked_sub(1).and_then(|at| Scheme::ALL.get(at)).map_or("none", |s| s.name());
                if count > 0 {
                    let labels = [("reason", reason.name()), ("scheme", name)];
                    out.sample("gatepost_decisions_total", &labels, &count.to_string());
                }
            }
        }

        out.family(
            "gatepost_route_decisions",
            "counter",
            "",
            "Decisions, by the pattern of the route that matched and by reason.",
        );
        let routes = {
            let routes = self.routes();
            routes.by_label.values().chain(&routes.rest).cloned().collect::<Vec<_>>()
        };
        for route in &routes {
            out.route(route);
        }

        let help =
            "Bearer tokens that were right: known from before by all their bytes, or verified by their signature.";
        out.family("gatepost_tokens", "counter", "", help);
        for (index, how) in ["remembered", "verified"].iter().enumerate() {
            out.sample("gatepost_tokens_total", &[("how", how)], &self.tokens.sum(index).to_string());
        }

        let hashing = &self.hashing;
        out.family("gatepost_hashing_jobs", "gauge", "", "Passwords that wait to be checked or are being checked.");
        for (state, gauge) in [("waiting", &hashing.waiting), ("running", &hashing.running)] {
            out.sample("gatepost_hashing_jobs", &[("state", state)], &gauge.load(Ordering::Relaxed).max(0).to_string());
        }
        out.counter(
            "gatepost_hashing_refused",
            "Passwords that were not checked for want of memory or room in the queue.",
            hashing.refused.load(Ordering::Relaxed),
        );
        out.family("gatepost_hashing_seconds", "summary", "seconds", "How long checking a password took.");
        let (whole, micro) = {
            let micro = hashing.microseconds.load(Ordering::Relaxed);
            (micro / 1_000_000, micro % 1_000_000)
        };
        out.sample("gatepost_hashing_seconds_count", &[], &hashing.done.load(Ordering::Relaxed).to_string());
        out.sample("gatepost_hashing_seconds_sum", &[], &format!("{whole}.{micro:06}"));

        out.counter(
            "gatepost_events_written",
            "Lines that were written to the events file or to stderr.",
            moment.events_written,
        );
        out.counter(
            "gatepost_events_lost",
            "Lines that were lost, because the file could not be written or the queue was full.",
            moment.events_lost,
        );
        out.gauge("gatepost_events_waiting", "Lines that wait to be written.", moment.events_waiting);
        out.counter(
            "gatepost_state_failures",
            "Times that housekeeping could not write to the state; requests that failed so are among the decisions.",
            self.state_failures.load(Ordering::Relaxed),
        );
        out.family("gatepost_issuer_keys", "gauge", "", "Keys of an issuer that are in force.");
        for of in moment.issuers {
            out.sample("gatepost_issuer_keys", &[("issuer", &of.name)], &of.keys.to_string());
        }
        let help = "Seconds since the keys of an issuer that is asked for them were last confirmed.";
        out.family("gatepost_issuer_keys_age_seconds", "gauge", "seconds", help);
        for of in moment.issuers {
            if let Some(age) = of.age {
                out.sample("gatepost_issuer_keys_age_seconds", &[("issuer", &of.name)], &age.to_string());
            }
        }
        out.family(
            "gatepost_key_refreshes",
            "counter",
            "",
            "Attempts to read keys of issuers anew, by what came of them.",
        );
        for (what, count) in Refresh::ALL.iter().zip(&self.refreshes) {
            let count = count.load(Ordering::Relaxed).to_string();
            out.sample("gatepost_key_refreshes_total", &[("result", what.name())], &count);
        }
        out.gauge(
            "gatepost_policy_generation",
            "Which policy is in force: 1 for the first, one more after each reload.",
            moment.generation,
        );
        out.family("gatepost_policy_reloads", "counter", "", "Reloads, by whether the policy loaded.");
        for (result, count) in [("ok", &self.reloads), ("failed", &self.reloads_failed)] {
            out.sample(
                "gatepost_policy_reloads_total",
                &[("result", result)],
                &count.load(Ordering::Relaxed).to_string(),
            );
        }
        out.family("gatepost_uptime_seconds", "gauge", "seconds", "Seconds since this process started the engine.");
        out.sample("gatepost_uptime_seconds", &[], &format!("{:.3}", self.started.elapsed().as_secs_f64()));
        out.0.push_str("# EOF\n");
        out.0
    }
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, unit: &str, help: &str) {
        let _ = writeln!(self.0, "# TYPE {name} {kind}");
        if !unit.is_empty() {
            let _ = writeln!(self.0, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.0, "# HELP {name} {help}");
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", "", help);
        self.sample(&format!("{name}_total"), &[], &value.to_string());
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", "", help);
        self.sample(name, &[], &value.to_string());
    }

    fn route(&mut self, route: &RouteCounts) {
        for (index, reason) in Reason::ALL.iter().enumerate() {
            let count = route.counts.sum(index);
            if count > 0 {
                let labels = [("route", route.label.as_str()), ("reason", reason.name())];
                self.sample("gatepost_route_decisions_total", &labels, &count.to_string());
            }
        }
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.0.push_str(name);
        for (index, (label, value)) in labels.iter().enumerate() {
            self.0.push_str(if index == 0 { "{" } else { "," });
            let _ = write!(self.0, "{label}=\"");
            for c in value.chars() {
                match c {
                    '"' => self.0.push_str("\\\""),
                    '\\' => self.0.push_str("\\\\"),
                    '\n' => self.0.push_str("\\n"),
                    c => self.0.push(c),
                }
            }
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }
}
