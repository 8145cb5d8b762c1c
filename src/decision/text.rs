//! Text that decisions need again and again, without a copy for each.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Text that is fixed, or that many hold, or one's own. Reads like `str`.
#[derive(Clone)]
pub enum Text {
    /// Known when this was built.
    Fixed(&'static str),
    /// Prepared once, for many.
    Shared(Arc<str>),
    /// Made for this one.
    Own(String),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Fixed(text) => text,
            Text::Shared(text) => text,
            Text::Own(text) => text,
        }
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Text {
        Text::Fixed(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text::Own(text)
    }
}

impl From<Cow<'static, str>> for Text {
    fn from(text: Cow<'static, str>) -> Text {
        match text {
            Cow::Borrowed(text) => Text::Fixed(text),
            Cow::Owned(text) => Text::Own(text),
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_equal_whoever_holds_it() {
        let all = [Text::from("a"), Text::from("a".to_owned()), Text::Shared("a".into()), Cow::Borrowed("a").into()];
        for one in &all {
            assert!(all.iter().all(|other| one == other) && *one == "a" && *one != "b");
            assert_eq!((format!("{one}"), format!("{one:?}")), ("a".to_owned(), "\"a\"".to_owned()));
        }
    }
}
