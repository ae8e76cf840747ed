//! What a client tells its owner: the scene to draw, what happened, and how things stand.

use super::interpolate::Entities;
use crate::end::SessionEnd;
use crate::game::{Simulation, ViewTime};
use crate::message::Notice;
use crate::time::{Micros, Tick};

/// What to draw now.
pub struct Scene<'a, S: Simulation> {
    /// The own avatar as it is predicted; `None` for the dead, for spectators, and before the level is
    /// there.
    pub avatar: Option<&'a S::Avatar>,
    /// The others. The own entity is not among them if the client predicts.
    pub entities: Entities<'a>,
    /// The time at which the others are shown.
    pub time: ViewTime,
    /// How things stand.
    pub state: ClientState,
}

/// How a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// It is not let in yet.
    Connecting,
    /// It is let in, and waits for the level.
    Loading,
    /// It is in the room.
    Playing,
    /// Nothing is heard, or the connection is lost, and another one is being opened. The player is still in
    /// the room.
    Reconnecting {
        /// Since when nothing is heard.
        since: Micros,
    },
    /// The session is over, and the client will come back as a new player.
    Waiting {
        /// When.
        until: Micros,
        /// How the session ended.
        after: SessionEnd,
    },
    /// It is over, and the client does not come back by itself.
    Ended(SessionEnd),
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent<E> {
    /// The client is let in: [`Client::session`](super::Client::session) knows the welcome.
    Welcomed {
        /// Whether an earlier session goes on. If not, the player is a new one, and all that was known of
        /// the world is void.
        resumed: bool,
    },
    /// A connection was lost or given up, with this end.
    Disconnected(SessionEnd),
    /// The game told something, and the view has reached its tick.
    Game(Tick, E),
    /// The server told something: that it drains, that its clock slipped, or another level.
    Notice(Notice),
    /// It is over. Nothing follows.
    Ended {
        /// Why.
        end: SessionEnd,
        /// More about it for people, from the server; may be empty.
        text: String,
    },
}
