//! What players are told once, what they may say, and what a step shows beside the state.

use crate::level::PickupKind;
use crate::teams::Colour;
use crate::weapons::Weapon;
use glam::Vec2;
use serde::{Deserialize, Serialize};
use tickwire_protocol::id::PlayerId;

/// What players are told once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ArenaEvent {
    /// Who plays: told to whoever comes in, in as many parts as it takes.
    Roster(Vec<RosterEntry>),
    /// Somebody is here, or is called otherwise from now on. Told to all.
    Named(RosterEntry),
    /// Somebody is gone. Told to all.
    Left {
        /// Who.
        player: PlayerId,
    },
    /// The own player appears. Told to it alone.
    Spawned {
        /// Where.
        at: Vec2,
    },
    /// A rail gun went off. Told to those who see the shooter; its own client has shown it already, and takes
    /// from this only who was hit.
    Rail {
        /// Whose.
        by: PlayerId,
        /// From where.
        from: Vec2,
        /// To where: a wall, a player, or as far as it reaches.
        to: Vec2,
        /// Who was hit.
        victim: Option<PlayerId>,
    },
    /// Somebody was hit. Told to the victim, and to who hit it.
    Hit {
        /// Who was hit.
        victim: PlayerId,
        /// Whose doing it is.
        by: PlayerId,
        /// With what.
        weapon: Weapon,
        /// The number of the shot: the own bolt with this number flies no further.
        number: u16,
        /// What it was worth; 0 when the victim is protected or on the same side.
        damage: u8,
        /// Where.
        at: Vec2,
    },
    /// Somebody died. Told to all.
    Killed {
        /// Who.
        victim: PlayerId,
        /// Whose doing it is.
        by: PlayerId,
        /// With what.
        weapon: Weapon,
        /// How many the killer has killed since it died last.
        streak: u16,
    },
    /// Somebody took what lay there. Told to those who see it.
    Taken {
        /// Who.
        player: PlayerId,
        /// What.
        what: PickupKind,
        /// Where.
        at: Vec2,
    },
    /// Somebody said something. Told to all, or to the team.
    Said {
        /// Who.
        player: PlayerId,
        /// Whether it is for the team alone.
        to_team: bool,
        /// What: at most [`MAX_CHAT_CHARACTERS`](crate::MAX_CHAT_CHARACTERS) characters that can be seen.
        text: String,
    },
    /// What was said cannot be. Told to who said it.
    Refused(Refusal),
    /// A round begins. Told to all.
    RoundBegins {
        /// How many there were before.
        number: u32,
        /// The name of the level.
        map: String,
    },
    /// The round is over. Told to all.
    RoundOver {
        /// Who won it.
        winner: Winner,
    },
}

/// Somebody who plays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// Who it is.
    pub player: PlayerId,
    /// What it is called.
    pub name: String,
}

/// Who won a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Winner {
    /// Nobody: two are equal, or nothing was fought.
    Nobody,
    /// A player.
    Player(PlayerId),
    /// A team.
    Team(Colour),
}

/// What a player may say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ArenaCommand {
    /// To everybody.
    Say(String),
    /// To the own team.
    SayTeam(String),
    /// To be called otherwise.
    Rename(String),
    /// To play in another colour.
    Join(Colour),
}

/// Why something that was said cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Refusal {
    /// Nothing can be seen of the text.
    Empty,
    /// The text is too long.
    TooLong,
    /// Too much was said in too short a time.
    TooOften,
    /// Such a name cannot be.
    Name,
    /// There are no teams, or not this one.
    NoSuchTeam,
    /// The team has more players than the other already.
    TeamIsFull,
    /// Who watches has no say.
    Spectator,
}

impl Refusal {
    /// All of them, in their order.
    pub const ALL: &[Refusal] = &[
        Refusal::Empty,
        Refusal::TooLong,
        Refusal::TooOften,
        Refusal::Name,
        Refusal::NoSuchTeam,
        Refusal::TeamIsFull,
        Refusal::Spectator,
    ];

    /// Its name, as the server's counters have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Refusal::Empty => "chat_empty",
            Refusal::TooLong => "chat_too_long",
            Refusal::TooOften => "talk_too_often",
            Refusal::Name => "name",
            Refusal::NoSuchTeam => "no_such_team",
            Refusal::TeamIsFull => "team_is_full",
            Refusal::Spectator => "spectator_talk",
        }
    }
}

/// What a step shows beside the state, at once and on the own player's side alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum ArenaEffect {
    /// The own player dashes.
    Dash {
        /// From where.
        from: Vec2,
        /// Where to: a direction of length 1.
        way: Vec2,
    },
    /// The own rail gun goes off. It is drawn to the first wall; whom it hit is told by the server.
    Rail {
        /// The number of the shot.
        number: u16,
        /// From where.
        from: Vec2,
        /// Where to: a direction of length 1.
        way: Vec2,
    },
    /// The own player throws a bolt. It is drawn as flying straight, to the first wall and for
    /// [`BOLT_RANGE`](crate::weapons::BOLT_RANGE) at most, until an [`ArenaEvent::Hit`] has its number.
    Bolt {
        /// The number of the shot.
        number: u16,
        /// From where.
        from: Vec2,
        /// Tiles per second.
        velocity: Vec2,
    },
}
