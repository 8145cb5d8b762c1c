//! Keys of issuers that change while decisions use them: looked after by housekeeping, told of like everything else.

use crate::engine::process::Process;
use crate::engine::snapshot::Snapshot;
use crate::error::{Error, ErrorKind};
use crate::event::{Kind, Member};
use crate::keeper::{News, Room, What};
use crate::metrics::{IssuerKeys, Refresh};
use crate::policy::Policy;
use crate::policy::model::Issuer;

/// Somebody can fetch what the policy wants fetched.
pub(super) fn can_fetch(policy: &Policy, can: bool) -> Result<(), Error> {
    match policy.issuers.iter().find(|issuer| issuer.is_online()) {
        Some(issuer) if !can => Err(Error::new(
            ErrorKind::Policy,
            format!(
                "the keys of issuer {} are to be fetched, and this build of Gatepost does not do that by itself; let the \
                 host fetch them (on_fetch of its options), name a file of them with `file`, or build with the feature \
                 `https`",
                issuer.name
            ),
        )),
        _ => Ok(()),
    }
}

/// Takes over what is known before the first look. Asks nobody but the state.
pub(super) fn begin(snapshot: &Snapshot, process: &Process, before: Option<&Snapshot>, now: i64) -> Result<(), Error> {
    let before = before.map(|before| (&before.keeper, &before.keys));
    snapshot.keeper.begin(&room(snapshot, process, now), before)
}

/// Looks at the sources of keys, and tells of what is new; may block.
pub(super) fn look(snapshot: &Snapshot, process: &Process, now: i64) {
    let room = room(snapshot, process, now);
    let looked = snapshot.keeper.look(&room, |news| tell(snapshot, &news));
    if let (Err(error), Some(telling)) = (looked, &snapshot.telling) {
        telling.teller.state_failed(&snapshot.policy, &error);
    }
}

/// Takes away keys that are too old to be believed. Quick.
pub(super) fn expire(snapshot: &Snapshot, process: &Process, now: i64) {
    snapshot.keeper.expire(&room(snapshot, process, now), |news| tell(snapshot, &news));
}

/// Fetches what is missing, for this process alone; what went wrong.
pub(super) fn fetch_alone(snapshot: &Snapshot, process: &Process, now: i64) -> Vec<String> {
    snapshot.keeper.fetch_alone(&room(snapshot, process, now))
}

/// The keys of each issuer, for the counters.
pub(super) fn counted(snapshot: &Snapshot, process: &Process, now: i64) -> Vec<IssuerKeys> {
    let ages = snapshot.keeper.ages(&room(snapshot, process, now));
    let issuers = snapshot.policy.issuers.iter().enumerate();
    let of = |(index, issuer): (usize, &Issuer)| IssuerKeys {
        name: issuer.name.clone(),
        keys: snapshot.keys.held(index).map_or(0, |held| held.keys.len()),
        age: ages.iter().filter(|(of, _)| *of == index).map(|(_, age)| *age).max(),
    };
    issuers.map(of).collect()
}

fn room<'a>(snapshot: &'a Snapshot, process: &'a Process, now: i64) -> Room<'a> {
    Room { policy: &snapshot.policy, ring: &snapshot.keys, state: process.state.as_ref(), now }
}

fn tell(snapshot: &Snapshot, news: &News) {
    let Some(telling) = &snapshot.telling else { return };
    let (kind, refresh) = match &news.what {
        What::Changed { .. } => (Some(Kind::KeysChanged), Some(Refresh::Changed)),
        What::Warned(_) => (Some(Kind::KeysWarning), None),
        What::Same => (None, Some(Refresh::Same)),
        What::Recovered => (Some(Kind::KeysRecovered), Some(Refresh::Same)),
        What::Failed(_) => (Some(Kind::KeysFailed), Some(Refresh::Failed)),
        What::Expired(_) => (Some(Kind::KeysExpired), None),
    };
    refresh.into_iter().for_each(|refresh| telling.teller.metrics.refreshed(refresh));
    let Some(kind) = kind else { return };
    let issuer = snapshot.policy.issuers.get(news.issuer).map_or("", |issuer| issuer.issuer.as_str());
    let mut line = telling.teller.line(kind, &snapshot.policy);
    line.text(Member::Issuer, issuer).text(Member::Source, &news.source);
    match &news.what {
        What::Changed { added, removed } => {
            line.texts(Member::Added, added.iter().map(String::as_str))
                .texts(Member::Removed, removed.iter().map(String::as_str));
        }
        What::Failed(why) | What::Expired(why) | What::Warned(why) => {
            line.text(Member::Message, why);
        }
        What::Same | What::Recovered => {}
    }
    telling.teller.note(kind, line);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_policy_whose_keys_nobody_can_fetch_does_not_start() {
        let text = "[[issuer]]\nname = \"accounts\"\nissuer = \"https://a.example\"\naudience = \"orders\"\n\
                    algorithms = \"ES256\"\nkeys = { discovery = true }\n[[route]]\npath = \"/\"\nschemes = \"bearer\"\n";
        let online = crate::policy::parse(text, Path::new("gatepost.toml"), Path::new(".")).unwrap().policy;
        let error = can_fetch(&online, false).unwrap_err();
        assert!(error.message().contains("accounts") && error.message().contains("on_fetch"), "{error}");
        can_fetch(&online, true).unwrap();
        let text = "[[route]]\npath = \"/\"\naccess = \"public\"\n";
        let offline = crate::policy::parse(text, Path::new("gatepost.toml"), Path::new(".")).unwrap().policy;
        can_fetch(&offline, false).unwrap();
    }
}
