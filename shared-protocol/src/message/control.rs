//! The one place that knows how control messages become bytes: bincode 2, its standard configuration.
//!
//! Whatever would replace it is replaced here. Decoding has a limit, so that a length in a message is not
//! believed, and nothing may be left over but what the caller wants to read itself.

use crate::limits::MAX_PAYLOAD_BYTES;
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why bytes are not the control struct or the payload that they should be, or a value cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ControlError {
    /// The bytes are not the expected struct.
    #[error("not the expected value: {0}")]
    Value(String),
    /// Something follows the value.
    #[error("{0} bytes follow the value")]
    Trailing(usize),
    /// The value is larger than it may be.
    #[error("{length} bytes where at most {limit} are allowed")]
    TooLong {
        /// Bytes of the value.
        length: usize,
        /// Bytes allowed.
        limit: usize,
    },
}

/// Appends a game's command or event. This is the encoding that every payload of a game has.
///
/// # Errors
/// [`ControlError::TooLong`] past [`MAX_PAYLOAD_BYTES`], and [`ControlError::Value`] when the type's own
/// `Serialize` refuses; `out` is then as it was.
pub fn encode_payload<T: Serialize>(value: &T, out: &mut Vec<u8>) -> Result<(), ControlError> {
    encode(value, MAX_PAYLOAD_BYTES, out)
}

/// Reads a game's command or event.
///
/// The type must not hold a list of things that take no bytes, such as `Vec<()>`: a count of 2^64 of them is
/// a short message and a long loop.
///
/// # Errors
/// [`ControlError`] when the bytes are no such value, have something behind it, or are too many.
pub fn decode_payload<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ControlError> {
    if bytes.len() > MAX_PAYLOAD_BYTES {
        return Err(ControlError::TooLong { length: bytes.len(), limit: MAX_PAYLOAD_BYTES });
    }
    decode::<T, { MAX_PAYLOAD_BYTES * CLAIM }>(bytes)
}

/// Appends `value` in at most `limit` bytes.
pub(super) fn encode<T: Serialize>(value: &T, limit: usize, out: &mut Vec<u8>) -> Result<(), ControlError> {
    let start = out.len();
    let written = bincode::serde::encode_into_writer(value, Append(out), bincode::config::standard());
    let length = out.len() - start;
    let checked = match written {
        Err(error) => Err(ControlError::Value(error.to_string())),
        Ok(()) if length > limit => Err(ControlError::TooLong { length, limit }),
        Ok(()) => return Ok(()),
    };
    out.truncate(start);
    checked
}

/// The value that is all of `bytes`. `LIMIT` is [`CLAIM`] times the bytes that there can be.
pub(super) fn decode<T: DeserializeOwned, const LIMIT: usize>(bytes: &[u8]) -> Result<T, ControlError> {
    let (value, rest) = decode_prefix::<T, LIMIT>(bytes)?;
    if rest.is_empty() { Ok(value) } else { Err(ControlError::Trailing(rest.len())) }
}

/// The value that `bytes` begin with, and what follows it.
pub(super) fn decode_prefix<T: DeserializeOwned, const LIMIT: usize>(
    bytes: &[u8],
) -> Result<(T, &[u8]), ControlError> {
    let config = bincode::config::standard().with_limit::<LIMIT>();
    let (value, consumed) = bincode::serde::decode_from_slice(bytes, config)
        .map_err(|error| ControlError::Value(error.to_string()))?;
    Ok((value, &bytes[consumed..]))
}

/// bincode counts the bytes that a number has in memory against the limit, up to sixteen for one on the wire.
pub(super) const CLAIM: usize = 16;

/// Appends to a caller's vector.
struct Append<'a>(&'a mut Vec<u8>);

impl Writer for Append<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Deed {
        Say(String),
        Build { at: (i32, i32), kinds: Vec<u16> },
        Stop,
    }

    /// Nine bytes: a count of 2^36 or a little less than 2^64.
    const LENGTHS: [[u8; 9]; 2] =
        [[253, 0, 0, 0, 0, 16, 0, 0, 0], [253, 255, 255, 255, 255, 255, 255, 255, 127]];

    #[test]
    fn a_hostile_length_is_refused_before_anything_is_allocated() {
        for length in LENGTHS {
            let text = decode_payload::<String>(&length).unwrap_err();
            assert!(
                matches!(&text, ControlError::Value(reason) if reason.contains("LimitExceeded")),
                "{text}"
            );
            // serde asks for a mebibyte at most on the word of a list's length, and the first element is
            // missing.
            let asked = allocation_counter::measure(|| assert!(decode_payload::<Vec<u64>>(&length).is_err()));
            assert!(asked.bytes_max <= 1 << 21, "{asked:?}");
            assert!(matches!(decode_payload::<Vec<u64>>(&length), Err(ControlError::Value(_))));
            assert!(matches!(decode_payload::<BTreeMap<u8, u8>>(&length), Err(ControlError::Value(_))));
        }
    }

    #[test]
    fn a_payload_has_an_end_and_a_cap() {
        let mut bytes = Vec::new();
        encode_payload(&Deed::Say("hi".to_owned()), &mut bytes).unwrap();
        assert_eq!(bytes, [0, 2, b'h', b'i']);
        bytes.push(0);
        assert_eq!(decode_payload::<Deed>(&bytes), Err(ControlError::Trailing(1)));
        let long = "x".repeat(MAX_PAYLOAD_BYTES);
        let refused = ControlError::TooLong { length: MAX_PAYLOAD_BYTES + 3, limit: MAX_PAYLOAD_BYTES };
        assert_eq!(encode_payload(&long, &mut bytes), Err(refused));
        assert_eq!(bytes.len(), 5, "nothing is appended");
        assert!(matches!(
            decode_payload::<Deed>(&[0; MAX_PAYLOAD_BYTES + 1]),
            Err(ControlError::TooLong { .. })
        ));
    }

    #[test]
    fn a_full_payload_of_small_numbers_is_within_the_limit() {
        let many = vec![u128::MIN; MAX_PAYLOAD_BYTES - 3];
        let mut bytes = Vec::new();
        encode_payload(&many, &mut bytes).unwrap();
        assert_eq!(bytes.len(), MAX_PAYLOAD_BYTES);
        assert_eq!(decode_payload::<Vec<u128>>(&bytes), Ok(many));
    }

    proptest! {
        #[test]
        fn payloads_round_trip(text in ".{0,40}", at: (i32, i32), kinds: Vec<u16>) {
            for deed in [Deed::Say(text), Deed::Build { at, kinds }, Deed::Stop] {
                let mut bytes = Vec::new();
                encode_payload(&deed, &mut bytes).unwrap();
                prop_assert_eq!(decode_payload::<Deed>(&bytes), Ok(deed));
            }
        }

        #[test]
        fn any_bytes_are_a_payload_or_an_error(bytes: Vec<u8>) {
            let _ = decode_payload::<Deed>(&bytes);
            let _ = decode_payload::<Vec<Vec<String>>>(&bytes);
        }
    }
}
