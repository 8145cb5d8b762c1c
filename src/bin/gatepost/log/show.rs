//! `gatepost log show`: the lines of one decision, explained.

use std::path::Path;

use gatepost::decision::Id;
use gatepost::event::Member;
use serde_json::{Value, json};

use super::files::{self, Backwards};
use super::record::{Record, happened};
use crate::output::{self, Failure, Outcome};

/// Looks for the id, in the newest file first, and explains what it finds.
pub fn run(id: &str, file: &Path, policy: &Path, json: bool) -> Outcome {
    if !Id::is_possible(id.as_bytes()) {
        return Err(Failure::new(format!(
            "{} is no id of a decision: copy it whole from the refusal, where it looks like 5f3c0a9be2d1c478-42, or is \
             the request's own, of at most {} printable ASCII characters without spaces",
            output::visible(&format!("{id:?}")),
            Id::LONGEST
        )));
    }
    let mut looked = files::all(file);
    looked.reverse();
    if looked.is_empty() {
        return Err(Failure::new(format!(
            "{} is not there: the server makes it when it starts; is {} the policy that it runs with?",
            file.display(),
            policy.display()
        )));
    }
    let mut found = Vec::new();
    for path in &looked {
        found = search(path, id).map_err(|error| super::unreadable(path, &error))?;
        if !found.is_empty() {
            break;
        }
    }
    if found.is_empty() {
        let packed = match files::packed(file) {
            0 => String::new(),
            count => format!("; {count} packed files were not looked into: unpack one and name it with --file"),
        };
        return Err(Failure::new(format!(
            "no decision {} in {} of {}{packed}; a line is written up to a second after its decision: try again; requests that were let in are there only as `allowed` under [events] says",
            output::visible(id),
            if looked.len() == 1 { "the file".to_owned() } else { format!("the {} files", looked.len()) },
            file.display()
        )));
    }
    if json {
        output::print_json(&found.iter().map(explained).collect::<Value>())?;
    } else {
        let texts: Vec<String> = found.iter().map(Record::in_full).collect();
        output::print(&texts.join("\n"))?;
    }
    Ok(output::DONE)
}

/// The lines of this id, oldest first.
fn search(path: &Path, id: &str) -> std::io::Result<Vec<Record>> {
    // Quotes within values are escaped, so that this stands nowhere but in the member itself.
    let needle = format!("\"{}\":{}", Member::Id.name(), Value::from(id));
    let mut found = Vec::new();
    for line in Backwards::open(path)?.0 {
        let line = line?;
        if std::str::from_utf8(&line).is_ok_and(|text| text.contains(&needle))
            && let Some(record) = Record::read(&line).filter(|record| record.text(Member::Id) == Some(id))
        {
            found.push(record);
        }
    }
    found.reverse();
    Ok(found)
}

fn explained(record: &Record) -> Value {
    let reason = record.reason();
    json!({
        "event": record.to_json(),
        "person": reason.map(happened),
        "operator": reason.map(|reason| reason.operator()),
    })
}
