//! The hash of a state, by which two machines find out whether they agree.
//!
//! The state's own `Serialize` is walked once, its values go as bytes into XXH64 with seed 0, and nothing is
//! allocated unless the state is refused. The bytes are the same on every machine:
//!
//! | value                | bytes                                                                   |
//! |----------------------|-------------------------------------------------------------------------|
//! | integer              | little-endian, in the width of its type; `usize` and `isize` as 64 bits |
//! | `f32`, `f64`         | little-endian bits, −0 as +0; a NaN is refused; infinities are let pass |
//! | `bool`, `char`       | one byte 0 or 1; the code point in four bytes                           |
//! | `str`, bytes         | the length as u64, the bytes                                            |
//! | `Option`             | one byte 0, or 1 and the value                                          |
//! | sequence, map        | the number of entries as u64, then each value, or each key and value    |
//! | array, tuple, struct | each value in the order of declaration, no names                        |
//! | enum                 | the variant's index as u32, then its values as above                    |
//! | unit, unit struct    | nothing                                                                 |
//! | newtype              | the value within                                                        |
//! | skipped field        | its name as `str`, if `skip_serializing_if` left it out                 |
//!
//! So a hash changes when a field is added or the order of declaration changes, and not when something is
//! renamed. It compares states of one version of a game; it is no fingerprint to keep for ever, nor proof
//! against an adversary.
//!
//! # What it cannot see
//!
//! The data model of serde does not tell a `HashMap` from a `BTreeMap`, nor a `usize` from a `u64`. A
//! `HashMap` in a state is hashed in the order of its iteration, which differs between two runs: equal states
//! then seem to differ. A `usize` hashes alike everywhere, but overflows at another value on wasm32. Neither
//! belongs in a state. What `#[serde(skip)]` leaves out is not hashed, which is right for what is rebuilt
//! from the rest and wrong for all else.

mod serializer;

use core::fmt;

use serde::{Serialize, ser};
use xxhash_rust::xxh64::Xxh64;

/// The hash of a state: equal for equal states on every machine, native or WebAssembly.
///
/// ```
/// use tickwire_protocol::determinism::state_hash;
/// assert_eq!(state_hash(&[0.0_f32, 1.0]), state_hash(&[-0.0_f32, 1.0]));
/// let error = state_hash(&("player", [0.0, f32::NAN])).unwrap_err();
/// assert_eq!(error.to_string(), "state[1][1] is not a number");
/// ```
///
/// # Errors
///
/// [`StateHashError`] names the place and the reason: a NaN, a sequence that does not know its length or gave
/// another number of entries than it announced, or a refusal by the state's own `Serialize`.
pub fn state_hash<T: Serialize + ?Sized>(state: &T) -> Result<u64, StateHashError> {
    let mut hasher = Hasher::new();
    state.serialize(&mut hasher)?;
    Ok(hasher.finish())
}

/// Where in a state a value has no portable hash, and why.
// The box keeps the result of each field's visit, nearly always `Ok`, at the size of a pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("state{} {}", .0.path, .0.fault)]
pub struct StateHashError(Box<Report>);

impl StateHashError {
    /// The way from the state to the value, such as `.players[3].position[0]`. Map entries are numbered.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// What is wrong with the value.
    #[must_use]
    pub fn fault(&self) -> &StateHashFault {
        &self.0.fault
    }

    #[cold]
    fn new(fault: StateHashFault) -> Self {
        Self(Box::new(Report { path: String::new(), fault }))
    }

    /// The same error seen from one level further out.
    #[cold]
    fn within(mut self, step: fmt::Arguments<'_>) -> Self {
        self.0.path.insert_str(0, &step.to_string());
        self
    }
}

/// Why a value has no portable hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateHashFault {
    /// The bits of a NaN differ between machines.
    #[error("is not a number")]
    NotANumber,
    /// A sequence or map (a `#[serde(flatten)]` makes one) that cannot say how many entries follow.
    #[error("does not know its length")]
    UnknownLength,
    /// A sequence or map gave another number of entries than it announced.
    #[error("announced {announced} entries and gave {given}")]
    WrongLength {
        /// The number announced before the first entry.
        announced: u64,
        /// The number of entries that came.
        given: u64,
    },
    /// The value's own `Serialize` refused, with this text.
    #[error("cannot be serialized: {0}")]
    Refused(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Report {
    path: String,
    fault: StateHashFault,
}

impl ser::Error for StateHashError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(StateHashFault::Refused(message.to_string()))
    }
}

/// Collects small values in a buffer, because the hash is quick on long inputs and slow to call.
struct Hasher {
    hash: Xxh64,
    buffer: [u8; BUFFER_BYTES],
    used: usize,
}

impl Hasher {
    fn new() -> Self {
        Self { hash: Xxh64::new(0), buffer: [0; BUFFER_BYTES], used: 0 }
    }

    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        if self.used + N > BUFFER_BYTES {
            self.flush();
        }
        self.buffer[self.used..self.used + N].copy_from_slice(&bytes);
        self.used += N;
    }

    /// The length, then the bytes.
    fn put_slice(&mut self, bytes: &[u8]) {
        self.put((bytes.len() as u64).to_le_bytes());
        match self.buffer.get_mut(self.used..self.used + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.used += bytes.len();
            }
            None => {
                self.flush();
                self.hash.update(bytes);
            }
        }
    }

    #[inline(never)]
    fn flush(&mut self) {
        self.hash.update(&self.buffer[..self.used]);
        self.used = 0;
    }

    fn finish(mut self) -> u64 {
        self.flush();
        self.hash.digest()
    }
}

/// Long enough that the hash runs at its full speed, short enough to clear and to keep in the nearest cache.
const BUFFER_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use xxhash_rust::xxh64::xxh64;

    #[derive(Serialize)]
    struct Player {
        id: u16,
        name: &'static str,
        position: [f32; 2],
        mode: Mode,
        target: Option<u32>,
    }

    #[derive(Serialize)]
    enum Mode {
        Idle,
        Dash(f32),
        Hurt { by: u8, left: f64 },
        Pair(u8, f32),
    }

    fn player() -> Player {
        Player { id: 0x0102, name: "ab", position: [1.0, -2.0], mode: Mode::Idle, target: Some(5) }
    }

    fn error_of(state: &impl Serialize) -> String {
        state_hash(state).unwrap_err().to_string()
    }

    #[test]
    fn the_bytes_are_those_of_the_table() {
        let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([2, 1]);
        bytes.extend([2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b']);
        bytes.extend([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
        bytes.extend([0, 0, 0, 0]);
        bytes.extend([1, 5, 0, 0, 0]);
        assert_eq!(state_hash(&vec![player()]), Ok(xxh64(&bytes, 0)));

        let bytes = [2, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f];
        assert_eq!(state_hash(&Mode::Hurt { by: 7, left: 1.5 }), Ok(xxh64(&bytes, 0)));
        let bytes = [1, 0, 0, 0, 0, 0, 0, 0, b'k', 0, 0, 0, 0xff, 1, 0];
        assert_eq!(state_hash(&BTreeMap::from([('k', (-1_i8, true, None::<u8>))])), Ok(xxh64(&bytes, 0)));
        assert_eq!(state_hash(&3_usize), state_hash(&3_u64));
    }

    /// XXH64's published answers for the empty input and "abc", and one of a whole state.
    #[test]
    fn known_answers() {
        assert_eq!(state_hash(&()), Ok(0xef46_db37_51d8_e999));
        assert_eq!(state_hash(b"abc"), Ok(0x44bc_2cf5_ad77_0999));
        assert_eq!(state_hash(&[player(), player()]), Ok(0xdef1_6c98_de37_bf8e));
    }

    #[test]
    fn length_beyond_the_buffer_makes_no_difference() {
        for count in [0_usize, 1, 63, 64, 65, 127, 128, 129, 1000] {
            let numbers: Vec<u64> = (0..count as u64).collect();
            let mut bytes = (count as u64).to_le_bytes().to_vec();
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            assert_eq!(state_hash(&numbers), Ok(xxh64(&bytes, 0)));
            let text = "x".repeat(count);
            let bytes = [&[9][..], &(count as u64).to_le_bytes(), text.as_bytes(), &[8, 0]].concat();
            assert_eq!(state_hash(&(9_u8, text, 8_u16)), Ok(xxh64(&bytes, 0)));
        }
    }

    #[test]
    fn zeros_are_one_value_and_all_else_tells() {
        assert_eq!(state_hash(&-0.0_f32), state_hash(&0.0_f32));
        assert_eq!(state_hash(&-0.0_f64), state_hash(&0.0_f64));
        assert_ne!(state_hash(&f32::INFINITY), state_hash(&f32::NEG_INFINITY));
        assert_ne!(state_hash(&1.0_f32), state_hash(&1.0_f32.next_up()));
        assert_ne!(state_hash(&(vec![1_u8], vec![0_u8; 0])), state_hash(&(vec![0_u8; 0], vec![1_u8])));
        assert_ne!(state_hash(&("ab", "c")), state_hash(&("a", "bc")));
    }

    #[test]
    fn a_nan_is_named() {
        let mut hurt = player();
        hurt.position[1] = f32::NAN;
        let state = BTreeMap::from([("red", vec![player()]), ("teal", vec![player(), hurt])]);
        assert_eq!(error_of(&state), "state[entry 1][1].position[1] is not a number");
        assert_eq!(error_of(&f32::NAN), "state is not a number");
        let modes = (Mode::Dash(1.0), Mode::Dash(f32::NAN));
        assert_eq!(error_of(&modes), "state[1]::Dash is not a number");
        assert_eq!(error_of(&Mode::Hurt { by: 1, left: f64::NAN }), "state::Hurt.left is not a number");
        assert_eq!(error_of(&Some(Mode::Pair(1, -f32::NAN))), "state::Pair.1 is not a number");
        assert_eq!(error_of(&glam::Vec2::new(0.0, f32::NAN)), "state.1 is not a number");
        let error = state_hash(&[f32::NAN]).unwrap_err();
        assert_eq!((error.path(), error.fault()), ("[0]", &StateHashFault::NotANumber));
    }

    #[test]
    fn lengths_must_be_known_and_true() {
        struct Announces(Option<usize>);
        impl Serialize for Announces {
            fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use ser::SerializeSeq as _;
                let mut entries = serializer.serialize_seq(self.0)?;
                entries.serialize_element(&1_u8)?;
                entries.end()
            }
        }
        assert!(state_hash(&Announces(Some(1))).is_ok());
        assert_eq!(error_of(&[Announces(None)]), "state[0] does not know its length");
        assert_eq!(error_of(&[Announces(Some(3))]), "state[0] announced 3 entries and gave 1");
    }

    #[test]
    fn a_refusal_by_the_state_is_passed_on() {
        struct Refuses;
        impl Serialize for Refuses {
            fn serialize<S: ser::Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
                Err(ser::Error::custom("no level"))
            }
        }
        assert_eq!(error_of(&(1, Refuses)), "state[1] cannot be serialized: no level");
    }

    #[test]
    fn a_skipped_field_tells() {
        #[derive(Serialize)]
        struct Sparse {
            #[serde(skip_serializing_if = "Option::is_none")]
            a: Option<u8>,
            #[serde(skip_serializing_if = "Option::is_none")]
            b: Option<u8>,
        }
        let hashes = [(None, None), (Some(1), None), (None, Some(1)), (Some(1), Some(1))]
            .map(|(a, b)| state_hash(&Sparse { a, b }).unwrap());
        for (index, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..index].contains(hash));
        }
    }
}
