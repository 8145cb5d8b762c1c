//! The sections of a policy text, each read by its table of keys. Knows nothing of what they mean together.

use std::collections::BTreeMap;

use crate::policy::keys::{Built, Default, SECTIONS, Section};
use crate::policy::read::{self, Fields};
use crate::policy::report::{Report, advise, listed, quote};
use crate::policy::tree::{Data, Entry};

/// All sections.
pub(super) struct Document {
    single: BTreeMap<&'static str, Fields>,
    many: BTreeMap<&'static str, Vec<Fields>>,
    written: Vec<&'static str>,
}

impl Document {
    pub fn read(report: &mut Report<'_>, entries: &[Entry]) -> Document {
        let mut document = Document { single: BTreeMap::new(), many: BTreeMap::new(), written: Vec::new() };
        for entry in entries {
            match SECTIONS.iter().find(|section| section.name == entry.key) {
                Some(section) => document.section(report, section, entry),
                None => unknown(report, entry),
            }
        }
        for section in SECTIONS.iter().filter(|section| !section.many) {
            let optional = section.keys.iter().all(|key| !matches!(key.default, Default::Required));
            if optional && !document.single.contains_key(section.name) {
                let fields = read::table(report, &[], &(0..0), section.keys, &section.header(), true);
                document.single.insert(section.name, fields);
            }
        }
        document
    }

    /// The section of this name, or its defaults; `None` where it is not written and has none.
    pub fn get(&self, name: &str) -> Option<&Fields> {
        self.single.get(name)
    }

    /// The file has this section.
    pub fn is_written(&self, name: &str) -> bool {
        self.written.contains(&name)
    }

    /// All sections of this name.
    pub fn all(&self, name: &str) -> &[Fields] {
        self.many.get(name).map_or(&[], Vec::as_slice)
    }

    fn section(&mut self, report: &mut Report<'_>, section: &'static Section, entry: &Entry) {
        self.written.push(section.name);
        let quiet = section.built != Built::Yes;
        let header = section.header();
        if quiet {
            let span = match &entry.value.data {
                Data::List(nodes) => nodes.first().map_or(&entry.key_span, |node| &node.span),
                _ => &entry.value.span,
            };
            read::not_built(report, span, &format!("`{header}`"));
        }
        let what = format!("`{header}`");
        match (&entry.value.data, section.many) {
            (Data::Table(entries), false) => {
                let fields = read::table(report, entries, &entry.value.span, section.keys, &what, quiet);
                self.single.insert(section.name, fields);
            }
            (Data::List(nodes), true) => {
                for node in nodes {
                    match &node.data {
                        Data::Table(entries) => {
                            let fields = read::table(report, entries, &node.span, section.keys, &what, quiet);
                            self.many.entry(section.name).or_default().push(fields);
                        }
                        other => report.error(
                            &node.span,
                            format!("`{}` cannot hold {}", section.name, other.describe()),
                            format!("write a section `{header}`"),
                        ),
                    }
                }
            }
            (Data::Table(_), true) => report.error(
                &entry.value.span,
                format!("`{}` can be there more than once and has two pairs of brackets", section.name),
                format!("write `{header}`"),
            ),
            (Data::List(_), false) => report.error(
                &entry.value.span,
                format!("`{}` is there only once and has one pair of brackets", section.name),
                format!("write `{header}`"),
            ),
            (other, _) => report.error(
                &entry.value.span,
                format!("`{}` cannot be {}", section.name, other.describe()),
                format!("write a section `{header}`"),
            ),
        }
    }
}

fn unknown(report: &mut Report<'_>, entry: &Entry) {
    let home = SECTIONS.iter().find(|section| section.keys.iter().any(|key| key.name == entry.key));
    let names = || SECTIONS.iter().map(|section| section.name);
    let is_section = matches!(entry.value.data, Data::Table(_) | Data::List(_));
    match home {
        Some(home) if !is_section || entry.key != "name" => report.mismatch(
            &entry.key_span,
            format!("{} stands outside of a section", quote(&entry.key)),
            format!("write it under `{}`", home.header()),
        ),
        _ => {
            let help = match advise(&entry.key, names()) {
                near if near.starts_with("did you mean") => near,
                _ => format!("the sections are {}", listed(names())),
            };
            report.mismatch(&entry.key_span, format!("there is no section {}", quote(&entry.key)), help);
        }
    }
}
