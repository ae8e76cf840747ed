//! A match without a network, whose players do what the test says.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use tickwire_arena::entities::{FIGURE, Figure};
use tickwire_arena::level::MapSource;
use tickwire_arena::{Arena, ArenaCommand, ArenaConfig, ArenaEvent, ArenaInput, Avatar};
use tickwire_protocol::Replicate;
use tickwire_protocol::game::{
    Audience, Departure, Events, Frame, Game, Hosted, InputQueue, InputStamp, Issued, JoinRefusal, Joining,
    Kind, NoRewind, Rewind, Role, SentInput, Simulation, TickInputs, TickSchedule, ViewTime,
};
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::time::{Micros, Tick};

pub(crate) const HERTZ: u32 = 60;

/// A hall without anything in it but two places to appear, 20 tiles apart.
pub(crate) const HALL: &str = "name: Hall
players: 2-4

##############################
#............................#
#............................#
#....s...................s...#
#............................#
#............................#
#............................#
##############################
";

pub(crate) struct Match {
    pub(crate) hosted: Hosted<Arena>,
    queues: BTreeMap<PlayerId, InputQueue<ArenaInput>>,
    pub(crate) held: BTreeMap<PlayerId, ArenaInput>,
    /// What a player says that it sees, in ticks before the one that is computed.
    pub(crate) view_age: Option<u32>,
    pub(crate) commands: Vec<Issued<ArenaCommand>>,
    /// Everything that was told, with the tick and to whom.
    pub(crate) told: Vec<(Tick, Audience, ArenaEvent)>,
}

pub(crate) fn hall(config: ArenaConfig) -> ArenaConfig {
    let map = MapSource { file: "hall".to_owned(), text: HALL.to_owned() };
    let maps = [vec![map], config.maps].concat();
    ArenaConfig { maps, ..config }
}

impl Match {
    pub(crate) fn new(config: ArenaConfig) -> Match {
        let level = Arena::first_level(&config).unwrap();
        Match {
            hosted: Hosted::new(&config, level, 3, Micros::period_of(HERTZ), Tick(1)),
            queues: BTreeMap::new(),
            held: BTreeMap::new(),
            view_age: None,
            commands: Vec::new(),
            told: Vec::new(),
        }
    }

    pub(crate) fn join(&mut self, number: u16, role: Role) -> Result<PlayerId, JoinRefusal> {
        let player = PlayerId(number);
        let mut events = Events::new();
        let name = format!("Player {number}");
        self.hosted.join(&Joining { player, name: &name, role }, &mut events)?;
        if role == Role::Player {
            self.queues.insert(player, InputQueue::new(Arena::INPUT_POLICY, self.hosted.next_tick()));
        }
        self.note(self.hosted.next_tick(), &mut events);
        Ok(player)
    }

    pub(crate) fn leave(&mut self, player: PlayerId) {
        let mut events = Events::new();
        self.hosted.leave(player, Departure::Left, &mut events);
        self.queues.remove(&player);
        self.note(self.hosted.next_tick(), &mut events);
    }

    pub(crate) fn say(&mut self, player: PlayerId, command: ArenaCommand) {
        self.commands.push(Issued { player, command });
    }

    pub(crate) fn tick(&mut self) {
        self.tick_with(&NoRewind);
    }

    pub(crate) fn tick_with(&mut self, rewind: &dyn Rewind) {
        let tick = self.hosted.next_tick();
        let schedule = TickSchedule { tick, due: Micros(0), period: Micros::period_of(HERTZ) };
        let mut inputs = TickInputs::new();
        let view = self.view_age.map(|age| ViewTime { tick: Tick(tick.0.saturating_sub(age)), fraction: 0 });
        let reach = (ViewTime { tick: Tick(0), fraction: 0 }, ViewTime { tick, fraction: 0 });
        for (player, queue) in &mut self.queues {
            let input = self.held.get(player).copied().unwrap_or_default();
            let sent = SentInput { stamp: InputStamp::Tick(tick), view, input };
            queue.handle_input(sent, Micros(0), &schedule);
            inputs.take(*player, tick, queue, reach);
        }
        let mut events = Events::new();
        let commands = std::mem::take(&mut self.commands);
        self.hosted.tick(&inputs, &commands, rewind, &mut events);
        self.note(tick, &mut events);
    }

    pub(crate) fn run(&mut self, ticks: u32) {
        (0..ticks).for_each(|_| self.tick());
    }

    pub(crate) fn run_seconds(&mut self, seconds: f32) {
        self.run((seconds * HERTZ as f32) as u32);
    }

    fn note(&mut self, tick: Tick, events: &mut Events<ArenaEvent>) {
        self.told.extend(events.drain().map(|told| (tick, told.audience, told.event)));
    }

    pub(crate) fn avatar(&self, player: PlayerId) -> Avatar {
        *self.hosted.game().avatar(player).expect("it is alive")
    }

    pub(crate) fn is_alive(&self, player: PlayerId) -> bool {
        self.hosted.game().avatar(player).is_some()
    }

    pub(crate) fn entity(&self, player: PlayerId) -> EntityIndex {
        self.hosted.game().own_entity(player).expect("it is alive")
    }

    pub(crate) fn all<T: Replicate>(&self, kind: Kind<T>) -> Vec<(EntityIndex, T)> {
        let mut frame = Frame::new();
        self.hosted.capture(&mut frame).unwrap();
        let of_kind = frame.entities().iter().filter(|entity| entity.kind == kind.id());
        of_kind.map(|entity| (entity.index, T::from_components(frame.components(entity)))).collect()
    }

    pub(crate) fn figure(&self, player: PlayerId) -> Option<Figure> {
        self.all(FIGURE).into_iter().map(|(_, figure)| figure).find(|figure| figure.player == player.0)
    }

    /// The events of which there is something to say.
    pub(crate) fn events<T>(&self, pick: impl Fn(&ArenaEvent) -> Option<T>) -> Vec<T> {
        self.told.iter().filter_map(|(_, _, event)| pick(event)).collect()
    }
}

/// The aim from one player to another.
pub(crate) fn aim(from: Avatar, to: Avatar) -> f32 {
    let between = to.position - from.position;
    tickwire_protocol::determinism::float::atan2(between.y, between.x)
}
