//! Skippable extensions: what a later minor version adds to a control message behind its struct.
//!
//! Each is an id, a length and that many bytes, to the end of the message. A reader skips the ids that it
//! does not know. Ids ascend, so that none comes twice, and zero is none, so that padding is noticed.

use crate::limits::{MAX_EXTENSION_BYTES, MAX_EXTENSIONS};
use thiserror::Error;

/// The extensions of a message; the bytes are known to be well formed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions<'a> {
    bytes: &'a [u8],
}

/// What is wrong with a list of extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ExtensionError {
    /// The bytes end inside an extension.
    #[error("an extension is cut off")]
    Truncated,
    /// An id is zero, a duplicate, or smaller than the one before.
    #[error("extension {id} after {before}: ids ascend from 1")]
    Order {
        /// The id.
        id: u16,
        /// The one before, or zero.
        before: u16,
    },
    /// There are more than [`MAX_EXTENSIONS`].
    #[error("more than {MAX_EXTENSIONS} extensions")]
    TooMany,
    /// One has more than [`MAX_EXTENSION_BYTES`] bytes.
    #[error("extension {id} has {length} bytes, more than {MAX_EXTENSION_BYTES}")]
    TooLong {
        /// The id.
        id: u16,
        /// Its bytes.
        length: usize,
    },
    /// A known extension does not hold what it should.
    #[error("extension {id} does not hold what it should")]
    Content {
        /// The id.
        id: u16,
    },
}

impl<'a> Extensions<'a> {
    /// The extensions that are all of `bytes`.
    ///
    /// # Errors
    /// [`ExtensionError`] when the list is not well formed.
    pub fn parse(bytes: &'a [u8]) -> Result<Extensions<'a>, ExtensionError> {
        let (mut rest, mut before, mut count) = (bytes, 0, 0);
        while !rest.is_empty() {
            let (id, content, tail) = split(rest).ok_or(ExtensionError::Truncated)?;
            if id <= before {
                return Err(ExtensionError::Order { id, before });
            }
            if content.len() > MAX_EXTENSION_BYTES {
                return Err(ExtensionError::TooLong { id, length: content.len() });
            }
            count += 1;
            if count > MAX_EXTENSIONS {
                return Err(ExtensionError::TooMany);
            }
            (rest, before) = (tail, id);
        }
        Ok(Extensions { bytes })
    }

    /// Each extension's id and bytes.
    pub fn iter(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (id, content, tail) = split(rest)?;
            rest = tail;
            Some((id, content))
        })
    }

    /// The bytes of one extension.
    #[must_use]
    pub fn get(self, wanted: u16) -> Option<&'a [u8]> {
        self.iter().find(|(id, _)| *id == wanted).map(|(_, content)| content)
    }
}

/// Appends one extension. Ids must ascend within a message.
///
/// # Errors
/// [`ExtensionError::TooLong`] past [`MAX_EXTENSION_BYTES`]; nothing is appended then.
pub fn write_extension(id: u16, content: &[u8], out: &mut Vec<u8>) -> Result<(), ExtensionError> {
    if content.len() > MAX_EXTENSION_BYTES {
        return Err(ExtensionError::TooLong { id, length: content.len() });
    }
    out.extend_from_slice(&id.to_le_bytes());
    out.extend_from_slice(&(content.len() as u16).to_le_bytes());
    out.extend_from_slice(content);
    Ok(())
}

/// The first extension and what follows it.
fn split(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (&[id_low, id_high, low, high], rest) = bytes.split_first_chunk()?;
    let length = usize::from(u16::from_le_bytes([low, high]));
    let (content, tail) = rest.split_at_checked(length)?;
    Some((u16::from_le_bytes([id_low, id_high]), content, tail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (id, content) in extensions {
            write_extension(*id, content, &mut bytes).unwrap();
        }
        bytes
    }

    #[test]
    fn an_extension_is_found_among_unknown_ones() {
        let bytes = written(&[(1, b"one"), (7, b""), (900, b"later")]);
        let extensions = Extensions::parse(&bytes).unwrap();
        assert_eq!(extensions.get(900), Some(&b"later"[..]));
        assert_eq!(extensions.get(7), Some(&b""[..]));
        assert_eq!(extensions.get(2), None);
        assert_eq!(extensions.iter().count(), 3);
        assert_eq!(Extensions::parse(&[]), Ok(Extensions::default()));
    }

    #[test]
    fn broken_lists_are_named() {
        let refused = |bytes: &[u8]| Extensions::parse(bytes).unwrap_err();
        assert_eq!(refused(&[0; 4]), ExtensionError::Order { id: 0, before: 0 });
        assert_eq!(refused(&written(&[(3, b""), (3, b"")])), ExtensionError::Order { id: 3, before: 3 });
        assert_eq!(refused(&written(&[(3, b""), (2, b"")])), ExtensionError::Order { id: 2, before: 3 });
        let whole = written(&[(3, b"four")]);
        for end in 1..whole.len() {
            assert_eq!(refused(&whole[..end]), ExtensionError::Truncated);
        }
        let many: Vec<(u16, &[u8])> = (1..=MAX_EXTENSIONS as u16 + 1).map(|id| (id, &b""[..])).collect();
        assert!(Extensions::parse(&written(&many[..MAX_EXTENSIONS])).is_ok());
        assert_eq!(refused(&written(&many)), ExtensionError::TooMany);
        let long = vec![0; MAX_EXTENSION_BYTES + 1];
        let too_long = ExtensionError::TooLong { id: 5, length: long.len() };
        assert_eq!(write_extension(5, &long, &mut Vec::new()), Err(too_long));
        let mut bytes = written(&[(5, &long[1..])]);
        bytes[2..4].copy_from_slice(&(long.len() as u16).to_le_bytes());
        bytes.push(0);
        assert_eq!(refused(&bytes), too_long);
    }

    proptest! {
        #[test]
        fn any_bytes_are_extensions_or_an_error(bytes: Vec<u8>) {
            if let Ok(extensions) = Extensions::parse(&bytes) {
                let all: Vec<_> = extensions.iter().collect();
                prop_assert_eq!(written(&all), bytes);
            }
        }
    }
}
