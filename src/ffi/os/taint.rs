//! Marks for valgrind's memcheck: what is marked secret counts as undefined, and memcheck reports every branch and
//! every address that depends on it. In a build without the feature `test-secrets` the marks are nothing at all.

#[cfg(not(feature = "test-secrets"))]
mod marks {
    /// Nobody may tell these bytes by how long something takes.
    #[inline(always)]
    pub fn secret(_bytes: &mut [u8]) {}

    /// The end of a computation with secrets: this much of it may be seen.
    #[inline(always)]
    pub fn public(_bytes: &mut [u8]) {}

    /// Secret from here to [`take_back`], for bytes that are somebody else's.
    #[inline(always)]
    pub fn lend(_bytes: &[u8]) {}

    /// The end of [`lend`].
    #[inline(always)]
    pub fn take_back(_bytes: &[u8]) {}
}

#[cfg(feature = "test-secrets")]
mod marks {
    use std::sync::atomic::{AtomicU64, Ordering};

    static MARKED: AtomicU64 = AtomicU64::new(0);

    /// Nobody may tell these bytes by how long something takes.
    #[inline(never)]
    pub fn secret(bytes: &mut [u8]) {
        lend(bytes);
    }

    /// Secret from here to [`take_back`], for bytes that are somebody else's.
    #[inline(never)]
    pub fn lend(bytes: &[u8]) {
        MARKED.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        request(1, bytes);
    }

    /// The end of [`lend`].
    #[inline(never)]
    pub fn take_back(bytes: &[u8]) {
        request(2, bytes);
    }

    /// The end of a computation with secrets: this much of it may be seen.
    #[inline(never)]
    pub fn public(bytes: &mut [u8]) {
        request(2, bytes);
    }

    /// How many bytes were marked secret since this was last asked: a test in which none were would show nothing.
    pub fn take_marked() -> u64 {
        MARKED.swap(0, Ordering::Relaxed)
    }

    /// A request to memcheck; 1 makes undefined, 2 makes defined. Outside valgrind these instructions do nothing.
    fn request(what: usize, bytes: &[u8]) {
        let tool = (usize::from(b'M') << 24) | (usize::from(b'C') << 16);
        let arguments: [usize; 6] = [tool + what, bytes.as_ptr().expose_provenance(), bytes.len(), 0, 0, 0];
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the rotations add up to nothing and the exchange is of a register with itself. Under valgrind the
        // request reads `arguments` and changes no byte, only what valgrind knows of them.
        unsafe {
            std::arch::asm!(
                "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
                in("rax") arguments.as_ptr(), inout("rdx") 0usize => _, options(nostack)
            );
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: as above.
        unsafe {
            std::arch::asm!(
                "ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61", "orr x10, x10, x10",
                in("x4") arguments.as_ptr(), inout("x3") 0usize => _, options(nostack)
            );
        }
    }
}

pub use marks::*;
