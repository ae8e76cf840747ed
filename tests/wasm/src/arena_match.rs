//! The arena: a whole match, played, recorded, and played again from its recording.
//!
//! The players are brains that know what clients would; what they send goes through the quantised form of
//! inputs and the queues, and their rail guns through a past of published frames. NPCs play beside them.

use std::collections::{BTreeMap, VecDeque};

use tickwire_arena::brain::{Brain, View};
use tickwire_arena::entities::{BOLT, FIGURE, PICKUP};
use tickwire_arena::teams::Colour;
use tickwire_arena::{Arena, ArenaCommand, ArenaConfig, ArenaEvent, ArenaInput, is_npc};
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::state_hash;
use tickwire_protocol::game::{
    Departure, Events, Frame, Game, Hosted, InputForm, InputQueue, InputStamp, Issued, Joining, Kind, Rewind,
    Role, SentInput, Simulation, TickInputs, TickSchedule, ViewTime, interpolate,
};
use tickwire_protocol::id::{EntityIndex, KindId, PlayerId};
use tickwire_protocol::schema::KindSchema;
use tickwire_protocol::time::{Micros, Tick};

/// The hash of the state at each second of a short match, then that of its recording.
pub(crate) fn play_a_little() -> Vec<u64> {
    play(LITTLE_SECONDS).0
}

/// The hash of the state at each second, from the recording.
pub(crate) fn replay_a_little() -> Vec<u64> {
    replay(&play(LITTLE_SECONDS).1)
}

/// The same for ten minutes, played and replayed.
pub(crate) fn ten_minutes() -> Vec<u64> {
    let (played, recording) = play(600);
    let replayed = replay(&recording);
    assert_eq!(played, replayed, "the recording gives another match");
    replayed
}

/// What happened in a tick: what each player sent as lanes, and what was said; who came and went before it.
#[derive(Clone, Debug, Default)]
struct Recorded {
    joins: Vec<PlayerId>,
    leaves: Vec<PlayerId>,
    inputs: Vec<(PlayerId, Vec<i32>)>,
    says: Vec<(PlayerId, String)>,
}

/// A match, the past that it has published, and the queues of its players.
struct Hall {
    hosted: Hosted<Arena>,
    past: FramePast,
    form: InputForm<ArenaInput>,
    queues: BTreeMap<PlayerId, InputQueue<ArenaInput>>,
    hashes: Vec<u64>,
    digest: u64,
    /// Kills of those who are no NPCs.
    kills: u32,
}

fn config() -> ArenaConfig {
    ArenaConfig { npcs: 14, teams: true, round_seconds: 30, ..ArenaConfig::default() }
}

impl Hall {
    fn new() -> Hall {
        let level = Arena::first_level(&config()).expect("the box has levels");
        Hall {
            hosted: Hosted::new(&config(), level, SEED, Micros::period_of(HERTZ), Tick(1)),
            past: FramePast::new(),
            form: InputForm::new().expect("the arena is hosted with it"),
            queues: BTreeMap::new(),
            hashes: Vec::new(),
            digest: 0,
            kills: 0,
        }
    }

    fn tick(&mut self, recorded: &Recorded) {
        let mut events = Events::new();
        for player in &recorded.leaves {
            self.hosted.leave(*player, Departure::Left, &mut events);
            self.queues.remove(player);
        }
        for player in &recorded.joins {
            let joining = Joining { player: *player, name: "Recorded", role: Role::Player };
            self.hosted.join(&joining, &mut events).expect("there is room");
            self.queues.insert(*player, InputQueue::new(Arena::INPUT_POLICY, self.hosted.next_tick()));
        }
        let tick = self.hosted.next_tick();
        let schedule = TickSchedule { tick, due: Micros(0), period: self.hosted.period() };
        let view = ViewTime { tick: Tick(tick.0.saturating_sub(5)), fraction: 96 };
        let mut inputs = TickInputs::new();
        for (player, queue) in &mut self.queues {
            if let Some((_, row)) = recorded.inputs.iter().find(|(other, _)| other == player) {
                let sent = SentInput {
                    stamp: InputStamp::Tick(tick),
                    view: Some(view),
                    input: self.form.value(row),
                };
                queue.handle_input(sent, Micros(0), &schedule);
                self.digest = state_hash(&(self.digest, row)).expect("integers have a hash");
            }
            inputs.take(*player, tick, queue, (view, view));
        }
        let says = recorded.says.iter();
        let commands: Vec<Issued<ArenaCommand>> = says
            .map(|(player, text)| Issued { player: *player, command: ArenaCommand::Say(text.clone()) })
            .collect();
        self.hosted.tick(&inputs, &commands, &self.past, &mut events);
        let is_theirs = |event: &ArenaEvent| matches!(event, ArenaEvent::Killed { by, .. } if !is_npc(*by));
        self.kills += events.drain().filter(|told| is_theirs(&told.event)).count() as u32;
        self.past.capture(tick, &self.hosted);
        if tick.0.is_multiple_of(HERTZ) {
            let hash = self.hosted.state_hash().expect("the state has a hash");
            self.hashes.push(state_hash(&(hash, self.digest)).expect("integers have a hash"));
        }
    }
}

/// Plays for so many seconds.
fn play(seconds: u32) -> (Vec<u64>, Vec<Recorded>) {
    let mut hall = Hall::new();
    let mut brains: BTreeMap<PlayerId, Brain> = BTreeMap::new();
    let mut recording = Vec::new();
    for number in 0..seconds * HERTZ {
        let mut recorded = Recorded::default();
        // They come one after another, and now and then one goes and another comes.
        if number % 60 == 10 && brains.len() < PLAYERS {
            let player = PlayerId((number / 60) as u16 + 1);
            brains.insert(player, Brain::new(u64::from(number)));
            recorded.joins.push(player);
        }
        if number % 1500 == 1400 {
            recorded.leaves.extend(brains.pop_first().map(|(player, _)| player));
        }
        for (player, brain) in &mut brains {
            let input = look_and_think(&hall, *player, brain);
            let mut row = vec![0; hall.form.codec().lanes()];
            hall.form.quantize(&input, &mut row).expect("a brain keeps to the ranges");
            // One in fifty does not arrive.
            if (number + u32::from(player.0) * 7) % 50 != 0 {
                recorded.inputs.push((*player, row));
            }
            if number % 97 == u32::from(player.0) {
                recorded.says.push((*player, "good shot".to_owned()));
            }
        }
        hall.tick(&recorded);
        recording.push(recorded);
    }
    (hall.hashes, recording)
}

fn replay(recording: &[Recorded]) -> Vec<u64> {
    let mut hall = Hall::new();
    recording.iter().for_each(|recorded| hall.tick(recorded));
    hall.hashes
}

/// What a player's brain wants, who knows what a client would be told.
fn look_and_think(hall: &Hall, player: PlayerId, brain: &mut Brain) -> ArenaInput {
    let game = hall.hosted.game();
    let Some(avatar) = game.avatar(player) else { return ArenaInput::default() };
    let Some(frame) = hall.past.frames.back().map(|(_, frame)| frame) else { return ArenaInput::default() };
    let figures: Vec<_> = seen(game, frame, player, FIGURE);
    let own = figures.iter().find(|figure| figure.player == player.0);
    let view = View {
        tick: hall.hosted.next_tick(),
        dt: 1.0 / HERTZ as f32,
        map: hall.hosted.level(),
        player,
        avatar,
        colour: own.map_or(Colour::None, |figure| figure.colour),
        figures: &figures,
        bolts: &seen(game, frame, player, BOLT),
        pickups: &seen(game, frame, player, PICKUP),
    };
    brain.think(&view)
}

fn seen<T: Replicate>(game: &Arena, frame: &Frame, player: PlayerId, kind: Kind<T>) -> Vec<T> {
    let entities = frame.entities().iter().filter(|entity| entity.kind == kind.id());
    let visible = entities.filter(|entity| !game.hides(entity.index, player));
    visible.map(|entity| T::from_components(frame.components(entity))).collect()
}

/// The frames of the last ticks, as a server's history without the wire's rounding.
struct FramePast {
    kinds: Vec<KindSchema>,
    frames: VecDeque<(Tick, Frame)>,
}

impl FramePast {
    fn new() -> FramePast {
        let kinds = Arena::KINDS.iter().map(tickwire_protocol::game::DeclaredKind::schema).collect();
        FramePast { kinds, frames: VecDeque::new() }
    }

    fn capture(&mut self, tick: Tick, hosted: &Hosted<Arena>) {
        let mut frame = if self.frames.len() < 16 {
            Frame::new()
        } else {
            self.frames.pop_front().map(|(_, frame)| frame).unwrap_or_default()
        };
        hosted.capture(&mut frame).expect("the arena puts each entity in once");
        self.frames.push_back((tick, frame));
    }

    fn at(&self, tick: Tick, entity: EntityIndex, kind: KindId) -> Option<&[f64]> {
        let (_, frame) = self.frames.iter().find(|(other, _)| *other == tick)?;
        let found = frame.find(entity).filter(|found| found.kind == kind)?;
        Some(frame.components(found))
    }
}

impl Rewind for FramePast {
    fn components_at(
        &self,
        entity: EntityIndex,
        kind: KindId,
        time: ViewTime,
        components: &mut [f64],
    ) -> bool {
        let Some(from) = self.at(time.tick, entity, kind) else { return false };
        let to = self.at(time.tick.next(), entity, kind).unwrap_or(from);
        let schema = &self.kinds[usize::from(kind.0)];
        interpolate(schema, from, to, f64::from(time.fraction) / 256.0, components);
        true
    }
}

const SEED: u64 = 20;
const HERTZ: u32 = 60;
const PLAYERS: usize = 8;
const LITTLE_SECONDS: u32 = 60;

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_arena::entities::{ROUND, SCORE};

    #[test]
    fn a_recording_is_the_match_again_and_something_happens_in_it() {
        let (played, recording) = play(LITTLE_SECONDS);
        assert_eq!(played.len(), LITTLE_SECONDS as usize);
        assert_eq!(replay(&recording), played);
        let mut hall = Hall::new();
        recording.iter().for_each(|recorded| hall.tick(recorded));
        let frame = &hall.past.frames.back().unwrap().1;
        let scores = seen(hall.hosted.game(), frame, PlayerId(999), SCORE);
        assert!(hall.kills > 3 && scores.len() == 14, "{} kills", hall.kills);
        assert_eq!(seen(hall.hosted.game(), frame, PlayerId(999), ROUND).len(), 1);
        assert_eq!(hall.hosted.level_epoch(), 1, "over a change of level");
    }

    #[test]
    fn one_input_makes_the_difference() {
        let (played, mut recording) = play(10);
        recording[300].inputs[0].1[0] += 1;
        assert_ne!(replay(&recording)[9], played[9]);
    }
}
