//! Common passwords and what is made of them: `zxcvbn`'s lists and patterns.
//!
//! The estimate costs more than linear time and matches with backtracking, so it is given 32 characters at a time: of
//! a longer password the first and the last ones, which must both be weak. Nobody's own password is refused for a weak
//! beginning. What is one piece over and over is as weak as the piece, which a cut would hide. Copies of the password that it makes are not wiped.

use zeroize::Zeroizing;
use zxcvbn::matching::Match;
use zxcvbn::matching::patterns::MatchPattern as Pattern;

/// Characters that are looked at in one go: the worst ones cost about a tenth of a second.
const WINDOW: usize = 32;
/// With fewer guesses than these it is refused, whatever it is made of.
const FEW: u64 = 1_000_000;
/// With fewer than these it is refused where all of it is a known pattern. Eight random letters need as many.
const PATTERNS: u64 = 100_000_000;

/// What makes this password one of the first that are tried; `None`: nothing that is known here. `known`: words of
/// the service and the user, in lower case.
pub(super) fn weakness(password: &str, known: &[&str]) -> Option<String> {
    if let Some(piece) = repeated(password)
        && in_windows(&piece, known).is_some()
    {
        return Some("one short piece over and over".to_owned());
    }
    in_windows(password, known)
}

fn in_windows(password: &str, known: &[&str]) -> Option<String> {
    let length = password.chars().count();
    let first: Zeroizing<String> = Zeroizing::new(password.chars().take(WINDOW).collect());
    let what = weak(&first, known)?;
    if length > WINDOW {
        let last: Zeroizing<String> = Zeroizing::new(password.chars().skip(length.saturating_sub(WINDOW)).collect());
        weak(&last, known)?;
    }
    Some(what)
}

/// The shortest piece of which the password is at least two in a row, the last one perhaps cut short.
fn repeated(password: &str) -> Option<Zeroizing<String>> {
    let mut chars = Zeroizing::new(Vec::with_capacity(password.len()));
    chars.extend(password.chars());
    // Of each beginning, how long the longest shorter one is that it also ends with: linear in the length.
    let mut borders: Vec<usize> = Vec::with_capacity(chars.len());
    let mut border = 0_usize;
    for char in chars.iter().skip(1) {
        borders.push(border);
        while border > 0 && chars.get(border) != Some(char) {
            border = borders.get(border.saturating_sub(1)).copied().unwrap_or(0);
        }
        border = border.saturating_add(usize::from(chars.get(border) == Some(char)));
    }
    let period = chars.len().saturating_sub(border);
    (border >= period && period > 0).then(|| Zeroizing::new(chars.iter().take(period).collect()))
}

fn weak(part: &str, known: &[&str]) -> Option<String> {
    let estimate = zxcvbn::zxcvbn(part, known);
    let only_patterns = estimate.sequence().iter().all(|found| !matches!(found.pattern, Pattern::BruteForce));
    let weak = estimate.guesses() < FEW || (only_patterns && estimate.guesses() < PATTERNS);
    weak.then(|| describe(estimate.sequence()))
}

/// What it is, without saying any of it.
fn describe(sequence: &[Match]) -> String {
    let [only] = sequence else {
        return "put together from a few pieces that are tried first, such as common passwords, words, repeats, rows of \
                keys and dates"
            .to_owned();
    };
    match &only.pattern {
        Pattern::Dictionary(word) => {
            let list = match format!("{:?}", word.dictionary_name).as_str() {
                "Passwords" => "one of the most common passwords",
                "UserInputs" => "a word of this service or of the user's name",
                "FemaleNames" | "MaleNames" | "Surnames" => "a name",
                _ => "a single word of a dictionary",
            };
            let backwards = if word.reversed { ", written backwards" } else { "" };
            let replaced = if word.l33t { ", with signs for some letters" } else { "" };
            format!("{list}{backwards}{replaced}")
        }
        Pattern::Spatial(_) => "a row of neighbouring keys".to_owned(),
        Pattern::Repeat(_) => "one short piece over and over".to_owned(),
        Pattern::Sequence(_) => "a plain sequence of letters or digits".to_owned(),
        Pattern::Regex(_) | Pattern::Date(_) => "a date".to_owned(),
        Pattern::BruteForce => "short enough to be tried out".to_owned(),
    }
}
