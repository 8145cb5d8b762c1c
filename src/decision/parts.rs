//! What decisions are made of so that most of them need no memory of their own: lists that many decisions share, and an
//! id that lies in its place.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// A list that decisions share, or one of this decision alone. Reads like a slice.
#[derive(Clone, Debug)]
pub enum List<T> {
    /// Prepared once, for many.
    Shared(Arc<Common<T>>),
    /// Made for this one.
    Own(Vec<T>),
}

/// A list that many decisions share. Whoever hands decisions on can keep with it, once, the form in which they do.
pub struct Common<T> {
    items: Box<[T]>,
    form: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl<T> Common<T> {
    /// The form that is kept, made where there is none yet; `None` where one of another type is kept.
    pub fn form<F: Any + Send + Sync>(&self, make: impl FnOnce(&[T]) -> F) -> Option<&F> {
        self.form.get_or_init(|| Box::new(make(&self.items))).downcast_ref()
    }
}

impl<T> Deref for Common<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> From<Vec<T>> for Common<T> {
    fn from(items: Vec<T>) -> Common<T> {
        Common { items: items.into(), form: OnceLock::new() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Common<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.items.fmt(f)
    }
}

impl<T> List<T> {
    /// One that its clones share.
    pub fn shared(items: Vec<T>) -> List<T> {
        List::Shared(Arc::new(items.into()))
    }
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

/// The id of a decision: up to 128 octets of text, in its place where it is no longer than what the engine draws itself
/// or what servers number their requests with.
#[derive(Clone)]
pub struct Id(Form);

#[derive(Clone)]
enum Form {
    /// The text has a NUL behind it and none inside.
    Short {
        length: u8,
        text: [u8; Id::IN_PLACE],
    },
    Long(Box<str>),
}

impl Id {
    /// The longest id, octets.
    pub const LONGEST: usize = 128;
    /// Room for one that needs no memory of its own, with the NUL behind it, octets.
    const IN_PLACE: usize = 46;

    /// It can be printed and searched for: only such are taken from a request.
    pub fn is_possible(text: &[u8]) -> bool {
        !text.is_empty() && text.len() <= Id::LONGEST && text.iter().all(u8::is_ascii_graphic)
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            // Written from text only and never cut within a character.
            Form::Short { .. } => std::str::from_utf8(self.as_bytes()).unwrap_or_default(),
            Form::Long(text) => text,
        }
    }

    /// Its octets, UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Short { length, text } => text.get(..usize::from(*length)).unwrap_or_default(),
            Form::Long(text) => text.as_bytes(),
        }
    }

    /// Its octets with the NUL that stands behind them, where they lie in their place.
    pub fn terminated(&self) -> Option<&[u8]> {
        match &self.0 {
            Form::Short { length, text } => text.get(..=usize::from(*length)),
            Form::Long(_) => None,
        }
    }

    /// The start of all ids of one origin, which must be ASCII without a NUL, and a number in decimal digits.
    pub fn numbered(start: &[u8; 17], mut number: u64) -> Id {
        let mut text = [0; Id::IN_PLACE];
        let mut end = start.len();
        let (head, digits) = text.split_at_mut(end);
        head.copy_from_slice(start);
        // At most twenty digits, from behind.
        let mut reversed = [0; 20];
        for (place, digit) in reversed.iter_mut().enumerate() {
            *digit = b'0' | (number % 10) as u8;
            number /= 10;
            if number == 0 {
                end = end.saturating_add(place).saturating_add(1);
                break;
            }
        }
        let count = end.saturating_sub(start.len());
        let forwards = reversed.get(..count).unwrap_or_default().iter().rev();
        digits.iter_mut().zip(forwards).for_each(|(to, digit)| *to = *digit);
        Id(Form::Short { length: u8::try_from(end).unwrap_or(0), text })
    }
}

impl Default for Id {
    fn default() -> Id {
        Id(Form::Short { length: 0, text: [0; Id::IN_PLACE] })
    }
}

impl From<&str> for Id {
    /// Cut where it is too long.
    fn from(text: &str) -> Id {
        let mut id = Id::default();
        let Form::Short { length, text: place } = &mut id.0 else { return id };
        let fits = text.len() < Id::IN_PLACE && !text.as_bytes().contains(&0);
        match (place.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(len)) if fits => {
                place.copy_from_slice(text.as_bytes());
                *length = len;
                id
            }
            _ => {
                let mut end = text.len().min(Id::LONGEST);
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                Id(Form::Long(text.get(..end).unwrap_or_default().into()))
            }
        }
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
        let shared = List::shared(vec![1, 2]);
        let mut list = shared.clone();
        list.extend([]);
        assert!(matches!(list, List::Shared(_)));
        list.extend([3]);
        assert_eq!(&*list, [1, 2, 3]);
        assert_eq!(&*shared, [1, 2]);
        assert_eq!(list, List::from(vec![1, 2, 3]));
        assert!(List::<u8>::default().is_empty());
    }

    #[test]
    fn a_form_is_made_once_and_found_as_what_it_is() {
        let common = Common::from(vec![1_u8, 2]);
        assert_eq!(common.form(|items| items.len()), Some(&2));
        assert_eq!(common.form(|_| 7_usize), Some(&2));
        assert_eq!(common.form(|_| "another"), None);
    }

    #[test]
    fn a_numbered_id_is_its_start_and_plain_digits() {
        let id = |number| Id::numbered(b"0123456789abcdef-", number);
        for number in [0, 1, 9, 10, 99, 1_000, u64::MAX] {
            assert_eq!(id(number).as_str(), format!("0123456789abcdef-{number}"));
        }
    }

    #[test]
    fn a_short_id_has_a_nul_behind_it_and_none_inside() {
        for length in 0..=Id::LONGEST {
            let id = Id::from("a".repeat(length).as_str());
            match id.terminated() {
                Some(all) => assert_eq!(all.split_last(), Some((&0, id.as_bytes()))),
                None => assert!(length >= Id::IN_PLACE),
            }
        }
        assert_eq!((Id::from("a\0b").terminated(), Id::from("a\0b").as_str()), (None, "a\0b"));
        assert_eq!(Id::numbered(b"0123456789abcdef-", 7).terminated(), Some(&b"0123456789abcdef-7\0"[..]));
        assert_eq!(Id::numbered(&[b'f'; 17], u64::MAX).terminated().map(<[u8]>::len), Some(17 + 20 + 1));
    }

    #[test]
    fn an_id_holds_128_octets_and_never_a_part_of_a_character() {
        assert_eq!(Id::from("abc"), "abc");
        assert_eq!(Id::from("a".repeat(200).as_str()).len(), 128);
        assert_eq!(Id::from("\u{e9}".repeat(100).as_str()).len(), 128);
        assert_eq!(Id::from(format!("a{}", "\u{e9}".repeat(100)).as_str()).len(), 127);
        for length in 0..=Id::LONGEST {
            let text = "a".repeat(length);
            assert_eq!((Id::from(text.as_str()), Id::from(text.as_str()).len()), (Id::from(&*text), length));
            assert_eq!(Id::from(text.as_str()).as_str(), text);
        }
        let id = Id::from("a".repeat(128).as_str());
        assert_eq!(format!("{id}").len(), 128);
        assert_eq!(format!("{:?}", Id::from("a\"")), "\"a\\\"\"");
    }
}
