//! The part of the server: it drains queues, ticks, captures, publishes, and tells each player what it may
//! know.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tickwire_protocol::delta::{self, DeltaCodec};
use tickwire_protocol::game::*;
use tickwire_protocol::id::{EntityIndex, KindId, PlayerId};
use tickwire_protocol::limits::MAX_BASELINE_AGE;
use tickwire_protocol::time::{Micros, Tick};

/// What was published of one entity at one tick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) kind: KindId,
    pub(crate) lanes: Vec<i32>,
}

pub(crate) type Published = BTreeMap<EntityIndex, Row>;

/// What was published at each of the last ticks.
pub(crate) struct History {
    pub(crate) codec: DeltaCodec,
    pub(crate) ticks: BTreeMap<Tick, Published>,
}

impl History {
    fn components(&self, tick: Tick, entity: EntityIndex, kind: KindId) -> Option<Vec<f64>> {
        let row = self.ticks.get(&tick)?.get(&entity).filter(|row| row.kind == kind)?;
        let codec = self.codec.kind(kind)?;
        let mut components = vec![0.0; codec.components()];
        codec.value(&row.lanes, tick, &mut components);
        Some(components)
    }
}

impl Rewind for History {
    fn components_at(&self, entity: EntityIndex, kind: KindId, time: ViewTime, out: &mut [f64]) -> bool {
        let Some(from) = self.components(time.tick, entity, kind) else { return false };
        match self.components(time.tick.next(), entity, kind) {
            Some(to) if time.fraction > 0 => {
                let schema = &self.codec.schema().kinds()[usize::from(kind.0)];
                interpolate(schema, &from, &to, f64::from(time.fraction) / 256.0, out);
            }
            _ => out.copy_from_slice(&from),
        }
        true
    }
}

/// What one player is told after a tick.
pub(crate) struct Told<G: Game> {
    pub(crate) tick: Tick,
    pub(crate) consumed: Consumed,
    pub(crate) avatar: Option<G::Avatar>,
    pub(crate) level: LoadedLevel<G::Level>,
    pub(crate) visible: Published,
    pub(crate) events: Vec<G::Event>,
}

pub(crate) struct Host<G: Game> {
    pub(crate) hosted: Hosted<G>,
    pub(crate) history: History,
    pub(crate) queues: BTreeMap<PlayerId, InputQueue<G::Input>>,
    pub(crate) commands: Vec<Issued<G::Command>>,
    pub(crate) events: Events<G::Event>,
    inputs: TickInputs<G::Input>,
    frame: Frame,
}

pub(crate) const PERIOD: Micros = Micros::period_of(60);
/// How far back a player may shoot.
pub(crate) const REACH_TICKS: u32 = 15;

impl<G: Game<Event: Clone>> Host<G> {
    pub(crate) fn new(config: &G::Config, seed: u64) -> Host<G> {
        let level = G::first_level(config).unwrap();
        Host::resume(Hosted::new(config, level, seed, PERIOD, Tick(1)), BTreeMap::new(), BTreeMap::new())
    }

    /// A host that goes on with a restored match, its history, and inputs under way.
    pub(crate) fn resume(
        hosted: Hosted<G>,
        ticks: BTreeMap<Tick, Published>,
        queues: BTreeMap<PlayerId, InputQueue<G::Input>>,
    ) -> Host<G> {
        let codec = DeltaCodec::new(&G::schema().unwrap(), PERIOD);
        Host {
            hosted,
            history: History { codec, ticks },
            queues,
            commands: Vec::new(),
            events: Events::new(),
            inputs: TickInputs::new(),
            frame: Frame::new(),
        }
    }

    pub(crate) fn join(&mut self, player: u16, name: &str, role: Role) -> Result<(), JoinRefusal> {
        let player = PlayerId(player);
        self.hosted.join(&Joining { player, name, role }, &mut self.events)?;
        self.queues.insert(player, InputQueue::new(G::INPUT_POLICY, self.hosted.next_tick()));
        Ok(())
    }

    pub(crate) fn leave(&mut self, player: u16, why: Departure) {
        self.queues.remove(&PlayerId(player));
        self.hosted.leave(PlayerId(player), why, &mut self.events);
    }

    pub(crate) fn send(&mut self, player: u16, sent: SentInput<G::Input>) -> Arrival {
        let tick = self.hosted.next_tick();
        let due = Micros(u64::from(tick.0) * PERIOD.0);
        let queue = self.queues.get_mut(&PlayerId(player)).unwrap();
        queue.handle_input(sent, due, &TickSchedule { tick, due, period: PERIOD })
    }

    pub(crate) fn command(&mut self, player: u16, command: G::Command) {
        self.commands.push(Issued { player: PlayerId(player), command });
    }

    /// One tick, and what everybody is told.
    pub(crate) fn tick(&mut self) -> BTreeMap<PlayerId, Told<G>> {
        let tick = self.hosted.next_tick();
        let newest = ViewTime { tick: tick.before(1).unwrap(), fraction: 0 };
        let oldest = ViewTime { tick: Tick(tick.0.saturating_sub(REACH_TICKS)), fraction: 0 };
        self.inputs.clear();
        // Against the order of ids, to see that it does not matter.
        for (player, queue) in self.queues.iter_mut().rev() {
            self.inputs.take(*player, tick, queue, (oldest, newest));
        }
        let commands = std::mem::take(&mut self.commands);
        assert_eq!(self.hosted.tick(&self.inputs, &commands, &self.history, &mut self.events), tick);
        self.hosted.capture(&mut self.frame).unwrap();
        self.publish(tick);
        let events: Vec<Addressed<G::Event>> = self.events.drain().collect();
        self.queues.keys().map(|player| (*player, self.tell(tick, *player, &events))).collect()
    }

    fn publish(&mut self, tick: Tick) {
        let before = tick.before(1).and_then(|before| self.history.ticks.get(&before));
        let mut published = Published::new();
        for entity in self.frame.entities() {
            let codec = self.history.codec.kind(entity.kind).unwrap();
            let components = self.frame.components(entity);
            assert_eq!(components.len(), codec.components());
            assert!(u32::from(entity.index.0) < G::ENTITY_CAPACITY);
            let before = before.and_then(|before| before.get(&entity.index)).map(|row| {
                assert_eq!(row.kind, entity.kind, "an index changed hands from one tick to the next");
                delta::Published::from(&row.lanes[..])
            });
            let mut lanes = vec![0; codec.lanes()];
            codec.publish(components, before, tick, u32::from(entity.index.0), &mut lanes).unwrap();
            published.insert(entity.index, Row { kind: entity.kind, lanes });
        }
        self.history.ticks.insert(tick, published);
        self.history.ticks.retain(|old, _| tick.0 - old.0 <= MAX_BASELINE_AGE);
    }

    fn tell(&self, tick: Tick, player: PlayerId, events: &[Addressed<G::Event>]) -> Told<G> {
        let game = self.hosted.game();
        let own = game.own_entity(player);
        let viewpoint = game.viewpoint(player);
        let is_visible = |entity: &FrameEntity| {
            let is_near = match (viewpoint, entity.position) {
                (Viewpoint::Around { centre, enter, .. }, Some(at)) => centre.distance(at) <= enter,
                _ => true,
            };
            is_near && own != Some(entity.index) && !game.hides(entity.index, player)
        };
        let visible = self.frame.entities().iter().filter(|entity| is_visible(entity));
        let published = &self.history.ticks[&tick];
        let concerns = |addressed: &&Addressed<G::Event>| self.hosted.concerns(&addressed.audience, player);
        Told {
            tick,
            consumed: self.inputs.consumed(player),
            avatar: game.avatar(player).cloned(),
            level: self.hosted.level().clone(),
            visible: visible.map(|entity| (entity.index, published[&entity.index].clone())).collect(),
            events: events.iter().filter(concerns).map(|addressed| addressed.event.clone()).collect(),
        }
    }
}
