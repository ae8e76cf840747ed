//! Notices: what the server tells of itself and the room, besides the game.
//!
//! A later version may have notices that this one does not know; they are skipped, for none needs an answer.

use super::bounded::BoundedText;
use super::control::{self, CLAIM};
use super::extension::{Extensions, write_extension};
use super::hello::text_extension;
use super::welcome::LevelInfo;
use super::{MessageError, ServerType};
use crate::end::{ComeBack, SessionEnd};
use crate::limits::{MAX_NOTICE_BYTES, MAX_TEXT_BYTES};
use crate::snapshot::RateMode;
use crate::time::{Micros, Tick};

/// A notice, and a text that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// Extension 1: words for people.
    pub text: Option<BoundedText<MAX_TEXT_BYTES>>,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Kind 1: the process will end, and the match moves to another one.
    Draining {
        /// In how long.
        within: Micros,
    },
    /// Kind 2: from now on the room has this level.
    Level(LevelInfo),
    /// Kind 3: the server's clock slipped. Clients anchor their clocks anew.
    Slip {
        /// How many times it has slipped, this time included.
        epoch: u16,
        /// By how many tick periods this time.
        ticks: u32,
    },
    /// Kind 4: how often snapshots come from now on.
    Rate(RateMode),
    /// Kind 5: the session ends now. The connection is closed next, with the same code.
    GoingAway {
        /// The code of the end.
        code: u16,
        /// Whether to come back, and when: this hint and not the table's.
        come_back: ComeBack,
    },
    /// Kind 6: what the server believes that the client knows after a snapshot. It follows that snapshot, if
    /// [`WANTS_CHECKS`](super::Features::WANTS_CHECKS) is in force.
    Check {
        /// The tick of the snapshot.
        tick: Tick,
        /// The 32-bit check of it, as [`View::check`](crate::snapshot::View::check) computes it.
        check: u32,
    },
    /// A notice of a later version, to be skipped.
    Unknown(u8),
}

impl Notice {
    /// The end of the session that this notice tells, and the hint that goes with it. An unknown end is a
    /// lost connection.
    #[must_use]
    pub fn going_away(&self) -> Option<(SessionEnd, ComeBack)> {
        let NoticeKind::GoingAway { code, come_back } = self.kind else { return None };
        Some((SessionEnd::from_code(code).unwrap_or(SessionEnd::ConnectionLost), come_back))
    }

    pub(super) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), MessageError> {
        let limit = MAX_NOTICE_BYTES;
        match &self.kind {
            NoticeKind::Draining { within } => {
                out.push(DRAINING);
                control::encode(within, limit, out)?;
            }
            NoticeKind::Level(level) => {
                out.push(LEVEL);
                control::encode(level, limit, out)?;
            }
            NoticeKind::Slip { epoch, ticks } => {
                out.push(SLIP);
                control::encode(&(*epoch, *ticks), limit, out)?;
            }
            NoticeKind::Rate(rate) => {
                out.push(RATE);
                control::encode(rate, limit, out)?;
            }
            NoticeKind::GoingAway { code, come_back } => {
                out.push(GOING_AWAY);
                control::encode(&(*code, *come_back), limit, out)?;
            }
            NoticeKind::Check { tick, check } => {
                out.push(CHECK);
                control::encode(&(*tick, *check), limit, out)?;
            }
            NoticeKind::Unknown(kind) => {
                out.push(*kind);
                return Ok(());
            }
        }
        if let Some(text) = &self.text {
            write_extension(TEXT, text.as_str().as_bytes(), out)?;
        }
        Ok(())
    }

    pub(super) fn decode_body(body: &[u8]) -> Result<Notice, MessageError> {
        let truncated = MessageError::Truncated(ServerType::Notice as u8);
        let (&kind, body) = body.split_first().ok_or(truncated)?;
        let (kind, rest) = match kind {
            DRAINING => read(body, |within| NoticeKind::Draining { within })?,
            LEVEL => read(body, NoticeKind::Level)?,
            SLIP => read(body, |(epoch, ticks)| NoticeKind::Slip { epoch, ticks })?,
            RATE => read(body, NoticeKind::Rate)?,
            GOING_AWAY => read(body, |(code, come_back)| NoticeKind::GoingAway { code, come_back })?,
            CHECK => read(body, |(tick, check)| NoticeKind::Check { tick, check })?,
            unknown => return Ok(Notice { kind: NoticeKind::Unknown(unknown), text: None }),
        };
        Ok(Notice { kind, text: text_extension(Extensions::parse(rest)?, TEXT)? })
    }
}

impl From<NoticeKind> for Notice {
    fn from(kind: NoticeKind) -> Notice {
        Notice { kind, text: None }
    }
}

fn read<T: serde::de::DeserializeOwned>(
    body: &[u8],
    kind: impl FnOnce(T) -> NoticeKind,
) -> Result<(NoticeKind, &[u8]), MessageError> {
    let (value, rest) = control::decode_prefix::<T, { MAX_NOTICE_BYTES * CLAIM }>(body)?;
    Ok((kind(value), rest))
}

const DRAINING: u8 = 1;
const LEVEL: u8 = 2;
const SLIP: u8 = 3;
const RATE: u8 = 4;
const GOING_AWAY: u8 = 5;
const CHECK: u8 = 6;

/// The extension with words for people.
const TEXT: u16 = 1;

#[cfg(test)]
mod tests {
    use super::super::ServerMessage;
    use super::super::welcome::LevelSource;
    use super::*;
    use crate::limits::MAX_LEVEL_PATH_BYTES;

    fn kinds() -> Vec<NoticeKind> {
        let path = BoundedText::new("p".repeat(MAX_LEVEL_PATH_BYTES)).unwrap();
        let source = LevelSource::Fetch(path);
        vec![
            NoticeKind::Draining { within: Micros(u64::MAX) },
            NoticeKind::Level(LevelInfo { epoch: u16::MAX, content_hash: u64::MAX, source }),
            NoticeKind::Slip { epoch: 3, ticks: 900_000 },
            NoticeKind::Rate(RateMode::EverySecondTick),
            NoticeKind::GoingAway { code: 4000, come_back: ComeBack::After(Micros(1)) },
            NoticeKind::Check { tick: Tick(u32::MAX), check: 0x1234_5678 },
        ]
    }

    #[test]
    fn each_kind_round_trips_with_and_without_words() {
        let text = BoundedText::new("x".repeat(MAX_TEXT_BYTES)).unwrap();
        for kind in kinds() {
            for text in [None, Some(text.clone())] {
                let message = ServerMessage::Notice(Notice { kind: kind.clone(), text });
                let mut bytes = Vec::new();
                message.encode(&mut bytes).unwrap();
                assert_eq!(ServerMessage::decode(&bytes), Ok(message));
                assert!(bytes.len() <= MAX_NOTICE_BYTES);
            }
        }
    }

    #[test]
    fn unknown_kinds_are_skipped_whatever_they_hold() {
        let notice = ServerMessage::decode(&[ServerType::Notice as u8, 77, 1, 2, 3]);
        assert_eq!(notice, Ok(ServerMessage::Notice(NoticeKind::Unknown(77).into())));
        let empty = ServerType::Notice as u8;
        assert_eq!(ServerMessage::decode(&[empty]), Err(MessageError::Truncated(empty)));
    }

    #[test]
    fn an_end_is_told_before_the_close() {
        let end = |code| Notice::from(NoticeKind::GoingAway { code, come_back: ComeBack::Now }).going_away();
        assert_eq!(end(4002), Some((SessionEnd::RoomClosed, ComeBack::Now)));
        assert_eq!(end(4099), Some((SessionEnd::ConnectionLost, ComeBack::Now)));
        assert_eq!(Notice::from(NoticeKind::Rate(RateMode::EveryTick)).going_away(), None);
    }
}
