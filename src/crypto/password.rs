//! Password hashing: Argon2id (RFC 9106) in PHC form, with memory from one bounded pool for the process.

/// Argon2id cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// KiB.
    pub memory_kib: u32,
    /// Passes.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// Why a hash could not be made or checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashError {
    /// The memory ceiling for hashing is reached; try again later.
    Overloaded,
    /// The stored hash has a form that is not known, or a cost over the cap.
    Unsupported(String),
    /// The password is over 1,024 bytes or otherwise not acceptable.
    Input(String),
    /// The operating system gave no randomness, or a fault of ours.
    System(String),
}

/// What checking a password came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Right.
    Match,
    /// Wrong.
    Mismatch,
}

/// Hashes with a fresh random salt into `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
pub fn hash(password: &[u8], cost: Cost) -> Result<String, HashError> {
    let _ = (password, cost);
    Err(HashError::System("not built".into()))
}

/// Checks a password against a stored hash. Constant time in both.
pub fn verify(password: &[u8], stored: &str) -> Result<Verdict, HashError> {
    let _ = (password, stored);
    Err(HashError::System("not built".into()))
}

/// Does the work of a wrong password of this cost, for accounts that do not exist.
pub fn waste(password: &[u8], cost: Cost) -> Result<(), HashError> {
    let _ = (password, cost);
    Err(HashError::System("not built".into()))
}

/// The stored hash was made with another cost or form than `cost` asks for.
pub fn needs_rehash(stored: &str, cost: Cost) -> bool {
    let _ = (stored, cost);
    false
}

/// Sets the ceiling for hashing memory of this process, bytes; the first engine's word counts up only.
pub fn set_memory_ceiling(bytes: usize) {
    let _ = bytes;
}
