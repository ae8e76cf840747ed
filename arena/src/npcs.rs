//! NPCs: they fill a room up, give way to people, and see no more than people do.

use crate::brain::{Brain, View};
use crate::entities::{Bolt, Figure, Pickup};
use crate::events::{ArenaEvent, RosterEntry};
use crate::fighter::{FIRST_NPC, Fighter, is_npc};
use crate::input::ArenaInput;
use crate::rules::{Arena, SIGHT};
use crate::teams::Colour;
use tickwire_protocol::game::TickContext;
use tickwire_protocol::id::PlayerId;

impl Arena {
    /// Brings the number of NPCs by one nearer to what it should be.
    pub(crate) fn fill_up(&mut self, context: &mut TickContext<'_, Arena>) {
        let players = self.fighters.len() as u32;
        if players < self.config.npcs {
            self.add_npc(context);
        } else if players > self.config.npcs {
            self.remove_npc(context);
        }
    }

    fn add_npc(&mut self, context: &mut TickContext<'_, Arena>) {
        let free = (0..).map(|number| PlayerId(FIRST_NPC + number)).take(usize::from(u16::MAX - FIRST_NPC));
        let Some(player) = free.clone().find(|player| !self.fighters.contains_key(player)) else { return };
        let Ok(score) = self.slots.allocate(context.tick) else { return };
        let number = usize::from(player.0 - FIRST_NPC);
        let name = match (NAMES[number % NAMES.len()], number / NAMES.len()) {
            (name, 0) => name.to_owned(),
            (name, more) => format!("{name} {}", more + 1),
        };
        let brain = Brain::new(context.random.next_u64());
        let fighter = Fighter::new(name.clone(), self.smaller_team(), score, Some(Box::new(brain)));
        self.fighters.insert(player, fighter);
        context.events.tell_all(ArenaEvent::Named(RosterEntry { player, name }));
        self.place(player, context);
    }

    /// Sends away an NPC of the larger team: the one with the fewest kills.
    pub(crate) fn remove_npc(&mut self, context: &mut TickContext<'_, Arena>) {
        let larger = match self.smaller_team() {
            Colour::Red => Colour::Blue,
            Colour::Blue => Colour::Red,
            Colour::None => Colour::None,
        };
        let npcs = self.fighters.iter().filter(|(player, _)| is_npc(**player));
        let worst = npcs.min_by_key(|(player, npc)| (npc.colour != larger, npc.kills, **player));
        if let Some(player) = worst.map(|(player, _)| *player) {
            self.remove(player, context);
        }
    }

    /// The team that somebody who comes in is to play in.
    pub(crate) fn smaller_team(&self) -> Colour {
        if !self.config.teams {
            return Colour::None;
        }
        let count = |colour| self.fighters.values().filter(|fighter| fighter.colour == colour).count();
        if count(Colour::Blue) < count(Colour::Red) { Colour::Blue } else { Colour::Red }
    }

    /// What the NPCs want in this tick, in the order of their ids. They know what a person would be told.
    pub(crate) fn think(&mut self, context: &TickContext<'_, Arena>) -> Vec<(PlayerId, ArenaInput)> {
        let alive = |(_, fighter): &(&PlayerId, &Fighter)| fighter.is_alive();
        let figures: Vec<(PlayerId, Figure)> = self
            .fighters
            .iter()
            .filter(alive)
            .map(|(player, fighter)| (*player, fighter.figure(*player)))
            .collect();
        let npcs: Vec<PlayerId> = self
            .fighters
            .iter()
            .filter(|(_, fighter)| fighter.is_alive() && fighter.brain.is_some())
            .map(|(player, _)| *player)
            .collect();
        let mut inputs = Vec::with_capacity(npcs.len());
        let mut seen = Seen::default();
        for player in npcs {
            let brain = self.fighters.get_mut(&player).and_then(|fighter| fighter.brain.take());
            let Some(mut brain) = brain else { continue };
            self.look(player, &figures, &mut seen);
            if let Some(fighter) = self.fighters.get_mut(&player) {
                let view = View {
                    tick: context.tick,
                    dt: context.dt,
                    map: context.level,
                    player,
                    avatar: &fighter.avatar,
                    colour: fighter.colour,
                    figures: &seen.figures,
                    bolts: &seen.bolts,
                    pickups: &seen.pickups,
                };
                inputs.push((player, brain.think(&view)));
                fighter.brain = Some(brain);
            }
        }
        inputs
    }

    /// What a player is told of what is near.
    fn look(&self, viewer: PlayerId, figures: &[(PlayerId, Figure)], seen: &mut Seen) {
        seen.figures.clear();
        seen.bolts.clear();
        seen.pickups.clear();
        let Some(own) = self.fighters.get(&viewer) else { return };
        let is_near = |place: glam::Vec2| own.avatar.position.distance_squared(place) < SIGHT * SIGHT;
        for (player, figure) in figures {
            if *player != viewer && is_near(figure.position) && !self.is_figure_hidden(*player, viewer) {
                seen.figures.push(figure.clone());
            }
        }
        let bolts = self.bolts.iter().filter(|bolt| bolt.owner != viewer && is_near(bolt.position));
        seen.bolts.extend(bolts.map(|bolt| self.bolt(bolt)));
        seen.pickups.extend(self.pickups.iter().filter(|pickup| is_near(pickup.position)).map(|pickup| {
            Pickup { position: pickup.position, what: pickup.what, present: pickup.back.is_none() }
        }));
    }
}

#[derive(Default)]
struct Seen {
    figures: Vec<Figure>,
    bolts: Vec<Bolt>,
    pickups: Vec<Pickup>,
}

/// What NPCs are called.
const NAMES: [&str; 24] = [
    "Ada", "Bruno", "Cleo", "Dmitri", "Esme", "Falk", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Luca",
    "Mona", "Nils", "Olga", "Piet", "Quinn", "Rosa", "Sven", "Tilda", "Uwe", "Vera", "Wanda", "Yuri",
];
