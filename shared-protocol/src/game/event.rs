//! Events: what happened, told once to those whom it concerns.

use crate::id::{EntityIndex, PlayerId};
use crate::limits::MAX_EVENTS_PER_TICK;
use glam::Vec3;
use serde::{Deserialize, Serialize};

/// A team of players. What it means is the game's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TeamId(pub u8);

/// Who is told of an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Audience {
    /// Everybody in the room, spectators included.
    All,
    /// One player.
    Player(PlayerId),
    /// The players whose [`Game::team`](super::Game::team) it is when the tick ends.
    Team(TeamId),
    /// Those whose viewpoint is near when the tick ends. A viewpoint of everything is near to all.
    Near {
        /// Where it happened.
        point: Vec3,
        /// Up to how far from a viewpoint's centre.
        radius: f32,
        /// Whose doing it is: those from whom the game hides this entity are not told, so that the shot of a
        /// cloaked player does not betray where it stands.
        subject: Option<EntityIndex>,
    },
}

/// An event and whom it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Addressed<E> {
    /// Who is told.
    pub audience: Audience,
    /// What happened.
    pub event: E,
}

/// The events of a tick, in the order in which they happened. Each is stamped with that tick and released to
/// a player when the view has come so far.
///
/// It holds [`MAX_EVENTS_PER_TICK`]; further ones are dropped and counted.
#[derive(Clone, Debug)]
pub struct Events<E> {
    events: Vec<Addressed<E>>,
    dropped: u64,
}

impl<E> Events<E> {
    /// No events.
    #[must_use]
    pub fn new() -> Events<E> {
        Events { events: Vec::new(), dropped: 0 }
    }

    /// Tells an audience.
    pub fn tell(&mut self, audience: Audience, event: E) {
        if self.events.len() < MAX_EVENTS_PER_TICK {
            self.events.push(Addressed { audience, event });
        } else {
            self.dropped += 1;
        }
    }

    /// Tells everybody.
    pub fn tell_all(&mut self, event: E) {
        self.tell(Audience::All, event);
    }

    /// Tells one player.
    pub fn tell_player(&mut self, player: PlayerId, event: E) {
        self.tell(Audience::Player(player), event);
    }

    /// Tells a team.
    pub fn tell_team(&mut self, team: TeamId, event: E) {
        self.tell(Audience::Team(team), event);
    }

    /// Tells those near a point, whoever did it.
    pub fn tell_near(&mut self, point: Vec3, radius: f32, event: E) {
        self.tell(Audience::Near { point, radius, subject: None }, event);
    }

    /// Tells those near a point from whom `subject` is not hidden.
    pub fn tell_who_sees(&mut self, subject: EntityIndex, point: Vec3, radius: f32, event: E) {
        self.tell(Audience::Near { point, radius, subject: Some(subject) }, event);
    }

    /// Takes back all but the first `count` events.
    pub(super) fn truncate(&mut self, count: usize) {
        self.events.truncate(count);
    }

    /// The events so far.
    #[must_use]
    pub fn as_slice(&self) -> &[Addressed<E>] {
        &self.events
    }

    /// Takes all events out.
    pub fn drain(&mut self) -> impl Iterator<Item = Addressed<E>> + '_ {
        self.events.drain(..)
    }

    /// Events dropped because a tick had too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl<E> Default for Events<E> {
    fn default() -> Events<E> {
        Events::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_keep_their_order_and_the_surplus_is_counted() {
        let mut events = Events::new();
        events.tell_player(PlayerId(3), 0);
        events.tell_who_sees(EntityIndex(7), Vec3::X, 2.0, 1);
        (2..MAX_EVENTS_PER_TICK + 2).for_each(|number| events.tell_all(number));
        assert_eq!(events.dropped(), 2);
        assert_eq!(events.as_slice()[0].audience, Audience::Player(PlayerId(3)));
        let told: Vec<usize> = events.drain().map(|addressed| addressed.event).collect();
        assert!(told.into_iter().eq(0..MAX_EVENTS_PER_TICK));
        assert!(events.as_slice().is_empty());
    }
}
