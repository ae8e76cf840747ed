//! Somebody who plays: a person, or an NPC.

use crate::avatar::Avatar;
use crate::brain::Brain;
use crate::teams::Colour;
use serde::{Deserialize, Serialize};
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::time::Tick;

/// Somebody who plays, alive or dead.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fighter {
    /// What it is called.
    pub(crate) name: String,
    /// The colour it plays in.
    pub(crate) colour: Colour,
    /// Its figure, while it is alive.
    pub(crate) entity: Option<EntityIndex>,
    /// Its line of the scoreboard.
    pub(crate) score: EntityIndex,
    /// What its client predicts. Of the dead it is what was left.
    pub(crate) avatar: Avatar,
    /// Whether it is alive.
    pub(crate) life: Life,
    /// Whom it has killed, in this round.
    pub(crate) kills: u16,
    /// How often it died.
    pub(crate) deaths: u16,
    /// Kills since it died last.
    pub(crate) streak: u16,
    /// Seconds' worth of talk that it has saved up.
    pub(crate) talk: f32,
    /// Who plays it, if it is no person.
    pub(crate) brain: Option<Box<Brain>>,
}

/// Whether somebody is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Life {
    /// It is.
    Alive,
    /// It is not, and comes back.
    Dead {
        /// When.
        until: Tick,
    },
}

impl Fighter {
    /// Somebody who has yet to appear.
    pub(crate) fn new(
        name: String,
        colour: Colour,
        score: EntityIndex,
        brain: Option<Box<Brain>>,
    ) -> Fighter {
        Fighter {
            name,
            colour,
            entity: None,
            score,
            avatar: Avatar::default(),
            life: Life::Dead { until: Tick(0) },
            kills: 0,
            deaths: 0,
            streak: 0,
            talk: crate::talk::MAX_TALK_SECONDS,
            brain,
        }
    }

    /// Whether it is alive.
    pub(crate) fn is_alive(&self) -> bool {
        self.life == Life::Alive
    }
}

/// NPCs have ids from here up. A server gives people ids below 60,000.
pub const FIRST_NPC: u16 = 65_000;

/// Whether a player is an NPC.
#[must_use]
pub fn is_npc(player: PlayerId) -> bool {
    player.0 >= FIRST_NPC
}
