//! What is told of the state: each entity, who may not know of it, and where players look.

use crate::entities::{BOLT, Bolt, FIGURE, Figure, PICKUP, Pickup, ROUND, RoundState, SCORE, Score};
use crate::fighter::{Fighter, is_npc};
use crate::pickups::CLOAK_SIGHT;
use crate::rules::{Arena, SIGHT};
use crate::weapons::BoltShot;
use tickwire_protocol::game::{Frame, Place, Viewpoint};
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::time::Tick;

/// Whose an entity is, for what may not be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Nobody's: everybody may see it.
    #[default]
    Nobody,
    /// A living player.
    Figure(PlayerId),
    /// A bolt of a player.
    Bolt(PlayerId),
}

impl Fighter {
    /// What others see of it.
    pub(crate) fn figure(&self, player: PlayerId) -> Figure {
        let avatar = &self.avatar;
        Figure {
            position: avatar.position,
            velocity: avatar.velocity,
            aim: avatar.aim,
            player: player.0,
            colour: self.colour,
            weapon: avatar.weapon,
            charging: avatar.charge > 0.0,
            cloaked: avatar.cloak > 0.0,
            protected: avatar.protection > 0.0,
            armoured: avatar.armour > 0,
            vitality: avatar.health.div_ceil(10),
        }
    }

    fn score_line(&self, player: PlayerId) -> Score {
        Score {
            player: player.0,
            colour: self.colour,
            kills: self.kills,
            deaths: self.deaths,
            streak: self.streak,
            alive: self.is_alive(),
            npc: is_npc(player),
        }
    }
}

impl Arena {
    pub(crate) fn put_all(&self, frame: &mut Frame) {
        let round = RoundState {
            phase: self.round.phase,
            ends_low: self.round.ends.unwrap_or(Tick(0)).0 & RoundState::LOW_BITS,
            teams: self.config.teams,
            red: self.round.red,
            blue: self.round.blue,
            score_limit: self.config.score_limit as u16,
        };
        frame.put(ROUND, self.round_entity, &round, Place::everywhere());
        for (player, fighter) in &self.fighters {
            frame.put(
                SCORE,
                fighter.score,
                &fighter.score_line(*player),
                Place::everywhere().with_importance(0.5),
            );
            if let Some(entity) = fighter.entity {
                let place = Place::on_plane(fighter.avatar.position).with_importance(2.0);
                frame.put(FIGURE, entity, &fighter.figure(*player), place);
            }
        }
        for bolt in &self.bolts {
            let place = Place::on_plane(bolt.position).with_importance(2.0);
            frame.put(BOLT, bolt.entity, &self.bolt(bolt), place);
        }
        for pickup in &self.pickups {
            let shown =
                Pickup { position: pickup.position, what: pickup.what, present: pickup.back.is_none() };
            frame.put(PICKUP, pickup.entity, &shown, Place::on_plane(pickup.position).with_importance(0.5));
        }
    }

    pub(crate) fn bolt(&self, bolt: &BoltShot) -> Bolt {
        Bolt {
            position: bolt.position,
            velocity: bolt.velocity,
            owner: bolt.owner.0,
            colour: self.fighters.get(&bolt.owner).map(|fighter| fighter.colour).unwrap_or_default(),
        }
    }

    /// Notes whose each entity is. It follows from the rest of the state, and is asked some thousand times a
    /// tick.
    pub(crate) fn note_owners(&mut self) {
        self.owners.clear();
        let mut note = |entity: EntityIndex, owner| {
            let place = usize::from(entity.0);
            if self.owners.len() <= place {
                self.owners.resize(place + 1, Owner::Nobody);
            }
            self.owners[place] = owner;
        };
        for (player, fighter) in &self.fighters {
            if let Some(entity) = fighter.entity {
                note(entity, Owner::Figure(*player));
            }
        }
        for bolt in &self.bolts {
            note(bolt.entity, Owner::Bolt(bolt.owner));
        }
    }

    pub(crate) fn is_hidden(&self, entity: EntityIndex, viewer: PlayerId) -> bool {
        match self.owners.get(usize::from(entity.0)).copied().unwrap_or_default() {
            Owner::Nobody => false,
            Owner::Bolt(owner) => owner == viewer,
            Owner::Figure(player) => self.is_figure_hidden(player, viewer),
        }
    }

    /// A cloak hides from enemies who are not close. The dead and those who watch are never close, or they
    /// could say where it is.
    pub(crate) fn is_figure_hidden(&self, player: PlayerId, viewer: PlayerId) -> bool {
        let Some(fighter) = self.fighters.get(&player) else { return false };
        if fighter.avatar.cloak == 0.0 || player == viewer {
            return false;
        }
        let Some(viewer) = self.fighters.get(&viewer) else { return true };
        let distance_squared = viewer.avatar.position.distance_squared(fighter.avatar.position);
        let is_close = viewer.is_alive() && distance_squared < CLOAK_SIGHT * CLOAK_SIGHT;
        !is_close && !viewer.colour.is_with(fighter.colour)
    }

    /// The living look around themselves, the dead where they fell, and who watches sees everything.
    pub(crate) fn look_of(&self, player: PlayerId) -> Viewpoint {
        let around = |fighter: &Fighter| Viewpoint::around(fighter.avatar.position.extend(0.0), SIGHT);
        self.fighters.get(&player).map_or(Viewpoint::Everything, around)
    }
}
