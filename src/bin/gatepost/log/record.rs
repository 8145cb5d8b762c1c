//! One line, taken apart and told in words.

use gatepost::catalogue::{Language, sentences};
use gatepost::event::Member;
use gatepost::reason::Reason;
use owo_colors::Style;
use serde_json::{Map, Value};

use crate::output::{Stream, paint, visible};

/// A line that could be read.
pub struct Record {
    members: Map<String, Value>,
    /// As it stands in the file.
    pub line: String,
}

impl Record {
    /// `None` where it is no line of ours.
    pub fn read(line: &[u8]) -> Option<Record> {
        let line = std::str::from_utf8(line).ok()?;
        let members: Map<String, Value> = serde_json::from_str(line).ok()?;
        let is_ours = |member: Member| members.get(member.name()).is_some_and(Value::is_string);
        (is_ours(Member::Event) && is_ours(Member::Time)).then(|| Record { line: line.to_owned(), members })
    }

    /// A text member.
    pub fn text(&self, member: Member) -> Option<&str> {
        self.members.get(member.name()).and_then(Value::as_str)
    }

    /// A number.
    pub fn number(&self, member: Member) -> Option<u64> {
        self.members.get(member.name()).and_then(Value::as_u64)
    }

    fn flag(&self, member: Member) -> bool {
        self.members.get(member.name()) == Some(&Value::Bool(true))
    }

    /// It tells of a decision.
    pub fn is_decision(&self) -> bool {
        self.text(Member::Event) == Some("decision")
    }

    /// Its reason, where this version knows it.
    pub fn reason(&self) -> Option<Reason> {
        self.text(Member::Reason).and_then(Reason::from_name)
    }

    /// All of it, for machines.
    pub fn to_json(&self) -> Value {
        Value::Object(self.members.clone())
    }

    /// In one line, for a list.
    pub fn in_short(&self) -> String {
        let time = self.text(Member::Time).unwrap_or_default();
        let head = match self.is_decision() {
            true => {
                format!("{} {}", self.number(Member::Status).unwrap_or(0), self.text(Member::Reason).unwrap_or("?"))
            }
            false => self.text(Member::Event).unwrap_or("?").to_owned(),
        };
        let mut parts = Vec::new();
        if self.is_decision() {
            parts.extend(self.text(Member::Client).map(str::to_owned));
            parts.push(self.request());
            parts.push(self.who());
            parts.extend(self.text(Member::Saw).map(|saw| format!("({saw})")));
            parts.extend(self.text(Member::Id).map(|id| format!("id {id}")));
        } else {
            let told =
                [Member::Time, Member::Event, Member::Severity, Member::Engine, Member::Pid, Member::Seq, Member::Mac];
            let rest = self.members.iter().filter(|(name, _)| !told.iter().any(|member| member.name() == *name));
            parts.extend(rest.map(|(name, value)| format!("{name} {}", plain(value))));
        }
        parts.retain(|part| !part.is_empty());
        format!("{time}  {:<24}  {}", paint(Stream::Out, &head, self.style()), visible(&parts.join("  ")))
    }

    /// In full: what happened and what to check.
    pub fn in_full(&self) -> String {
        let bold = Style::new().bold();
        let head = match self.is_decision() {
            true => format!(
                "{} {} {}",
                self.text(Member::Action).unwrap_or("?"),
                self.number(Member::Status).unwrap_or(0),
                self.text(Member::Reason).unwrap_or("?")
            ),
            false => self.text(Member::Event).unwrap_or("?").to_owned(),
        };
        let mut out =
            format!("{}  {}\n", paint(Stream::Out, &head, self.style()), self.text(Member::Time).unwrap_or_default());
        let mut line = |label: &str, text: String| {
            if !text.is_empty() {
                out.push_str(&format!("  {label:<11} {}\n", visible(&text)));
            }
        };
        line("id", self.text(Member::Id).unwrap_or_default().to_owned());
        line("request", self.request());
        line("route", self.route());
        line("from", self.from());
        line("who", self.who());
        line("step", self.step());
        line("attempt", self.text(Member::Attempt).map(in_words).unwrap_or_default());
        line("credential", self.text(Member::Credential).unwrap_or_default().to_owned());
        line("policy", self.policy());
        if let Some(reason) = self.reason() {
            out.push_str(&format!(
                "\n{} {}\n{} {}\n",
                paint(Stream::Out, "What happened:", bold),
                happened(reason),
                paint(Stream::Out, "What to check:", bold),
                reason.operator()
            ));
        }
        out
    }

    fn request(&self) -> String {
        let place = self.text(Member::Route).map(|route| {
            format!("{}{route}", self.text(Member::RouteHost).or(self.text(Member::Host)).unwrap_or_default())
        });
        let place = place.or_else(|| self.text(Member::Host).map(|host| format!("{host} (no route)")));
        [self.text(Member::Method).map(str::to_owned), place].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn route(&self) -> String {
        match (self.text(Member::Route), self.number(Member::Line)) {
            (Some(route), Some(line)) => format!("{route}, line {line} of the policy that was in force"),
            _ => String::new(),
        }
    }

    fn from(&self) -> String {
        let Some(client) = self.text(Member::Client) else { return String::new() };
        let through = self.text(Member::Peer).map(|peer| format!(", through {peer}")).unwrap_or_default();
        let tls = if self.flag(Member::Tls) { ", over TLS" } else { "" };
        format!("{client}{through}{tls}")
    }

    fn who(&self) -> String {
        let by = self.text(Member::Scheme).map(|scheme| format!(" by {scheme}")).unwrap_or_default();
        match (self.text(Member::Subject), self.text(Member::Issuer), self.text(Member::User)) {
            (Some(subject), Some(issuer), _) => format!("{subject} of {issuer}{by}"),
            (Some(subject), None, _) => format!("{subject}{by}"),
            (None, _, Some(user)) => format!("somebody as {user}{by}"),
            _ if self.is_decision() => format!("nobody recognised{by}"),
            _ => String::new(),
        }
    }

    fn step(&self) -> String {
        match (self.text(Member::Step), self.text(Member::Saw)) {
            (Some(step), Some(saw)) => format!("{step} saw: {saw}"),
            _ => String::new(),
        }
    }

    fn policy(&self) -> String {
        let generation = self.number(Member::Generation).map(|generation| format!(", policy {generation} since start"));
        let engine = self.text(Member::Engine).unwrap_or_default();
        let pid = self.number(Member::Pid).map(|pid| format!(", process {pid}")).unwrap_or_default();
        format!("{engine}{pid}{}", generation.unwrap_or_default())
    }

    fn style(&self) -> Style {
        match self.text(Member::Severity) {
            Some("error") => Style::new().red().bold(),
            Some("warning") => Style::new().yellow().bold(),
            Some("notice") => Style::new().yellow(),
            _ => Style::new().green(),
        }
    }
}

/// To the operator a disabled account is one, though the person must not learn it.
pub fn happened(reason: Reason) -> String {
    let told = sentences(reason).whole(Language::English);
    if reason.shown() == reason {
        told
    } else {
        format!("The person was told the same as after a wrong password: {told}")
    }
}

fn in_words(attempt: &str) -> String {
    let meaning = match attempt {
        "path_confusion" => "a path that servers read in different ways",
        "two_credentials" => "more than one credential, of which only one might be looked at",
        "key_confusion" => "a token that asks for another algorithm than its key is for",
        "forgery" => "a token with a signature that is not its issuer's",
        "replay" => "a proof that was used before, or by another client",
        "cross_site" => "another site's page in the person's browser",
        "guessing" => "guessing a password or key",
        other => return other.to_owned(),
    };
    format!("{attempt}: {meaning}")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
