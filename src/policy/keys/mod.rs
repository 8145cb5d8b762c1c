//! The one table of keys: what a policy may hold, with types, defaults and meanings. The reader, `docs/POLICY.md` and
//! the JSON Schema all follow it; a key that is not here does not exist.

pub(super) mod form;
mod password;
mod requirement;
mod section;
mod signer;
mod source;

pub(super) use form::Form;
pub(super) use requirement::REQUIREMENT;
pub(super) use section::SECTIONS;

/// One table of the policy.
pub(super) struct Section {
    pub name: &'static str,
    /// `[[name]]` instead of `[name]`.
    pub many: bool,
    pub built: Built,
    pub about: &'static str,
    pub keys: &'static [Key],
}

impl Section {
    /// `[engine]` or `[[route]]`.
    pub fn header(&self) -> String {
        if self.many { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }
}

/// One key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub default: Default,
    pub built: Built,
    pub about: &'static str,
}

/// What holds where a key is left out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Default {
    /// It may not be left out.
    Required,
    /// Nothing; the text says what that means.
    Without(&'static str),
    /// This value, as it would be written.
    Is(&'static str),
}

/// Whether this version does what a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Built {
    Yes,
    /// Read and checked; a warning says that it does nothing yet.
    Later,
    /// The same, but whether it matters depends on other keys: a check of its own warns.
    LaterInContext,
}

/// What a value may be.
#[derive(Debug)]
pub(super) enum Kind {
    /// A string that is not empty, without control characters.
    Text,
    Flag,
    /// Only `false`.
    Off,
    /// Only `true`; the text says what to write instead of `false`.
    On(&'static str),
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// A duration from the first to the second, seconds.
    Duration(i64, i64),
    /// One of some words.
    OneOf(&'static [Choice]),
    /// A string of a certain form.
    Form(&'static Form),
    /// The same over several lines.
    Lines(&'static Form),
    /// One value or a list of at least so many.
    Many(&'static Kind, usize),
    /// A list of at least so many.
    List(&'static Kind, usize),
    Table(&'static [Key]),
    /// The first kind whose TOML type fits.
    Either(&'static [Kind]),
    /// A requirement: `authenticated`, or a table of [`REQUIREMENT`].
    Requirement,
    /// Any value that JSON has too.
    Any,
}

/// One word of a closed set.
#[derive(Debug)]
pub(super) struct Choice {
    pub word: &'static str,
    pub built: Built,
    pub about: &'static str,
}

/// Longest duration, seconds: a hundred years of 365 days.
pub(super) const LONGEST: i64 = 100 * 365 * 86_400;

impl Kind {
    /// What is wanted, as "a string", for messages and the documentation.
    pub fn wanted(&self) -> String {
        match self {
            Kind::Text => "a string".into(),
            Kind::Flag => "`true` or `false`".into(),
            Kind::Off => "`false`".into(),
            Kind::On(_) => "`true`".into(),
            Kind::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Kind::Duration(least, most) => match (duration_text(*least), duration_text(*most)) {
                (_, _) if *least == 0 && *most == LONGEST => "a duration".into(),
                (least, _) if *most == LONGEST => format!("a duration of at least {least}"),
                (least, most) => format!("a duration from {least} to {most}"),
            },
            Kind::OneOf(choices) => {
                format!("one of {}", choices.iter().map(|c| format!("`\"{}\"`", c.word)).collect::<Vec<_>>().join(", "))
            }
            Kind::Form(form) | Kind::Lines(form) => form.name.into(),
            Kind::Many(kind, _) => format!("{}, or a list of them", kind.wanted()),
            Kind::List(kind, _) => format!("a list, each {}", kind.wanted()),
            Kind::Table(_) => "a table".into(),
            Kind::Either(kinds) => kinds.iter().map(Kind::wanted).collect::<Vec<_>>().join(" or "),
            Kind::Requirement => "a requirement".into(),
            Kind::Any => "any value".into(),
        }
    }

    /// How such a value is written, for help.
    pub fn example(&self) -> String {
        match self {
            Kind::Text => "\"…\"".into(),
            Kind::Flag => "true".into(),
            Kind::Off => "false".into(),
            Kind::On(_) => "true".into(),
            Kind::Integer(least, _) => least.to_string(),
            Kind::Duration(least, most) => format!("\"{}\"", duration_text((*most).min(900).max(*least))),
            Kind::OneOf(choices) => format!("\"{}\"", choices.first().map_or("", |choice| choice.word)),
            Kind::Form(form) => format!("\"{}\"", form.example),
            Kind::Lines(form) => format!("'''{}'''", form.example),
            Kind::Many(kind, _) | Kind::List(kind, _) => format!("[{}]", kind.example()),
            Kind::Table(keys) => {
                let needed = keys.iter().filter(|key| matches!(key.default, Default::Required));
                let shown = |key: &Key| format!("{} = {}", key.name, key.kind.example());
                let needed: Vec<String> = needed.map(shown).collect();
                let first = keys.first().map(shown).unwrap_or_default();
                format!("{{ {} }}", if needed.is_empty() { first } else { needed.join(", ") })
            }
            Kind::Either(kinds) => kinds.iter().map(Kind::example).collect::<Vec<_>>().join(" or "),
            Kind::Requirement => "{ role = \"…\" }".into(),
            Kind::Any => "\"…\"".into(),
        }
    }
}

/// Seconds in the largest unit that fits: `15m`.
pub(super) fn duration_text(seconds: i64) -> String {
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60)] {
        if seconds != 0 && seconds % length == 0 {
            return format!("{}{unit}", seconds / length);
        }
    }
    format!("{seconds}s")
}

const fn key(name: &'static str, kind: Kind, default: Default, about: &'static str) -> Key {
    Key { name, kind, default, built: Built::Yes, about }
}

const fn choice(word: &'static str, about: &'static str) -> Choice {
    Choice { word, built: Built::Yes, about }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_key(keys: &'static [Key], visit: &mut dyn FnMut(&'static Key)) {
        for key in keys {
            visit(key);
            below(&key.kind, visit);
        }
    }

    fn below(kind: &'static Kind, visit: &mut dyn FnMut(&'static Key)) {
        match kind {
            Kind::Table(keys) => every_key(keys, visit),
            Kind::Many(kind, _) | Kind::List(kind, _) => below(kind, visit),
            Kind::Either(kinds) => kinds.iter().for_each(|kind| below(kind, visit)),
            _ => {}
        }
    }

    #[test]
    fn every_default_is_a_value_of_its_own_kind() {
        let mut seen = 0;
        for section in SECTIONS {
            every_key(section.keys, &mut |key| {
                assert!(key.about.ends_with('.'), "{} {}", section.name, key.name);
                let Default::Is(text) = key.default else { return };
                seen += 1;
                let mut report = crate::policy::report::Report::new(text, std::path::Path::new("default"));
                let node = crate::policy::tree::parse_value(text).unwrap();
                assert!(crate::policy::read::value(&mut report, &node, &key.kind, key.name, true).is_some());
                assert!(!report.has_errors(), "{} {}: {text}", section.name, key.name);
            });
        }
        assert!(seen > 30);
    }

    #[test]
    fn no_table_has_a_key_twice() {
        for section in SECTIONS {
            let mut names: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{}", section.name);
        }
    }

    #[test]
    fn durations_print_in_their_largest_unit() {
        for (seconds, text) in [(0, "0s"), (30, "30s"), (900, "15m"), (5400, "90m"), (43_200, "12h"), (86_400, "1d")] {
            assert_eq!(duration_text(seconds), text);
        }
    }
}
