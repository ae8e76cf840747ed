//! What a brain may know: no more than the screen of a person shows.

use crate::avatar::Avatar;
use crate::entities::{Bolt, Figure, Pickup};
use crate::level::Map;
use crate::teams::Colour;
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::time::Tick;

/// The world as one player is told of it. A server makes it of its state for an NPC, and a bot on the network
/// of what it has decoded.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The tick that the input is for.
    pub tick: Tick,
    /// The length of a tick in seconds.
    pub dt: f32,
    /// The level.
    pub map: &'a Map,
    /// Who looks.
    pub player: PlayerId,
    /// Its avatar, as it is before the tick.
    pub avatar: &'a Avatar,
    /// The colour it plays in.
    pub colour: Colour,
    /// The others within sight, as they are shown. Its own figure may be among them.
    pub figures: &'a [Figure],
    /// Bolts within sight; those of its own do no harm, and may be missing.
    pub bolts: &'a [Bolt],
    /// What lies about within sight.
    pub pickups: &'a [Pickup],
}

impl<'a> View<'a> {
    /// Whether somebody is to be fought.
    pub(super) fn is_enemy(&self, figure: &Figure) -> bool {
        figure.player != self.player.0 && !figure.colour.is_with(self.colour)
    }

    /// Whether somebody else is on its side.
    pub(super) fn is_friend(&self, figure: &Figure) -> bool {
        figure.player != self.player.0 && figure.colour.is_with(self.colour)
    }

    /// The figure of a player, if it is within sight.
    pub(super) fn figure(&self, player: PlayerId) -> Option<&'a Figure> {
        self.figures.iter().find(|figure| figure.player == player.0)
    }

    /// Whether it could shoot somebody who stands there.
    pub(super) fn is_in_sight(&self, figure: &Figure) -> bool {
        self.map.is_in_sight(self.avatar.position, figure.position)
    }
}
