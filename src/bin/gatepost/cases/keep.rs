//! Under which names what a step brings forth is kept: all of it, or members of what its command prints with `--json`.

use serde_json::Value;

use super::format;
use super::json::{self, Members};
use super::matcher::{Names, Saved};

/// The names.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    whole: Option<String>,
    /// (name, path).
    parts: Vec<(String, Vec<String>)>,
}

impl Kept {
    /// Reads `"NAME"` or `{"NAME": "json:a.b"}`, where there is one.
    pub fn read(members: &mut Members<'_>, member: &'static str, names: &mut Names) -> Result<Kept, String> {
        let place = members.at(member);
        let mut kept = Kept::default();
        match members.get(member) {
            None => {}
            Some(Value::Object(parts)) => {
                for (name, path) in parts {
                    let path = json::string(path, &place)?;
                    let Some(path) = path.strip_prefix("json:").filter(|path| !path.is_empty()) else {
                        return Err(format!("{place}: {path:?} names no part of what a step prints: write json:a.b"));
                    };
                    kept.parts.push((name.clone(), path.split('.').map(str::to_owned).collect()));
                }
            }
            Some(value) => kept.whole = Some(json::string(value, &place)?.to_owned()),
        }
        for name in kept.whole.iter().chain(kept.parts.iter().map(|(name, _)| name)) {
            format::check_name(name, &place)?;
            names.insert(name.clone());
        }
        Ok(kept)
    }

    /// Keeps what is asked for. What is not there is not kept, and whatever needs it fails.
    pub fn put(&self, whole: &str, printed: impl FnOnce() -> Value, saved: &mut Saved) {
        saved.extend(self.whole.iter().map(|name| (name.clone(), whole.as_bytes().to_vec())));
        if !self.parts.is_empty() {
            let printed = printed();
            let found = self.parts.iter().filter_map(|(name, path)| Some((name.clone(), text_at(&printed, path)?)));
            saved.extend(found.map(|(name, text)| (name, text.into_bytes())));
        }
    }
}

/// The member at this path, as text; what is no text as it is written in JSON.
pub fn text_at(value: &Value, path: &[String]) -> Option<String> {
    let member = path.iter().try_fold(value, |value, name| value.get(name))?;
    Some(member.as_str().map_or_else(|| member.to_string(), str::to_owned))
}
