//! Why a session ends: one table with the WebSocket close code, the name, the text, and whether to come back.
//!
//! A close frame carries the code and, as its reason, the name. Codes of the 1000s are the WebSocket's own
//! (RFC 6455, section 7.4.1); 4000 to 4099 are ends of a session, 4100 to 4199 refusals, which end it before
//! it began.

use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// Whether a client should come back after an end, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ComeBack {
    /// Not by itself: it would end the same way, or somebody wanted it to stay away.
    Never,
    /// At once, as a new player.
    Now,
    /// As a new player, no sooner than after this time.
    After(Micros),
    /// At once, with the resume token.
    Resume,
}

/// The row of an end in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndRow {
    /// The end.
    pub end: SessionEnd,
    /// The WebSocket close code.
    pub code: u16,
    /// The stable name, in lower case with hyphens.
    pub name: &'static str,
    /// What a client does unless the server hints otherwise.
    pub come_back: ComeBack,
    /// A sentence for people.
    pub text: &'static str,
}

/// Makes the enum and the table from one list, so that neither lacks what the other has.
macro_rules! session_ends {
    ($($end:ident $code:literal $name:literal $come_back:expr, $text:literal;)*) => {
        /// Why a session ended, or did not begin.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SessionEnd {
            $(#[doc = $text] $end,)*
        }

        /// All ends, by code.
        pub const SESSION_ENDS: &[EndRow] = &[
            $(EndRow {
                end: SessionEnd::$end, code: $code, name: $name, come_back: $come_back, text: $text,
            },)*
        ];
    };
}

session_ends! {
    Left 1000 "left" ComeBack::Never, "The player left.";
    ServerClosing 1001 "server-closing" ComeBack::After(SECONDS_5), "The server is shutting down.";
    ConnectionLost 1006 "connection-lost" ComeBack::Resume, "The connection was lost.";
    Internal 1011 "internal" ComeBack::After(SECONDS_5), "The server made a mistake.";
    Draining 4000 "draining" ComeBack::Resume, "The match moves to another process.";
    RoomEnded 4001 "room-ended" ComeBack::After(SECONDS_1), "The game failed, and its room ended.";
    RoomClosed 4002 "room-closed" ComeBack::Never, "The match is over, and its room closed.";
    Kicked 4003 "kicked" ComeBack::Never, "The player was removed from the room.";
    Replaced 4004 "replaced" ComeBack::Never, "The player went on from another connection.";
    TimedOut 4005 "timed-out" ComeBack::Resume, "Nothing was heard for too long.";
    HandshakeTimedOut 4006 "handshake-timed-out" ComeBack::After(SECONDS_1), "No hello came in time.";
    TextFrame 4010 "text-frame" ComeBack::Never, "A text frame came, and Tickwire speaks in binary.";
    Malformed 4011 "malformed" ComeBack::Never, "A message could not be read.";
    WrongSide 4012 "wrong-side" ComeBack::Never, "A message came from the side that does not send it.";
    OutOfOrder 4013 "out-of-order" ComeBack::Never, "A message came when it is not allowed.";
    FalseAcknowledgement 4014 "false-acknowledgement" ComeBack::Never,
        "Something was acknowledged that was never sent.";
    TooLarge 4015 "too-large" ComeBack::Never, "A message was too large.";
    TooMany 4016 "too-many" ComeBack::After(SECONDS_10), "Too many messages came.";
    InputOutOfWindow 4017 "input-out-of-window" ComeBack::After(SECONDS_1),
        "Inputs kept coming for ticks that are far off.";
    EventOverflow 4018 "event-overflow" ComeBack::Now, "More events waited than a session may keep.";
    SlowReader 4019 "slow-reader" ComeBack::After(SECONDS_1), "The client did not read what it was sent.";
    RoomFull 4100 "room-full" ComeBack::After(SECONDS_5), "The room is full.";
    UnknownRoom 4101 "unknown-room" ComeBack::Never, "There is no such room.";
    UnknownGame 4102 "unknown-game" ComeBack::Never, "The server does not have this game.";
    WrongVersion 4103 "wrong-version" ComeBack::Never, "The server speaks another version of the protocol.";
    WrongSchema 4104 "wrong-schema" ComeBack::Never, "The server has another version of the game.";
    DrainingRefused 4105 "draining-refused" ComeBack::After(SECONDS_5), "The server takes nobody in now.";
    CredentialRefused 4106 "credential-refused" ComeBack::Never, "The credential was not accepted.";
    Banned 4107 "banned" ComeBack::Never, "The player is banned.";
    NameRefused 4108 "name-refused" ComeBack::Never, "The name is not allowed.";
    RateLimited 4109 "rate-limited" ComeBack::After(SECONDS_10), "There were too many attempts to connect.";
    ResumeRefused 4110 "resume-refused" ComeBack::Now, "The session to resume does not exist any more.";
    GameRefused 4111 "game-refused" ComeBack::Never, "The game did not let the player in.";
}

impl SessionEnd {
    /// The row of this end.
    #[must_use]
    pub fn row(self) -> &'static EndRow {
        SESSION_ENDS.iter().find(|row| row.end == self).expect("the enum is made from the table")
    }

    /// The WebSocket close code.
    #[must_use]
    pub fn code(self) -> u16 {
        self.row().code
    }

    /// The stable name: the reason of the close frame, a label in logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What a client does unless the server hints otherwise.
    #[must_use]
    pub fn come_back(self) -> ComeBack {
        self.row().come_back
    }

    /// Whether the session ended before it began.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        REFUSAL_CODES.contains(&self.code())
    }

    /// The end with this close code, or `None` for one that another program or a later version gave. A client
    /// then does as after [`SessionEnd::ConnectionLost`].
    #[must_use]
    pub fn from_code(code: u16) -> Option<SessionEnd> {
        SESSION_ENDS.iter().find(|row| row.code == code).map(|row| row.end)
    }

    /// The end with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<SessionEnd> {
        SESSION_ENDS.iter().find(|row| row.name == name).map(|row| row.end)
    }
}

impl std::fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.row().text)
    }
}

impl std::error::Error for SessionEnd {}

/// The close codes of refusals.
pub const REFUSAL_CODES: std::ops::Range<u16> = 4100..4200;

const SECONDS_1: Micros = Micros(1_000_000);
const SECONDS_5: Micros = Micros(5_000_000);
const SECONDS_10: Micros = Micros(10_000_000);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_and_names_are_unique_and_ascend() {
        assert!(SESSION_ENDS.windows(2).all(|pair| pair[0].code < pair[1].code));
        let names: BTreeSet<_> = SESSION_ENDS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), SESSION_ENDS.len());
    }

    #[test]
    fn each_end_is_found_by_code_and_by_name() {
        for row in SESSION_ENDS {
            assert_eq!(row.end.row(), row);
            assert_eq!(SessionEnd::from_code(row.code), Some(row.end));
            assert_eq!(SessionEnd::from_name(row.name), Some(row.end));
            assert_eq!(row.end.is_refusal(), row.code / 100 == 41);
        }
        assert_eq!(SessionEnd::from_code(1005), None);
        assert_eq!(SessionEnd::from_code(4099), None);
        assert_eq!(SessionEnd::from_name("Left"), None);
    }

    #[test]
    fn rows_are_fit_for_a_close_frame_and_for_people() {
        for row in SESSION_ENDS {
            assert!(row.code / 1000 == 1 || (4000..5000).contains(&row.code), "{}", row.code);
            let plain = |letter: char| letter.is_ascii_lowercase() || letter == '-';
            assert!(!row.name.is_empty() && row.name.len() <= 123 && row.name.chars().all(plain));
            assert!(row.text.len() > 10 && row.text.ends_with('.'), "{}", row.text);
            if let ComeBack::After(time) = row.come_back {
                assert!(time > Micros(0));
            }
        }
    }
}
