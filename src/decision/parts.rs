//! What decisions are made of so that most of them need no memory of their own: lists that many decisions share, and an
//! id that lies in its place.

use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A list that decisions share, or one of this decision alone. Reads like a slice.
#[derive(Clone, Debug)]
pub enum List<T> {
    /// Prepared once, for many.
    Shared(Arc<[T]>),
    /// Made for this one.
    Own(Vec<T>),
}

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List::Own(Vec::new())
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            List::Shared(list) => list,
            List::Own(list) => list,
        }
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(list: Vec<T>) -> List<T> {
        List::Own(list)
    }
}

impl<T> From<&Arc<[T]>> for List<T> {
    fn from(list: &Arc<[T]>) -> List<T> {
        List::Shared(Arc::clone(list))
    }
}

impl<T: Clone> Extend<T> for List<T> {
    /// What was shared becomes its own, where there is anything to add.
    fn extend<I: IntoIterator<Item = T>>(&mut self, more: I) {
        let mut more = more.into_iter().peekable();
        if more.peek().is_none() {
            return;
        }
        if let List::Shared(list) = self {
            *self = List::Own(list.to_vec());
        }
        if let List::Own(list) = self {
            list.extend(more);
        }
    }
}

impl<'l, T> IntoIterator for &'l List<T> {
    type Item = &'l T;
    type IntoIter = std::slice::Iter<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &List<T>) -> bool {
        **self == **other
    }
}

/// The id of a decision: up to 128 octets of text.
#[derive(Clone)]
pub struct Id {
    length: u8,
    text: [u8; Id::LONGEST],
}

impl Id {
    /// The longest id, octets.
    pub const LONGEST: usize = 128;

    /// It as text.
    pub fn as_str(&self) -> &str {
        // Written from text only and never cut within a character.
        self.text.get(..usize::from(self.length)).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }
}

impl Default for Id {
    fn default() -> Id {
        Id { length: 0, text: [0; Id::LONGEST] }
    }
}

/// What does not fit whole is left out.
impl Write for Id {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let start = usize::from(self.length);
        let end = start.saturating_add(more.len());
        let place = self.text.get_mut(start..end).ok_or(fmt::Error)?;
        place.copy_from_slice(more.as_bytes());
        self.length = u8::try_from(end).map_err(|_| fmt::Error)?;
        Ok(())
    }
}

impl From<&str> for Id {
    /// Cut where it is too long.
    fn from(text: &str) -> Id {
        let mut id = Id::default();
        let mut end = text.len().min(Id::LONGEST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let _ = id.write_str(text.get(..end).unwrap_or_default());
        id
    }
}

impl Deref for Id {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Id) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Id {}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialEq<&str> for Id {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_list_becomes_its_own_only_where_something_is_added() {
        let shared: Arc<[u8]> = [1, 2].into();
        let mut list = List::from(&shared);
        list.extend([]);
        assert!(matches!(list, List::Shared(_)));
        list.extend([3]);
        assert_eq!(&*list, [1, 2, 3]);
        assert_eq!(&*shared, [1, 2]);
        assert_eq!(list, List::from(vec![1, 2, 3]));
        assert!(List::<u8>::default().is_empty());
    }

    #[test]
    fn an_id_holds_128_octets_and_never_a_part_of_a_character() {
        assert_eq!(Id::from("abc"), "abc");
        assert_eq!(Id::from("a".repeat(200).as_str()).len(), 128);
        assert_eq!(Id::from("\u{e9}".repeat(100).as_str()).len(), 128);
        assert_eq!(Id::from(format!("a{}", "\u{e9}".repeat(100)).as_str()).len(), 127);
        let mut id = Id::from("a".repeat(127).as_str());
        assert!(write!(id, "bc").is_err() && id.len() == 127 && write!(id, "b").is_ok());
        assert_eq!(format!("{id}").len(), 128);
        assert_eq!(format!("{:?}", Id::from("a\"")), "\"a\\\"\"");
    }
}
