//! Words that an attacker of this service tries first: its name, its hosts, those that the operator names, and the
//! user's own name.

use zeroize::Zeroizing;

/// A shorter word stands in too many good passwords by chance. The operator's own words may be shorter.
const SHORTEST: usize = 4;

/// The words of a name, in lower case: split where neither letter nor digit stands.
pub fn of_name(name: &str) -> Vec<String> {
    let words = name.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    // A number says nothing about the service.
    words.filter(|word| word.chars().count() >= SHORTEST && word.chars().any(char::is_alphabetic)).collect()
}

/// The words of a host name, without its last label: half of the world stands under it.
pub fn of_host(host: &str) -> Vec<String> {
    of_name(host.rsplit_once('.').map_or(host, |(front, _)| front))
}

/// The words of a user's canonical name, and the name as a whole where it is long enough.
pub fn of_user(name: &str) -> Vec<String> {
    let mut words = of_name(name);
    let whole = name.to_lowercase();
    if whole.chars().count() >= SHORTEST && !words.contains(&whole) {
        words.push(whole);
    }
    words
}

/// The longest of these words, in lower case, that stands in the password in whatever case.
pub fn inside<'w>(password: &str, words: impl Iterator<Item = &'w String>) -> Option<&'w str> {
    let password = Zeroizing::new(password.to_lowercase());
    words.map(String::as_str).filter(|word| password.contains(word)).max_by_key(|word| word.len())
}
