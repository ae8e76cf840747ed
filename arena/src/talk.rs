//! What players say: chat, names, teams. And what they ask for that cannot be.

use crate::events::{ArenaCommand, ArenaEvent, Refusal, RosterEntry};
use crate::input::ArenaInput;
use crate::rules::Arena;
use crate::teams::Colour;
use crate::weapons::Weapon;
use serde::{Deserialize, Serialize};
use tickwire_protocol::determinism::float;
use tickwire_protocol::game::{Issued, TickContext};
use tickwire_protocol::id::PlayerId;
use tickwire_protocol::message::{NameError, PlayerName, visible_text};

/// Characters of a line of chat that can be seen.
pub const MAX_CHAT_CHARACTERS: usize = 120;

/// Bytes of a line of chat: with what is around them they must fit into an event.
const MAX_CHAT_BYTES: usize = 600;

/// Seconds' worth of talk that can be saved up.
pub(crate) const MAX_TALK_SECONDS: f32 = 6.0;

/// What saying something costs.
const TALK_SECONDS: f32 = 1.5;

/// Bytes of names in one event, which has a limit of 1024.
const NAMES_PER_EVENT_BYTES: usize = 800;

/// What was asked for that cannot be, since the match began. Nothing of it had an effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Ticks in which somebody dead pulled the trigger.
    pub fire_while_dead: u64,
    /// Dashes before the cooldown was over, or while dead.
    pub dash_too_early: u64,
    /// Weapons that there are not.
    pub unknown_weapon: u64,
    /// Things said, for each [`Refusal`].
    pub said: [u64; Refusal::ALL.len()],
}

impl Refused {
    /// Each reason by its name, and how often it came up.
    pub fn by_name(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let asked = [
            ("fire_while_dead", self.fire_while_dead),
            ("dash_too_early", self.dash_too_early),
            ("unknown_weapon", self.unknown_weapon),
        ];
        asked.into_iter().chain(Refusal::ALL.iter().map(|refusal| refusal.name()).zip(self.said))
    }

    /// Counts what an input asks for that cannot be. `dash_cooldown` is `None` for the dead.
    pub(crate) fn count_input(&mut self, input: &ArenaInput, dash_cooldown: Option<f32>, dt: f32) {
        self.fire_while_dead += u64::from(input.fire && dash_cooldown.is_none());
        let is_early = dash_cooldown.is_none_or(|seconds| seconds >= 1.5 * dt);
        self.dash_too_early += u64::from(input.dash && is_early);
        self.unknown_weapon += u64::from(input.weapon != 0 && Weapon::by_number(input.weapon).is_none());
    }
}

impl Arena {
    /// What was asked for that cannot be, since the match began.
    #[must_use]
    pub fn refusals(&self) -> &Refused {
        &self.refused
    }

    /// Hears what players said since the last tick.
    pub(crate) fn hear(&mut self, context: &mut TickContext<'_, Arena>) {
        for fighter in self.fighters.values_mut() {
            fighter.talk = float::min(fighter.talk + context.dt, MAX_TALK_SECONDS);
        }
        let commands = context.commands;
        for Issued { player, command } in commands {
            if let Err(refusal) = self.handle_command(*player, command, context) {
                self.refused.said[refusal as usize] += 1;
                context.events.tell_player(*player, ArenaEvent::Refused(refusal));
            }
        }
    }

    fn handle_command(
        &mut self,
        player: PlayerId,
        command: &ArenaCommand,
        context: &mut TickContext<'_, Arena>,
    ) -> Result<(), Refusal> {
        let fighter = self.fighters.get_mut(&player).ok_or(Refusal::Spectator)?;
        if fighter.talk < TALK_SECONDS {
            return Err(Refusal::TooOften);
        }
        // What is refused for another reason costs as much: it has been looked at.
        fighter.talk -= TALK_SECONDS;
        match command {
            ArenaCommand::Say(text) => {
                let text = chat(text)?;
                context.events.tell_all(ArenaEvent::Said { player, to_team: false, text });
            }
            ArenaCommand::SayTeam(text) => {
                let team = fighter.colour.team().ok_or(Refusal::NoSuchTeam)?;
                let text = chat(text)?;
                context.events.tell_team(team, ArenaEvent::Said { player, to_team: true, text });
            }
            ArenaCommand::Rename(name) => {
                let name = PlayerName::new(name).map_err(|_| Refusal::Name)?;
                fighter.name = name.as_str().to_owned();
                let name = fighter.name.clone();
                context.events.tell_all(ArenaEvent::Named(RosterEntry { player, name }));
            }
            ArenaCommand::Join(colour) => self.change_colour(player, *colour, context)?,
        }
        Ok(())
    }

    fn change_colour(
        &mut self,
        player: PlayerId,
        colour: Colour,
        context: &mut TickContext<'_, Arena>,
    ) -> Result<(), Refusal> {
        if !self.config.teams || colour == Colour::None {
            return Err(Refusal::NoSuchTeam);
        }
        let count = |wanted| self.fighters.values().filter(|fighter| fighter.colour == wanted).count();
        let fighter = self.fighters.get(&player).ok_or(Refusal::Spectator)?;
        if fighter.colour == colour {
            return Ok(());
        }
        if count(colour) > count(fighter.colour) {
            return Err(Refusal::TeamIsFull);
        }
        if let Some(fighter) = self.fighters.get_mut(&player) {
            fighter.colour = colour;
            // It does not go over to the others, but appears among them.
            if let Some(entity) = fighter.entity.take() {
                self.slots.free(entity, context.tick);
                self.place(player, context);
            }
        }
        Ok(())
    }

    /// Tells somebody who comes in who plays.
    pub(crate) fn tell_roster(&self, player: PlayerId, context: &mut TickContext<'_, Arena>) {
        let mut part: Vec<RosterEntry> = Vec::new();
        let mut bytes = 0;
        for (other, fighter) in &self.fighters {
            let length = fighter.name.len() + 8;
            if bytes + length > NAMES_PER_EVENT_BYTES {
                context.events.tell_player(player, ArenaEvent::Roster(std::mem::take(&mut part)));
                bytes = 0;
            }
            bytes += length;
            part.push(RosterEntry { player: *other, name: fighter.name.clone() });
        }
        context.events.tell_player(player, ArenaEvent::Roster(part));
    }
}

fn chat(text: &str) -> Result<String, Refusal> {
    if text.len() > MAX_CHAT_BYTES {
        return Err(Refusal::TooLong);
    }
    visible_text(text, MAX_CHAT_CHARACTERS).map_err(|error| match error {
        NameError::Invisible => Refusal::Empty,
        NameError::TooManyBytes | NameError::TooLong => Refusal::TooLong,
    })
}
