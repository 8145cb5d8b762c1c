//! The filter file of passwords known from breaches: a set that answers from 18 bits an entry whether a password is in
//! it, and never gives one away.
//!
//! A password that is in the list is always found; one that is not is found wrongly once in 65,536 times. The key of a
//! password is the first eight bytes of its SHA-1 digest, because that is the form in which lists of breached passwords
//! are handed out; it protects nothing here.
//!
//! The file, integers little-endian: [`MAGIC`]; version, four bytes; four bytes of zero; seed of the filter, eight;
//! segment length and length of all segments, four each; number of entries, eight; number of fingerprints, eight; the
//! fingerprints, two each; SHA-256 of all that.

use std::io::{self, Read, Write};

use sha1::{Digest, Sha1};
use sha2::Sha256;
use xorf::{BinaryFuse16, Descriptor, Filter as _};

mod build;

pub use build::{Build, Built, Form, build};

/// The first bytes of every filter file.
const MAGIC: &[u8; 16] = b"gatepost filter\n";
/// The version of the form that is written, and the only one that is read.
const VERSION: u32 = 1;
/// Bytes before the fingerprints.
const HEADER: usize = 56;
/// Bytes of the checksum at the end.
const CHECKSUM: usize = 32;
/// Bytes of fingerprints that are converted at a time.
const CHUNK: usize = 64 * 1024;
/// Fingerprints for which there is room before any is read.
const FIRST: usize = 1 << 20;

/// A set of breached passwords.
pub struct Filter {
    set: BinaryFuse16,
    entries: u64,
}

impl Filter {
    /// Makes a filter of keys that are sorted and distinct.
    fn of(keys: &[u64]) -> Result<Filter, String> {
        let set = BinaryFuse16::try_from(keys).map_err(|why| format!("no filter came about: {why}"))?;
        Ok(Filter { set, entries: keys.len() as u64 })
    }

    /// The password is in the list, or one of the few that are taken for it.
    pub fn contains(&self, password: &[u8]) -> bool {
        self.set.contains(&key(&Sha1::digest(password).into()))
    }

    /// Passwords in the list.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        size(self.set.fingerprints.len() as u64)
    }

    /// Writes the file.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut digest = Sha256::new();
        let mut put = |bytes: &[u8]| {
            digest.update(bytes);
            out.write_all(bytes)
        };
        let shape = &self.set.descriptor;
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&shape.seed.to_le_bytes());
        header.extend_from_slice(&shape.segment_length.to_le_bytes());
        header.extend_from_slice(&shape.segment_count_length.to_le_bytes());
        header.extend_from_slice(&self.entries.to_le_bytes());
        header.extend_from_slice(&(self.set.fingerprints.len() as u64).to_le_bytes());
        put(&header)?;
        for part in self.set.fingerprints.chunks(CHUNK / 2) {
            let bytes: Vec<u8> = part.iter().flat_map(|print| print.to_le_bytes()).collect();
            put(&bytes)?;
        }
        out.write_all(&digest.finalize())
    }

    /// Reads a file of `length` bytes; the error says what is wrong with it. The header has to fit the length and itself
    /// first; then memory is set aside as the file turns out to have what it says, and nothing is answered of it before
    /// the checksum fits.
    pub fn read(file: &mut impl Read, length: u64) -> Result<Filter, String> {
        let mut header = [0; HEADER];
        let whole = read_up_to(file, &mut header)?;
        if !header.starts_with(MAGIC) {
            return Err("it is no filter made by `gatepost passwords build-filter`".to_owned());
        }
        let version = number(&header, 16, 4);
        if version != u64::from(VERSION) {
            return Err(format!(
                "it is a filter of version {version}, and this Gatepost reads version {VERSION}: build it anew"
            ));
        }
        let count = number(&header, 48, 8);
        if !whole || count > length || size(count) != length {
            return Err(format!("it is damaged: it has {length} bytes and should have {}", size(count)));
        }
        let shape = shape(&header, count).ok_or("it is damaged: its parts do not fit together")?;
        let mut prints = Vec::new();
        let mut digest = Sha256::new();
        digest.update(header);
        let mut chunk = vec![0; CHUNK];
        let mut left = count.saturating_mul(2);
        while left > 0 {
            let part = chunk.get_mut(..usize::try_from(left).unwrap_or(CHUNK).min(CHUNK)).unwrap_or_default();
            if !read_up_to(file, part)? {
                return Err("it is damaged: it ends too early".to_owned());
            }
            digest.update(&*part);
            make_room(&mut prints, count)?;
            prints.extend(part.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)));
            left = left.saturating_sub(part.len() as u64);
        }
        let mut checksum = [0; CHECKSUM];
        if !read_up_to(file, &mut checksum)? || checksum != <[u8; CHECKSUM]>::from(digest.finalize()) {
            return Err("it is damaged: its checksum does not fit".to_owned());
        }
        let set = BinaryFuse16 { descriptor: shape, fingerprints: prints.into_boxed_slice() };
        Ok(Filter { set, entries: number(&header, 40, 8) })
    }
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filter").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// The shape that the header tells, if a look-up in so many fingerprints stays within them: a checksum that fits says
/// nothing about who wrote the file.
fn shape(header: &[u8; HEADER], count: u64) -> Option<Descriptor> {
    let segment_length = u32::try_from(number(header, 32, 4)).ok()?;
    let segment_count_length = u32::try_from(number(header, 36, 4)).ok()?;
    let sound = segment_length.is_power_of_two()
        && segment_count_length > 0
        && segment_count_length % segment_length == 0
        && u64::from(segment_count_length).checked_add(u64::from(segment_length).checked_mul(2)?)? == count
        && count <= u64::from(u32::MAX)
        && (1..=count).contains(&number(header, 40, 8))
        && number(header, 20, 4) == 0;
    sound.then(|| Descriptor {
        seed: number(header, 24, 8),
        segment_length,
        segment_length_mask: segment_length.saturating_sub(1),
        segment_count_length,
    })
}

/// Room for another chunk, of `count` fingerprints in all: at most as much again as there is already, so that a header
/// alone takes next to nothing. A machine without it gets an error and goes on.
fn make_room(prints: &mut Vec<u16>, count: u64) -> Result<(), String> {
    let there = prints.len();
    if prints.capacity().saturating_sub(there) >= CHUNK / 2 {
        return Ok(());
    }
    let left = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(there);
    prints.try_reserve_exact(left.min(there.max(FIRST))).map_err(|_| {
        format!(
            "it takes {} bytes of memory, which are not to be had: give the process more, or build it of fewer entries \
             with `--at-least`",
            size(count)
        )
    })
}

/// The key of a digest.
fn key(digest: &[u8; 20]) -> u64 {
    digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

/// Bytes of a file with so many fingerprints.
fn size(count: u64) -> u64 {
    count.saturating_mul(2).saturating_add((HEADER + CHECKSUM) as u64)
}

/// The little-endian number of so many bytes at a place of the header.
fn number(header: &[u8; HEADER], at: usize, bytes: usize) -> u64 {
    header.iter().skip(at).take(bytes).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Fills the buffer; false where the file ends before.
fn read_up_to(file: &mut impl Read, buffer: &mut [u8]) -> Result<bool, String> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(format!("it cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests;
