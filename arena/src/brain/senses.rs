//! What a bot on the network knows: the brain's view, made of what its client shows.

use super::View;
use crate::avatar::Avatar;
use crate::entities::{BOLT, Bolt, FIGURE, Figure, PICKUP, Pickup, SCORE};
use crate::level::Map;
use crate::rules::Arena;
use crate::teams::Colour;
use glam::Vec2;
use tickwire_protocol::client::Scene;
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::time::Tick;

/// What one player is shown, in the form that a brain takes. Its memory is used again and again.
///
/// ```text
/// let scene = client.view(now);
/// senses.look(player, &scene);
/// let input = senses.view(tick, dt, &level).map(|view| brain.think(&view));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Senses {
    player: PlayerId,
    avatar: Option<Avatar>,
    colour: Colour,
    figures: Vec<Figure>,
    bolts: Vec<Bolt>,
    pickups: Vec<Pickup>,
}

impl Senses {
    /// Senses that have seen nothing yet.
    #[must_use]
    pub fn new() -> Senses {
        Senses::default()
    }

    /// Takes in what is shown to a player now.
    pub fn look(&mut self, player: PlayerId, scene: &Scene<'_, Arena>) {
        self.player = player;
        self.avatar = scene.avatar.copied();
        self.figures.clear();
        self.bolts.clear();
        self.pickups.clear();
        for entity in scene.entities.clone() {
            self.figures.extend(entity.get(FIGURE));
            self.bolts.extend(entity.get(BOLT));
            self.pickups.extend(entity.get(PICKUP));
            if let Some(score) = entity.get(SCORE).filter(|score| score.player == player.0) {
                self.colour = score.colour;
            }
        }
    }

    /// Where the own player is, while it is alive.
    #[must_use]
    pub fn place(&self) -> Option<Vec2> {
        self.avatar.as_ref().map(|avatar| avatar.position)
    }

    /// The view for the input of a tick; the dead have none.
    #[must_use]
    pub fn view<'a>(&'a self, tick: Tick, dt: f32, map: &'a Map) -> Option<View<'a>> {
        Some(View {
            tick,
            dt,
            map,
            player: self.player,
            avatar: self.avatar.as_ref()?,
            colour: self.colour,
            figures: &self.figures,
            bolts: &self.bolts,
            pickups: &self.pickups,
        })
    }
}
