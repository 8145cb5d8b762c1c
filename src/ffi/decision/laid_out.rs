//! Lists in the form in which C reads them: an array that points into a text, each string with a NUL behind it.

use std::sync::OnceLock;

use super::super::kernel::Failure;
use super::super::types::*;
use crate::decision::{Common, HeaderEntry, List};

/// Strings with a NUL behind each, taken up one after the other.
pub(super) struct Cursor<'t>(pub(super) &'t [u8]);

impl Cursor<'_> {
    pub(super) fn string(&mut self, len: usize) -> gatepost_str {
        let ptr = self.0.as_ptr().cast();
        self.0 = self.0.get(len.saturating_add(1)..).unwrap_or_default();
        gatepost_str { ptr, len }
    }
}

/// What has a form in C that is made of its strings.
pub(super) trait Shape {
    type C: Copy + 'static;
    fn strings(&self, string: &mut impl FnMut(&[u8]));
    fn shape(&self, next: &mut impl FnMut(usize) -> gatepost_str) -> Self::C;
    /// What a flat decision's table says behind the lengths of the strings.
    fn mode(&self) -> Option<u32>;
}

impl Shape for HeaderEntry {
    type C = gatepost_header;

    fn strings(&self, string: &mut impl FnMut(&[u8])) {
        string(self.name.as_bytes());
        string(self.value.as_bytes());
    }

    fn shape(&self, next: &mut impl FnMut(usize) -> gatepost_str) -> gatepost_header {
        gatepost_header {
            name: next(self.name.len()),
            value: next(self.value.len()),
            mode: self.mode as u32,
            reserved: 0,
        }
    }

    fn mode(&self) -> Option<u32> {
        Some(self.mode as u32)
    }
}

impl Shape for String {
    type C = gatepost_str;

    fn strings(&self, string: &mut impl FnMut(&[u8])) {
        string(self.as_bytes());
    }

    fn shape(&self, next: &mut impl FnMut(usize) -> gatepost_str) -> gatepost_str {
        next(self.len())
    }

    fn mode(&self) -> Option<u32> {
        None
    }
}

/// A list that decisions share, in the form that C reads; the array points into the text.
struct LaidOut<C> {
    array: Box<[C]>,
    /// Kept for the array.
    _text: Box<[u8]>,
    sound: bool,
    /// Made when a flat decision first asks.
    flat: OnceLock<Flat>,
}

/// A list as a flat decision has it: what it adds to the table, and to the strings behind that.
pub(super) struct Flat {
    pub(super) numbers: Box<[u8]>,
    pub(super) strings: Box<[u8]>,
}

impl Flat {
    fn of<T: Shape>(items: &[T]) -> Flat {
        let (mut numbers, mut strings) = (Vec::new(), Vec::new());
        for item in items {
            item.strings(&mut |string| {
                numbers.extend(length(string.len()).to_ne_bytes());
                strings.extend_from_slice(string);
            });
            numbers.extend(item.mode().iter().flat_map(|mode| mode.to_ne_bytes()));
        }
        Flat { numbers: numbers.into(), strings: strings.into() }
    }
}

/// A length as a flat decision has it. One that is too long for that makes all of it too long.
pub(super) fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

// SAFETY: the pointers lead into its own text, which nobody changes.
unsafe impl<C> Send for LaidOut<C> {}
// SAFETY: as above.
unsafe impl<C> Sync for LaidOut<C> {}

impl<C: Copy> LaidOut<C> {
    fn of<T: Shape<C = C>>(items: &[T]) -> LaidOut<C> {
        let (mut text, mut strings) = (Vec::new(), 0_usize);
        for item in items {
            item.strings(&mut |string| {
                strings += 1;
                text.extend_from_slice(string);
                text.push(0);
            });
        }
        let text = text.into_boxed_slice();
        let mut next = Cursor(&text);
        let array = items.iter().map(|item| item.shape(&mut |length| next.string(length))).collect();
        LaidOut {
            array,
            sound: text.iter().filter(|byte| **byte == 0).count() == strings,
            _text: text,
            flat: OnceLock::new(),
        }
    }
}

/// Lists, shared or not.
pub(super) trait LayOut<T: Shape> {
    /// The array of a shared list, whose form is made where there is none yet; nothing for one that is its own.
    fn shared(&self) -> Result<(*const T::C, usize), Failure>;
    /// What one that is its own holds.
    fn own(&self) -> &[T];
    /// Ends one that is its own.
    fn forget_own(&mut self);
}

impl<T: Shape + 'static> LayOut<T> for List<T> {
    #[inline]
    fn shared(&self) -> Result<(*const T::C, usize), Failure> {
        if let List::Shared(shared) = self { common(shared).map(array) } else { Ok(array(&[])) }
    }

    #[inline]
    fn own(&self) -> &[T] {
        if let List::Own(list) = self { list } else { &[] }
    }

    fn forget_own(&mut self) {
        if let List::Own(list) = self {
            *list = Vec::new();
        }
    }
}

/// The array of a list that decisions share, made where there is none yet.
#[inline]
pub(super) fn common<T: Shape + 'static>(common: &Common<T>) -> Result<&[T::C], Failure> {
    let form: Option<&LaidOut<T::C>> = common.form(|items| LaidOut::of(items));
    form.filter(|form| form.sound).map(|form| &*form.array).ok_or_else(holds_nul)
}

/// A list that decisions share as a flat one has it, made where there is none yet.
#[inline]
pub(super) fn flattened<T: Shape + 'static>(common: &Common<T>) -> Result<&Flat, Failure> {
    let form: Option<&LaidOut<T::C>> = common.form(|items| LaidOut::of(items));
    let form = form.filter(|form| form.sound).ok_or_else(holds_nul)?;
    Ok(form.flat.get_or_init(|| Flat::of(common)))
}

/// NULL where there is nothing, which is what C expects of an empty array.
pub(super) fn array<C>(array: &[C]) -> (*const C, usize) {
    (if array.is_empty() { std::ptr::null() } else { array.as_ptr() }, array.len())
}

#[cold]
pub(super) fn holds_nul() -> Failure {
    Failure::new(GATEPOST_ERR_INTERNAL, "a string of the decision has a NUL inside")
}
