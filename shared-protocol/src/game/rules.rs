//! The server's half of a game.

use super::context::TickContext;
use super::event::TeamId;
use super::frame::Frame;
use super::level::{LevelError, LoadedLevel};
use super::refusal::JoinRefusal;
use super::simulation::Simulation;
use crate::determinism::SimRng;
use crate::id::{EntityIndex, PlayerId};
use glam::Vec3;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The rules of a game, run by the server alone.
///
/// The value is the whole state of one match: it is saved and restored through its own `Serialize` and
/// `Deserialize`, and what it computes depends on itself and the arguments alone. The host calls, per tick
/// and in this order: [`leave`], [`join`], [`level_changed`] if it has, [`tick`], [`capture`], and then for
/// each player [`avatar`], [`own_entity`], [`viewpoint`], [`team`] and [`hides`].
///
/// Seven functions are required; the others have a default that is right for games without the thing.
///
/// [`leave`]: Game::leave
/// [`join`]: Game::join
/// [`level_changed`]: Game::level_changed
/// [`tick`]: Game::tick
/// [`capture`]: Game::capture
/// [`avatar`]: Game::avatar
/// [`own_entity`]: Game::own_entity
/// [`viewpoint`]: Game::viewpoint
/// [`team`]: Game::team
/// [`hides`]: Game::hides
pub trait Game: Simulation + Serialize + DeserializeOwned {
    /// What whoever runs the server may set. The default must be playable.
    type Config: Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// A new match.
    fn new(config: &Self::Config, level: &Self::Level, random: &mut SimRng) -> Self;

    /// Somebody comes in. Whether they are still known from an earlier connection is not the game's concern:
    /// a player who comes back to the same match in time has never left.
    ///
    /// # Errors
    /// [`JoinRefusal`]; the game is then as it was before. Events told here are dropped with it.
    fn join(&mut self, joining: &Joining<'_>, context: &mut TickContext<'_, Self>)
    -> Result<(), JoinRefusal>;

    /// Somebody who came in is gone.
    fn leave(&mut self, player: PlayerId, why: Departure, context: &mut TickContext<'_, Self>);

    /// Moves the world on by one tick.
    fn tick(&mut self, context: &mut TickContext<'_, Self>);

    /// Puts each entity that is replicated into the frame.
    fn capture(&self, frame: &mut Frame);

    /// Where a player looks: its interest is centred there. Everybody who came in has one, the dead and
    /// spectators too.
    fn viewpoint(&self, player: PlayerId) -> Viewpoint;

    /// A player's avatar, or `None` for the dead, spectators, and games that do not predict.
    fn avatar(&self, player: PlayerId) -> Option<&Self::Avatar> {
        let _ = player;
        None
    }

    /// The entity as which others see a player's avatar. It is left out of the snapshots of that player, if
    /// its client predicts.
    fn own_entity(&self, player: PlayerId) -> Option<EntityIndex> {
        let _ = player;
        None
    }

    /// The player's team, for events to a team.
    fn team(&self, player: PlayerId) -> Option<TeamId> {
        let _ = player;
        None
    }

    /// Whether a viewer must not know of an entity: of the other team, in the fog, cloaked. What is hidden is
    /// in no byte that the viewer gets; it leaves as if it had gone away. When it is no longer hidden, the
    /// viewer is told of it at once if it would have been told of it without that: what is hidden still
    /// comes within [`Viewpoint::Around`]'s radius for entering, and goes beyond that for leaving.
    ///
    /// Asked after [`Game::capture`], in each tick, for each player and each entity within that player's
    /// interest, but not for its own: some 25 times per player. So it is to be a look-up, and it must not be
    /// moody: the same state gives the same answer.
    fn hides(&self, entity: EntityIndex, viewer: PlayerId) -> bool {
        let _ = (entity, viewer);
        false
    }

    /// What players asked for that cannot be, and so had no effect: `tell` is given each reason by name, and
    /// how often it came up since the match began. The host puts them among its counters, so that whoever
    /// runs a server sees a broken or hostile client. A name is of small letters, digits and underscores;
    /// reasons beyond [`MAX_REFUSAL_REASONS`](crate::limits::MAX_REFUSAL_REASONS) are not counted.
    fn refused(&self, tell: &mut dyn FnMut(&'static str, u64)) {
        let _ = tell;
    }

    /// The level of a new match.
    ///
    /// # Errors
    /// [`LevelError`] when the configured level is none.
    fn first_level(config: &Self::Config) -> Result<LoadedLevel<Self::Level>, LevelError> {
        let _ = config;
        LoadedLevel::parse(Vec::new())
    }

    /// The level is another one from this tick on ([`TickContext::change_level`]); `tick` follows. Whoever
    /// stands in a wall now is to be put elsewhere.
    fn level_changed(&mut self, context: &mut TickContext<'_, Self>) {
        let _ = context;
    }

    /// The match has been restored: what is not saved because it follows from the rest is to be built again.
    fn restored(&mut self, level: &Self::Level) {
        let _ = level;
    }
}

/// Somebody who wants to come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joining<'a> {
    /// Who they will be.
    pub player: PlayerId,
    /// What they want to be called; the host has checked its length and characters.
    pub name: &'a str,
    /// What they want to do.
    pub role: Role,
}

/// What somebody is in the match for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// To play.
    Player,
    /// To watch.
    Spectator,
}

/// Why a player is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It said goodbye.
    Left,
    /// Its connection was lost and did not come back in time.
    Lost,
    /// It was sent away.
    Removed,
}

/// What part of the world a player is told of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Viewpoint {
    /// All of it.
    Everything,
    /// What is near a point. What has come within `enter` is told of until it is beyond `leave`, so that
    /// nothing flickers at the edge. An `enter` below zero or not a number is
    /// zero, and such a `leave` is `enter`.
    Around {
        /// The point.
        centre: Vec3,
        /// The distance within which an entity comes into view.
        enter: f32,
        /// The distance beyond which it goes out of view, at least `enter`.
        leave: f32,
    },
}

impl Viewpoint {
    /// What is near a point, with a leave radius a sixteenth wider than that for entering.
    #[must_use]
    pub fn around(centre: Vec3, radius: f32) -> Viewpoint {
        Viewpoint::Around { centre, enter: radius, leave: radius * 1.0625 }
    }
}
