//! What a bot on the network knows: the brain's view, made of what its client shows.

use super::{Brain, View};
use crate::avatar::Avatar;
use crate::entities::{BOLT, Bolt, FIGURE, Figure, PICKUP, Pickup, SCORE};
use crate::level::Map;
use crate::rules::Arena;
use crate::teams::Colour;
use glam::Vec2;
use tickwire_protocol::client::Scene;
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::time::Tick;

/// What one player is shown, in the form that a brain takes. Its memory is used again and again.
///
/// ```text
/// senses.attend(&brain, tick, dt);
/// let scene = client.view_of(now, |index, _| senses.needs(index));
/// senses.look(player, &scene);
/// let input = senses.view(tick, dt, &level).map(|view| brain.think(&view));
/// ```
///
/// A brain decides ten times a second, and looks at everything then. In between it keeps its eyes on whom it
/// fights: what else there is need not be worked out, and makes no difference to it.
#[derive(Clone, Debug, Default)]
pub struct Senses {
    player: PlayerId,
    avatar: Option<Avatar>,
    colour: Colour,
    figures: Vec<Figure>,
    bolts: Vec<Bolt>,
    pickups: Vec<Pickup>,
    /// The figures as of the last look at everything.
    known: Vec<(EntityIndex, PlayerId, Colour)>,
    /// The entities that are needed, in ascending order; `None` is all.
    needed: Option<Vec<EntityIndex>>,
}

impl Senses {
    /// Senses that have seen nothing yet.
    #[must_use]
    pub fn new() -> Senses {
        Senses::default()
    }

    /// Prepares for the look for a tick's input: everything if the brain decides in it, else those alone
    /// that it follows.
    pub fn attend(&mut self, brain: &Brain, tick: Tick, dt: f32) {
        if brain.decides(tick, dt) {
            self.needed = None;
            return;
        }
        let needed = self.needed.get_or_insert_default();
        needed.clear();
        let target = brain.target();
        let follows = |player, colour: Colour| Some(player) == target || colour.is_with(self.colour);
        let known = self.known.iter().filter(|(_, player, colour)| follows(*player, *colour));
        needed.extend(known.map(|(index, ..)| *index));
    }

    /// Whether an entity is needed for the next look.
    #[must_use]
    pub fn needs(&self, index: EntityIndex) -> bool {
        self.needed.as_ref().is_none_or(|needed| needed.binary_search(&index).is_ok())
    }

    /// Takes in what is shown to a player now.
    pub fn look(&mut self, player: PlayerId, scene: &Scene<'_, Arena>) {
        self.player = player;
        self.avatar = scene.avatar.copied();
        self.figures.clear();
        if self.needed.is_some() {
            self.figures.extend(scene.entities.clone().filter_map(|entity| entity.get(FIGURE)));
            return;
        }
        self.bolts.clear();
        self.pickups.clear();
        self.known.clear();
        for entity in scene.entities.clone() {
            if let Some(figure) = entity.get(FIGURE) {
                self.known.push((entity.index, PlayerId(figure.player), figure.colour));
                self.figures.push(figure);
            }
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
