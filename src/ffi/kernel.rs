//! The floor of the C interface: panic guards, casts, ownership marks, structs that may grow. Nothing here knows what
//! the functions do; nothing outside dereferences a pointer that came from C.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::gatepost_error;
use super::os::broken_pipe;
use super::os::errno::Errno;
#[cfg(feature = "test-panic")]
use super::os::fault;
use super::types::*;
use crate::error::{Error, ErrorKind};

/// No struct of ours will ever be longer: a larger `struct_size` is memory that was never set.
const LARGEST_STRUCT: usize = 64 * 1024;

/// Why a call fails: its status, and the text for the error object where the call hands one out.
#[derive(Debug)]
pub(super) struct Failure {
    pub status: gatepost_status,
    pub error: Error,
}

impl Failure {
    /// Any status.
    pub fn new(status: gatepost_status, message: impl Into<String>) -> Failure {
        Failure { status, error: Error::new(ErrorKind::Input, message) }
    }

    /// The caller broke a rule of the header.
    pub fn argument(message: impl Into<String>) -> Failure {
        Failure::new(GATEPOST_ERR_INVALID_ARGUMENT, message)
    }

    /// The caller asks for what this release does not know.
    pub fn unsupported(message: impl Into<String>) -> Failure {
        Failure::new(GATEPOST_ERR_UNSUPPORTED, message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let status = match error.kind() {
            ErrorKind::Policy => GATEPOST_ERR_POLICY,
            ErrorKind::State => GATEPOST_ERR_STATE,
            ErrorKind::Input => GATEPOST_ERR_INVALID_ARGUMENT,
            ErrorKind::Conflict => GATEPOST_ERR_CONFLICT,
            ErrorKind::NotStarted => GATEPOST_ERR_NOT_STARTED,
            ErrorKind::Overloaded => GATEPOST_ERR_OVERLOADED,
            ErrorKind::Refused => GATEPOST_ERR_REFUSED,
            ErrorKind::System => GATEPOST_ERR_SYSTEM,
            ErrorKind::Internal => GATEPOST_ERR_INTERNAL,
        };
        Failure { status, error }
    }
}

/// Witness that a C caller vouches for the pointers of this call, by the rules at the head of the header: each is
/// NULL, or points to what the header says, which stays as it is until the call returns.
#[derive(Clone, Copy)]
pub(super) struct Caller<'call>(PhantomData<&'call ()>);

/// Runs the body of a getter; `fallback`, the value that refuses, where it fails or panics.
///
/// # Safety
/// The pointers that the body gives to [`Caller`] came from a caller who keeps to the rules of the header.
pub(super) unsafe fn guard<R>(fallback: R, body: impl for<'c> FnOnce(Caller<'c>) -> Result<R, Failure>) -> R {
    match contain(|| body(Caller(PhantomData))) {
        Ok(Ok(value)) => value,
        Ok(Err(_)) | Err(Panicked) => fallback,
    }
}

/// Runs the body of a call that answers a status.
///
/// # Safety
/// As [`guard`].
pub(super) unsafe fn guard_status(
    body: impl for<'c> FnOnce(Caller<'c>) -> Result<gatepost_status, Failure>,
) -> gatepost_status {
    match contain(|| body(Caller(PhantomData))) {
        Ok(Ok(status)) => status,
        Ok(Err(failure)) => failure.status,
        Err(Panicked) => GATEPOST_ERR_PANIC,
    }
}

/// Runs the body of a set-up call, which also hands out an error object where `error` is not NULL.
///
/// # Safety
/// As [`guard`]; `error` is NULL or may be written.
pub(super) unsafe fn guard_setup(
    error: *mut *mut gatepost_error,
    body: impl for<'c> FnOnce(Caller<'c>) -> Result<gatepost_status, Failure>,
) -> gatepost_status {
    let failure = match contain(|| body(Caller(PhantomData))) {
        Ok(Ok(status)) => return status,
        Ok(Err(failure)) => failure,
        Err(Panicked) => Failure::new(GATEPOST_ERR_PANIC, "a fault in the library ended this call; please report it"),
    };
    let status = failure.status;
    // Making the object may panic too (memory); the status stands either way.
    let _ = contain(|| {
        if let Ok(out) = Caller(PhantomData).out(error, "error") {
            out.set(gatepost_error::give(failure));
        }
    });
    status
}

/// An opaque type of the header, with what its pointers really point to.
pub(super) trait Opaque {
    /// What a handle holds.
    type Inner;
    /// The word in front of it that tells the types apart.
    const MARK: u64;
    /// For messages.
    const NAME: &'static str;
}

/// What a handle points to. The mark is cleared when it is freed: a handle of another type, and as far as can be told
/// one that was freed before, is an error instead of a crash.
#[repr(C)]
struct Marked<T> {
    mark: AtomicU64,
    value: T,
}

/// Moves a value into a handle that C owns until it calls the type's `_free`.
pub(super) fn give<O: Opaque>(value: O::Inner) -> *mut O {
    Box::into_raw(Box::new(Marked { mark: AtomicU64::new(O::MARK), value })).cast()
}

/// As [`give`], for a value that points into itself: `settle` sets those pointers, once it lies where it stays. `make`
/// writes it there, field by field, since it is large.
///
/// # Safety
/// `make` writes all of it.
#[inline(always)]
pub(super) unsafe fn give_settled<O: Opaque>(
    make: impl FnOnce(*mut O::Inner),
    settle: impl FnOnce(&mut O::Inner) -> Result<(), Failure>,
) -> Result<*mut O, Failure> {
    let mut marked = Box::<Marked<O::Inner>>::new_uninit();
    let place = marked.as_mut_ptr();
    // SAFETY: the place is ours, and both its fields are written.
    let mut marked = unsafe {
        (&raw mut (*place).mark).write(AtomicU64::new(O::MARK));
        make(&raw mut (*place).value);
        marked.assume_init()
    };
    settle(&mut marked.value)?;
    // Nobody else has it yet, and from here on it is only read until it is freed.
    Ok(Box::into_raw(marked).cast())
}

impl<'call> Caller<'call> {
    /// What a handle holds.
    pub fn look<O: Opaque>(self, handle: *const O) -> Result<&'call O::Inner, Failure> {
        let marked = self.marked(handle)?;
        if marked.mark.load(Ordering::Acquire) != O::MARK {
            return Err(wrong::<O>());
        }
        Ok(&marked.value)
    }

    fn reclaim<O: Opaque>(self, handle: *mut O) -> Result<Option<Box<Marked<O::Inner>>>, Failure> {
        if handle.is_null() {
            return Ok(None);
        }
        let marked = self.marked::<O>(handle)?;
        if marked.mark.compare_exchange(O::MARK, 0, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Err(wrong::<O>());
        }
        // SAFETY: the mark says that `give` made it with this type, and nobody else got to clear it.
        Ok(Some(unsafe { Box::from_raw(handle.cast::<Marked<O::Inner>>()) }))
    }

    /// Ends a handle and what it holds; NULL is nothing.
    pub fn end<O: Opaque>(self, handle: *mut O) -> Result<(), Failure> {
        self.reclaim(handle).map(drop)
    }

    /// Takes a handle back; `None` for NULL.
    pub fn take<O: Opaque>(self, handle: *mut O) -> Result<Option<O::Inner>, Failure> {
        Ok(self.reclaim(handle)?.map(|owned| owned.value))
    }

    fn marked<O: Opaque>(self, handle: *const O) -> Result<&'call Marked<O::Inner>, Failure> {
        let pointer = handle.cast::<Marked<O::Inner>>();
        if pointer.is_null() {
            return Err(missing(O::NAME));
        }
        if !pointer.is_aligned() {
            return Err(wrong::<O>());
        }
        // SAFETY: a handle of this header, by the caller's word; all of them begin with a mark, and only that is read
        // before it is known to be of this type.
        Ok(unsafe { &*pointer })
    }

    /// A place for an output, checked before any work is done.
    pub fn out<T>(self, place: *mut T, name: &str) -> Result<Out<'call, T>, Failure> {
        match NonNull::new(place) {
            Some(place) if place.is_aligned() => Ok(Out(place, PhantomData)),
            _ => Err(no_place(name)),
        }
    }

    /// Memory of the caller's to write to, aligned as `T` is; nothing is said of what it holds.
    #[inline]
    pub fn room<T>(self, place: *mut T, size: usize, name: &str) -> Result<&'call mut [MaybeUninit<u8>], Failure> {
        match NonNull::new(place) {
            Some(place) if place.is_aligned() && isize::try_from(size).is_ok() => {
                // SAFETY: not NULL, not longer than an object can be, and by the caller's word as long and his alone
                // during the call.
                Ok(unsafe { std::slice::from_raw_parts_mut(place.as_ptr().cast(), size) })
            }
            _ => Err(no_place(name)),
        }
    }

    /// Borrowed bytes.
    #[inline]
    pub fn bytes(self, text: gatepost_str, name: &str) -> Result<&'call [u8], Failure> {
        self.slice(text.ptr.cast::<u8>(), text.len, name)
    }

    /// A borrowed array.
    #[inline]
    pub fn slice<T: Plain>(self, pointer: *const T, count: usize, name: &str) -> Result<&'call [T], Failure> {
        if count == 0 {
            return Ok(&[]);
        }
        let fits = count.checked_mul(size_of::<T>()).is_some_and(|bytes| isize::try_from(bytes).is_ok());
        if pointer.is_null() || !pointer.is_aligned() || !fits {
            return Err(too_long(name, count));
        }
        // SAFETY: not NULL, aligned, not longer than an object can be, and the caller vouches for its contents.
        Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
    }

    /// Borrowed bytes, or `None` where [`Caller::bytes`] says what is wrong.
    #[inline(always)]
    pub fn sound_bytes(self, text: gatepost_str) -> Option<&'call [u8]> {
        if text.len == 0 {
            return Some(&[]);
        }
        if text.ptr.is_null() || text.len > isize::MAX.unsigned_abs() {
            return None;
        }
        // SAFETY: not NULL, not longer than an object can be, and the caller vouches for its contents.
        Some(unsafe { std::slice::from_raw_parts(text.ptr.cast(), text.len) })
    }

    /// A struct that may grow, where it lies or, a shorter one, completed with zeros in `room`. Else as
    /// [`Caller::sized`].
    #[inline(always)]
    pub fn sized_in<'r, T: Plain>(
        self,
        pointer: *const T,
        first: usize,
        name: &str,
        room: &'r mut MaybeUninit<T>,
    ) -> Result<&'r T, Failure>
    where
        'call: 'r,
    {
        if self.struct_size(pointer, first, name)? == size_of::<T>() {
            // SAFETY: not NULL, aligned, of our length by its own word, and the caller vouches for its contents.
            return Ok(unsafe { &*pointer });
        }
        Ok(room.write(self.sized(pointer, first, name)?))
    }

    /// A struct that may grow, in our length: what a shorter one lacks is zero; a longer one is taken only where all
    /// that we do not know is zero, because it may be a restriction. `first`: its size in the first release.
    pub fn sized<T: Plain>(self, pointer: *const T, first: usize, name: &str) -> Result<T, Failure> {
        let size = self.struct_size(pointer, first, name)?;
        let ours = size_of::<T>();
        let all = self.slice(pointer.cast::<u8>(), size, name)?;
        if all.get(ours..).is_some_and(|tail| tail.iter().any(|byte| *byte != 0)) {
            return Err(Failure::unsupported(format!(
                "{name} uses fields that this release of the library does not know; use a newer one or leave them zero"
            )));
        }
        let mut value = MaybeUninit::<T>::zeroed();
        // SAFETY: both are at least that long, and `value` is ours alone. Zero is valid for all of `Plain`.
        unsafe {
            std::ptr::copy_nonoverlapping(all.as_ptr(), value.as_mut_ptr().cast::<u8>(), size.min(ours));
            Ok(value.assume_init())
        }
    }

    /// A struct that may grow as a place for an output.
    pub fn sized_out<T: Plain>(self, pointer: *mut T, first: usize, name: &str) -> Result<SizedOut<'call, T>, Failure> {
        let size = self.struct_size(pointer, first, name)?;
        Ok(SizedOut { size, place: self.out(pointer, name)?.0, call: PhantomData })
    }

    #[inline(always)]
    fn struct_size<T: Plain>(self, pointer: *const T, first: usize, name: &str) -> Result<usize, Failure> {
        if pointer.is_null() || !pointer.is_aligned() {
            return Err(missing(name));
        }
        // SAFETY: structs that may grow begin with their size, which every length has; the caller vouches for it.
        let size = unsafe { pointer.cast::<usize>().read() };
        if !(first..=LARGEST_STRUCT).contains(&size) {
            return Err(no_size(name, size, first));
        }
        Ok(size)
    }
}

/// A place for an output that was found to be there.
pub(super) struct Out<'call, T>(NonNull<T>, PhantomData<&'call mut T>);

impl<T> Out<'_, T> {
    /// Writes it.
    pub fn set(self, value: T) {
        // SAFETY: not NULL, aligned, and the caller gave it as a place to write to. What was there is not dropped: it
        // is C's.
        unsafe { self.0.as_ptr().write(value) }
    }
}

/// A struct of the caller's size as a place for an output.
pub(super) struct SizedOut<'call, T> {
    size: usize,
    place: NonNull<T>,
    call: PhantomData<&'call mut T>,
}

impl<T: Plain> SizedOut<'_, T> {
    /// Writes as much as the caller has room for, zero where he knows more fields than we do, and leaves his
    /// `struct_size` alone.
    pub fn set(self, value: &T) {
        let ours = size_of::<T>();
        let (to, from) = (self.place.as_ptr().cast::<u8>(), std::ptr::from_ref(value).cast::<u8>());
        let head = size_of::<usize>();
        // SAFETY: the place has `size` bytes by the caller's word and `size` is at least the first release's, which is
        // more than `head`.
        unsafe {
            std::ptr::copy_nonoverlapping(from.add(head), to.add(head), self.size.min(ours).saturating_sub(head));
            std::ptr::write_bytes(to.add(ours.min(self.size)), 0, self.size.saturating_sub(ours));
        }
    }
}

/// A type that C lays out: copied by bytes, and all zero bits are a value of it.
///
/// # Safety
/// Exactly that.
pub(super) unsafe trait Plain: Copy {}
// SAFETY: an integer.
unsafe impl Plain for u8 {}
// SAFETY: a pointer and an integer.
unsafe impl Plain for gatepost_str {}
// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_header {}

/// A panic, already printed by the process's panic hook.
pub(super) struct Panicked;

/// Runs what may panic; every function of the header does so inside.
pub(super) fn contain<R>(body: impl FnOnce() -> R) -> Result<R, Panicked> {
    let _errno = Errno::keep();
    broken_pipe::spare_the_host();
    #[cfg(feature = "test-panic")]
    let body = || {
        fault::point("guard");
        body()
    };
    // What a body leaves half done is its own: handles are only given once whole, and locks ignore poison.
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        // A payload of another type might panic again when dropped.
        if !(payload.is::<String>() || payload.is::<&'static str>()) {
            std::mem::forget(payload);
        }
        Panicked
    })
}

#[cold]
fn too_long(name: &str, count: usize) -> Failure {
    Failure::argument(format!("{name} has a length of {count} but cannot hold that"))
}

#[cold]
fn missing(name: &str) -> Failure {
    Failure::argument(format!("{name} is NULL"))
}

#[cold]
fn no_place(name: &str) -> Failure {
    Failure::argument(format!("{name} is NULL: there is no place for the output"))
}

#[cold]
fn no_size(name: &str, size: usize, first: usize) -> Failure {
    Failure::argument(format!(
        "{name}.struct_size is {size}: zero the struct and set it to sizeof, which is {first} or more"
    ))
}

#[cold]
fn wrong<O: Opaque>() -> Failure {
    Failure::argument(format!("this is no {} that is in use: another type, or freed before", O::NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Apple;
    impl Opaque for Apple {
        type Inner = String;
        const MARK: u64 = 1;
        const NAME: &'static str = "apple";
    }
    struct Pear;
    impl Opaque for Pear {
        type Inner = String;
        const MARK: u64 = 2;
        const NAME: &'static str = "pear";
    }

    const CALLER: Caller<'static> = Caller(PhantomData);

    #[test]
    fn a_handle_of_another_type_is_an_error_and_stays_whole() {
        let apple = give::<Apple>("core".into());
        assert_eq!(CALLER.look(apple).unwrap(), "core");
        assert!(CALLER.look(apple.cast::<Pear>()).is_err());
        assert!(CALLER.take(apple.cast::<Pear>()).is_err());
        assert!(CALLER.look::<Apple>(std::ptr::null()).is_err());
        assert_eq!(CALLER.take(apple).unwrap().as_deref(), Some("core"));
        assert!(CALLER.take::<Apple>(std::ptr::null_mut()).unwrap().is_none());
    }

    #[test]
    fn a_panic_becomes_the_refusing_value() {
        // SAFETY: no pointers.
        assert_eq!(unsafe { guard(7, |_| panic!("on purpose")) }, 7);
        // SAFETY: no pointers.
        assert_eq!(unsafe { guard_status(|_| std::panic::panic_any(5_u8)) }, GATEPOST_ERR_PANIC);
        // SAFETY: no pointers.
        assert_eq!(unsafe { guard_status(|_| Ok(GATEPOST_OK)) }, GATEPOST_OK);
    }

    #[repr(C)]
    #[derive(Clone, Copy, Debug)]
    struct Growing {
        struct_size: usize,
        old: u32,
        young: u32,
    }
    // SAFETY: integers.
    unsafe impl Plain for Growing {}
    const FIRST: usize = size_of::<usize>() + 4;

    #[test]
    fn a_shorter_struct_is_filled_with_zero() {
        let short = Growing { struct_size: FIRST, old: 1, young: 2 };
        let read = CALLER.sized(&raw const short, FIRST, "growing").unwrap();
        assert_eq!((read.old, read.young), (1, 0));
        let none = Growing { struct_size: FIRST - 1, ..short };
        assert_eq!(CALLER.sized(&raw const none, FIRST, "growing").unwrap_err().status, GATEPOST_ERR_INVALID_ARGUMENT);
        let huge = Growing { struct_size: usize::MAX, ..short };
        assert!(CALLER.sized(&raw const huge, FIRST, "growing").is_err());
    }

    #[test]
    fn a_longer_struct_is_taken_only_with_a_zero_tail() {
        let mut long = [Growing { struct_size: 0, old: 0, young: 0 }; 2];
        long[0] = Growing { struct_size: size_of_val(&long), old: 1, young: 2 };
        assert_eq!(CALLER.sized(long.as_ptr(), FIRST, "growing").unwrap().young, 2);
        long[1].young = 1;
        assert_eq!(CALLER.sized(long.as_ptr(), FIRST, "growing").unwrap_err().status, GATEPOST_ERR_UNSUPPORTED);
    }

    #[test]
    fn an_output_is_never_written_past_the_callers_size() {
        let value = Growing { struct_size: 0, old: 5, young: 6 };
        let mut place = Growing { struct_size: FIRST, old: 9, young: 9 };
        CALLER.sized_out(&raw mut place, FIRST, "growing").unwrap().set(&value);
        assert_eq!((place.struct_size, place.old, place.young), (FIRST, 5, 9));
        let mut places = [Growing { struct_size: size_of::<[Growing; 2]>(), old: 9, young: 9 }; 2];
        CALLER.sized_out(places.as_mut_ptr(), FIRST, "growing").unwrap().set(&value);
        assert_eq!((places[0].young, places[1].struct_size, places[1].young), (6, 0, 0));
    }
}
