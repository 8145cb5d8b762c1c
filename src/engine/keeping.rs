//! Keys of issuers that change while decisions use them: looked after by housekeeping, told of like everything else.

use crate::engine::snapshot::Snapshot;
use crate::event::{Kind, Member};
use crate::keeper::{News, What};
use crate::metrics::Refresh;

/// Looks at the sources of keys, and tells of what is new; may block.
pub(super) fn look(snapshot: &Snapshot) {
    snapshot.keeper.look(&snapshot.policy, &snapshot.keys, |news| tell(snapshot, &news));
}

fn tell(snapshot: &Snapshot, news: &News) {
    let Some(telling) = &snapshot.telling else { return };
    let (kind, refresh) = match &news.what {
        What::Changed { .. } => (Kind::KeysChanged, Refresh::Changed),
        What::Failed(_) => (Kind::KeysFailed, Refresh::Failed),
        What::Recovered => (Kind::KeysRecovered, Refresh::Same),
    };
    telling.teller.metrics.refreshed(refresh);
    let issuer = snapshot.policy.issuers.get(news.issuer).map_or("", |issuer| issuer.issuer.as_str());
    let mut line = telling.teller.line(kind, &snapshot.policy);
    line.text(Member::Issuer, issuer).text(Member::Source, &news.source);
    match &news.what {
        What::Changed { added, removed } => {
            line.texts(Member::Added, added.iter().map(String::as_str))
                .texts(Member::Removed, removed.iter().map(String::as_str));
        }
        What::Failed(why) => {
            line.text(Member::Message, why);
        }
        What::Recovered => {}
    }
    telling.teller.note(kind, line);
}
