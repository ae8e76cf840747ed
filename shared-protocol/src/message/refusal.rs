//! The refusal: the server's other answer to a hello.
//!
//! Its layout stays the same in every version, because it is what tells a client that the version is the
//! matter. A reason is the number of its row in the table of session ends; a later version may have more of
//! them.

use super::MessageError;
use super::bounded::BoundedText;
use super::control::{self, CLAIM};
use super::extension::Extensions;
use super::version::Version;
use crate::end::{ComeBack, REFUSAL_CODES, SessionEnd};
use crate::limits::{MAX_REFUSAL_BYTES, MAX_TEXT_BYTES};
use serde::{Deserialize, Serialize};

/// Why a client is not let in, and whether it should come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: RefusalReason,
    /// Whether to come back, and when: this hint and not the table's.
    pub come_back: ComeBack,
    /// More about it for people: the game's own reason, or the rule that a name breaks. May be empty.
    pub text: BoundedText<MAX_TEXT_BYTES>,
}

/// Why a client is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// The version of the protocol; the server speaks these.
    WrongVersion {
        /// The lowest.
        lowest: Version,
        /// The highest.
        highest: Version,
    },
    /// Another schema, input or version of the rules: the server's game has this fingerprint.
    WrongSchema {
        /// The fingerprint.
        fingerprint: u64,
    },
    /// An end of the table that needs no more words. It [is a refusal](SessionEnd::is_refusal).
    End(SessionEnd),
    /// A reason of a later version, by its code.
    Unknown(u16),
}

impl RefusalReason {
    /// The row in the table of session ends, or `None` for a reason of a later version.
    #[must_use]
    pub fn end(self) -> Option<SessionEnd> {
        match self {
            RefusalReason::WrongVersion { .. } => Some(SessionEnd::WrongVersion),
            RefusalReason::WrongSchema { .. } => Some(SessionEnd::WrongSchema),
            RefusalReason::End(end) => Some(end),
            RefusalReason::Unknown(_) => None,
        }
    }

    fn code(self) -> u16 {
        match self {
            RefusalReason::Unknown(code) => code,
            known => known.end().map_or(0, SessionEnd::code),
        }
    }
}

impl Refusal {
    /// A refusal with the table's hint and no text.
    #[must_use]
    pub fn new(reason: RefusalReason) -> Refusal {
        let come_back = reason.end().map_or(ComeBack::Never, SessionEnd::come_back);
        Refusal { reason, come_back, text: BoundedText::default() }
    }

    /// The end of the session: of a reason that is not known, that the game did not let the player in.
    #[must_use]
    pub fn end(&self) -> SessionEnd {
        self.reason.end().unwrap_or(SessionEnd::GameRefused)
    }

    pub(super) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), MessageError> {
        let (versions, fingerprint) = match self.reason {
            RefusalReason::WrongVersion { lowest, highest } => (Some((lowest, highest)), None),
            RefusalReason::WrongSchema { fingerprint } => (None, Some(fingerprint)),
            _ => (None, None),
        };
        let (code, text) = (self.reason.code(), self.text.clone());
        let wire = Wire { code, come_back: self.come_back, text, versions, fingerprint };
        wire.reason()?;
        Ok(control::encode(&wire, MAX_REFUSAL_BYTES, out)?)
    }

    pub(super) fn decode_body(bytes: &[u8]) -> Result<Refusal, MessageError> {
        let (wire, rest) = control::decode_prefix::<Wire, { MAX_REFUSAL_BYTES * CLAIM }>(bytes)?;
        Extensions::parse(rest)?;
        Ok(Refusal { reason: wire.reason()?, come_back: wire.come_back, text: wire.text })
    }
}

/// The bincode struct of a refusal.
#[derive(Serialize, Deserialize)]
struct Wire {
    code: u16,
    come_back: ComeBack,
    text: BoundedText<MAX_TEXT_BYTES>,
    versions: Option<(Version, Version)>,
    fingerprint: Option<u64>,
}

impl Wire {
    fn reason(&self) -> Result<RefusalReason, MessageError> {
        let wrong = |field| MessageError::Field { message: "refusal", field };
        if !REFUSAL_CODES.contains(&self.code) {
            return Err(wrong("code"));
        }
        match SessionEnd::from_code(self.code) {
            Some(SessionEnd::WrongVersion) => {
                let (lowest, highest) = self.versions.ok_or(wrong("versions"))?;
                Ok(RefusalReason::WrongVersion { lowest, highest })
            }
            Some(SessionEnd::WrongSchema) => {
                let fingerprint = self.fingerprint.ok_or(wrong("fingerprint"))?;
                Ok(RefusalReason::WrongSchema { fingerprint })
            }
            Some(end) => Ok(RefusalReason::End(end)),
            None => Ok(RefusalReason::Unknown(self.code)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ServerMessage;
    use super::super::version::VERSION;
    use super::*;
    use crate::end::SESSION_ENDS;
    use crate::time::Micros;

    fn round_trip(refusal: &Refusal) {
        let mut bytes = Vec::new();
        let message = ServerMessage::Refusal(refusal.clone());
        message.encode(&mut bytes).unwrap();
        assert!(bytes.len() <= MAX_REFUSAL_BYTES);
        assert_eq!(ServerMessage::decode(&bytes), Ok(message));
    }

    #[test]
    fn each_reason_round_trips() {
        let mut reasons = vec![
            RefusalReason::WrongVersion { lowest: VERSION, highest: Version { major: 1, minor: 9 } },
            RefusalReason::WrongSchema { fingerprint: u64::MAX },
            RefusalReason::Unknown(4199),
        ];
        let plain = SESSION_ENDS.iter().map(|row| row.end).filter(|end| {
            end.is_refusal() && !matches!(end, SessionEnd::WrongVersion | SessionEnd::WrongSchema)
        });
        reasons.extend(plain.map(RefusalReason::End));
        assert_eq!(reasons.len(), 13);
        for reason in reasons {
            for come_back in
                [ComeBack::Never, ComeBack::Now, ComeBack::After(Micros(u64::MAX)), ComeBack::Resume]
            {
                let text = BoundedText::new("x".repeat(MAX_TEXT_BYTES)).unwrap();
                round_trip(&Refusal { reason, come_back, text });
            }
            round_trip(&Refusal::new(reason));
        }
    }

    #[test]
    fn a_reason_without_its_details_is_refused() {
        let field = |wire: Wire| {
            let mut bytes = Vec::new();
            control::encode(&wire, MAX_REFUSAL_BYTES, &mut bytes).unwrap();
            match Refusal::decode_body(&bytes).unwrap_err() {
                MessageError::Field { message: "refusal", field } => field,
                other => panic!("{other}"),
            }
        };
        let wire = |code| Wire {
            code,
            come_back: ComeBack::Never,
            text: BoundedText::default(),
            versions: None,
            fingerprint: None,
        };
        assert_eq!(field(wire(4103)), "versions");
        assert_eq!(field(wire(4104)), "fingerprint");
        assert_eq!(field(wire(4000)), "code");
        let left = Refusal::new(RefusalReason::End(SessionEnd::Left));
        assert!(ServerMessage::Refusal(left).encode(&mut Vec::new()).is_err());
    }
}
