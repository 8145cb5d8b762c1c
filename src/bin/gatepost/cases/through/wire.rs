//! The lines of the exchange: words between single spaces, in which every octet that is no visible ASCII character, and
//! `%`, is `%XX`.

use gatepost::decision::{Action, HeaderMode};
use gatepost::identity::Scheme;
use gatepost::reason::Reason;

use super::super::compare::Answer;
use super::super::here::{self, Asked};

/// A line: its first word as it is, the others encoded.
pub fn line(name: &str, words: &[&[u8]]) -> String {
    let mut text = name.to_owned();
    for word in words {
        text.push(' ');
        for &octet in *word {
            match octet {
                0x21..=0x7E if octet != b'%' => text.push(char::from(octet)),
                _ => text.push_str(&format!("%{octet:02X}")),
            }
        }
    }
    text
}

/// What follows the first word, for a person.
pub fn text_of(line: &str) -> String {
    let rest = line.split_once(' ').map_or("", |(_, rest)| rest);
    let words = rest.split(' ').map(|word| decoded(word).unwrap_or_else(|| word.as_bytes().to_vec()));
    let words: Vec<String> = words.map(|word| String::from_utf8_lossy(&word).into_owned()).collect();
    words.join(" ")
}

/// A request.
pub fn request(asked: &Asked, at: Option<i64>) -> Vec<String> {
    let mut lines = vec!["decide".to_owned()];
    lines.extend(at.map(|at| format!("at {at}")));
    let mut word = |name: &str, value: &[u8]| {
        if !value.is_empty() {
            lines.push(line(name, &[value]));
        }
    };
    word("method", &asked.method);
    word("target", &asked.target);
    word("host", &asked.host);
    word("peer", &asked.peer);
    word("id", &asked.id);
    word("cert", &asked.certificate);
    lines.extend(asked.tls.then(|| "tls".to_owned()));
    lines.extend(asked.cert_verified.then(|| "cert-verified".to_owned()));
    lines.extend(asked.fields.iter().map(|(name, value)| line("header", &[name, value])));
    if !asked.body.is_empty() {
        lines.push(line("body", &[&asked.body]));
    }
    lines
}

/// An answer to `asked`.
pub fn answer(lines: &[String], asked: &Asked) -> Result<Answer, String> {
    let mut seen = Seen::default();
    for text in lines {
        let mut words = text.split(' ');
        let name = words.next().unwrap_or_default();
        let words = words.map(decoded).collect::<Option<Vec<_>>>();
        let understood = words.and_then(|words| seen.take(name, &words));
        understood.ok_or_else(|| format!("no line of an answer: {text:?}"))?;
    }
    seen.into_answer(asked)
}

#[derive(Default)]
struct Seen {
    action: Option<Action>,
    status: Option<u16>,
    reason: Option<Reason>,
    subject: Option<String>,
    scheme: Option<Scheme>,
    response: Vec<(HeaderMode, String, Vec<u8>)>,
    upstream: Vec<(HeaderMode, String, Vec<u8>)>,
    received: Option<Vec<(String, Vec<u8>)>>,
    strip: Vec<String>,
    body: Vec<u8>,
    unseen: Vec<String>,
    by_server: bool,
}

impl Seen {
    /// Takes one line; `None`: it is none.
    fn take(&mut self, name: &str, words: &[Vec<u8>]) -> Option<()> {
        let text = |word: &Vec<u8>| String::from_utf8(word.clone()).ok();
        match (name, words) {
            ("action", [word]) => self.action = Some(action(&text(word)?)?),
            ("status", [word]) => self.status = Some(text(word)?.parse().ok()?),
            ("reason", [word]) => self.reason = Some(Reason::from_name(&text(word)?)?),
            ("subject", [word]) => self.subject = Some(text(word)?),
            ("scheme", [word]) => self.scheme = Some(Scheme::from_name(&text(word)?)?),
            ("response", [how, name, value]) => self.response.push((mode(how)?, text(name)?, value.clone())),
            ("upstream", [how, name, value]) => self.upstream.push((mode(how)?, text(name)?, value.clone())),
            ("received", [name, value]) => {
                self.received.get_or_insert_default().push((text(name)?, value.clone()));
            }
            ("strip", [word]) => self.strip.push(text(word)?),
            ("body", [word]) => self.body = word.clone(),
            ("unseen", [word]) => self.unseen.push(text(word)?),
            ("server", []) => self.by_server = true,
            _ => return None,
        }
        Some(())
    }

    fn into_answer(self, asked: &Asked) -> Result<Answer, String> {
        let hidden = |what: &str| self.by_server || self.unseen.iter().any(|unseen| unseen == what);
        let action = self.action.or(hidden("action").then_some(Action::Deny));
        let reason = self.reason.or(hidden("reason").then_some(Reason::Internal));
        let (Some(action), Some(status), Some(reason)) = (action, self.status, reason) else {
            return Err("the answer lacks its action, status or reason".to_owned());
        };
        let upstream = self.received.unwrap_or_else(|| here::sent_on(&asked.fields, &self.strip, &self.upstream));
        Ok(Answer {
            action,
            status,
            reason,
            subject: self.subject,
            scheme: self.scheme,
            headers: here::answered(&self.response),
            upstream,
            strip: self.strip,
            body: self.body,
            unseen: self.unseen,
            by_server: self.by_server,
        })
    }
}

fn action(name: &str) -> Option<Action> {
    [Action::Deny, Action::Allow, Action::Respond, Action::Pass].into_iter().find(|action| action.name() == name)
}

fn mode(word: &[u8]) -> Option<HeaderMode> {
    match word {
        b"set" => Some(HeaderMode::Set),
        b"append" => Some(HeaderMode::Append),
        b"set-if-absent" => Some(HeaderMode::SetIfAbsent),
        _ => None,
    }
}

fn decoded(word: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let [first, more @ ..] = rest {
        if *first == b'%' {
            let (digits, more) = more.split_at_checked(2)?;
            octets.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = more;
        } else {
            octets.push(*first);
            rest = more;
        }
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_comes_through_a_word() {
        let all: Vec<u8> = (0..=255).collect();
        let text = line("body", &[&all]);
        let (_, word) = text.split_once(' ').unwrap();
        assert!(word.bytes().all(|octet| (0x21..=0x7E).contains(&octet)), "{word}");
        assert_eq!(decoded(word).unwrap(), all);
        for broken in ["%", "%4", "%zz"] {
            assert_eq!(decoded(broken), None, "{broken}");
        }
    }

    #[test]
    fn an_answer_that_is_none_is_refused() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let good = "action DENY\nstatus 401\nreason credentials_missing\nresponse append WWW-Authenticate Basic%20x";
        let answer = answer(&lines(good), &Asked::default()).unwrap();
        assert_eq!((answer.action, answer.status), (Action::Deny, 401));
        assert_eq!(answer.headers, [("WWW-Authenticate".to_owned(), "Basic x".to_owned())]);
        for bad in ["", "action DENY\nstatus 401", "action MAYBE", "status 4x1", "reason none", "wisdom 1", "action"] {
            assert!(super::answer(&lines(bad), &Asked::default()).is_err(), "{bad}");
        }
        let hidden = "status 400\nserver";
        assert!(super::answer(&lines(hidden), &Asked::default()).unwrap().by_server);
    }
}
