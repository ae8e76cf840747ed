//! Tag: the game of the guide "Write your own game" (`docs/guide/write-your-own-game.md`), which walks
//! through this file from top to bottom.
//!
//! Everybody runs about in a yard. One is *it*, and tags another by pouncing at whoever stands before it.
//!
//! `cargo run -p tickwire-server --example tag` hosts it.

use anyhow::Result;
use glam::Vec2;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::{SimRng, float};
use tickwire_protocol::game::*;
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_server::{Config, Server};

/// What a player wants in a tick. The default is hands off.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Pad {
    /// Where to run.
    #[replicate(ranged(min = -1.0, max = 1.0, step = 1.0 / 127.0))]
    pub way: Vec2,
    /// The press that pounces.
    pub pounce: bool,
}

impl Input for Pad {
    fn held(&self) -> Pad {
        Pad { pounce: false, ..self.clone() }
    }

    fn merge_late(&mut self, late: &Pad) {
        self.pounce |= late.pounce;
    }
}

/// What others see of a player.
#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub struct Child {
    /// Where it is.
    #[replicate(ranged(min = -64.0, max = 64.0, step = 1.0 / 32.0), velocity = velocity)]
    pub position: Vec2,
    /// Units per second.
    #[replicate(ranged(min = -16.0, max = 16.0, step = 1.0 / 32.0))]
    pub velocity: Vec2,
    /// Whose it is.
    pub player: u16,
    /// Whether it is the one to run from.
    pub is_it: bool,
}

/// The kind of entity that players are.
pub const CHILD: Kind<Child> = Kind::new(0);

/// What a client predicts of its own player: exact, and all that the step reads and writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Legs {
    /// Where it is.
    pub position: Vec2,
    /// Units per second.
    pub velocity: Vec2,
    /// The direction in which it ran last.
    pub facing: Vec2,
    /// Seconds until it can pounce again.
    pub tired: f32,
}

/// What a step shows at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Show {
    /// The own player pounces in this direction.
    Pounce(Vec2),
}

/// What everybody is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Told {
    /// Somebody was tagged by somebody.
    Tagged {
        /// Who is it now.
        player: PlayerId,
        /// Who was it, if that is how it came.
        by: Option<PlayerId>,
    },
}

/// The yard: who is in it, and who is it.
#[derive(Serialize, Deserialize)]
pub struct Tag {
    slots: EntitySlots,
    children: BTreeMap<PlayerId, (EntityIndex, Legs)>,
    it: Option<PlayerId>,
}

impl Simulation for Tag {
    const NAME: &'static str = "tag";
    const INPUT_POLICY: InputPolicy = InputPolicy::PER_TICK;
    const KINDS: &'static [DeclaredKind] = &[CHILD.declare()];
    type Input = Pad;
    type Avatar = Legs;
    type Level = ();
    type Effect = Show;
    type Command = ();
    type Event = Told;

    fn step(legs: &mut Legs, pad: &Pad, context: &mut StepContext<'_, Tag>) {
        legs.tired = float::max(legs.tired - context.dt, 0.0);
        let wanted = pad.way.clamp_length_max(1.0) * SPEED;
        legs.velocity += (wanted - legs.velocity) * (10.0 * context.dt);
        if wanted != Vec2::ZERO {
            legs.facing = wanted / wanted.length();
        }
        if pad.pounce && legs.tired == 0.0 {
            legs.tired = 1.0;
            context.effects.emit(Show::Pounce(legs.facing));
        }
        legs.position += legs.velocity * context.dt;
        legs.position.x = float::clamp(legs.position.x, -HALF_YARD, HALF_YARD);
        legs.position.y = float::clamp(legs.position.y, -HALF_YARD, HALF_YARD);
    }
}

/// How fast one runs, in units per second.
const SPEED: f32 = 9.0;
/// Half a side of the yard.
const HALF_YARD: f32 = 30.0;
/// How far a pounce reaches.
const REACH: f32 = 3.0;

impl Game for Tag {
    type Config = ();

    fn new(_: &(), _: &(), _: &mut SimRng) -> Tag {
        Tag { slots: EntitySlots::new(Tag::ENTITY_CAPACITY), children: BTreeMap::new(), it: None }
    }

    fn join(&mut self, joining: &Joining<'_>, context: &mut TickContext<'_, Tag>) -> Result<(), JoinRefusal> {
        if joining.role == Role::Spectator {
            return Ok(());
        }
        let entity = self.slots.allocate(context.tick).map_err(|_| JoinRefusal::Full)?;
        let mut coordinate = || context.random.f32_in(-HALF_YARD, HALF_YARD);
        let position = Vec2::new(coordinate(), coordinate());
        let legs = Legs { position, facing: Vec2::X, ..Legs::default() };
        self.children.insert(joining.player, (entity, legs));
        if self.it.is_none() {
            self.tag(joining.player, None, context);
        }
        Ok(())
    }

    fn leave(&mut self, player: PlayerId, _: Departure, context: &mut TickContext<'_, Tag>) {
        if let Some((entity, _)) = self.children.remove(&player) {
            self.slots.free(entity, context.tick);
        }
        if self.it == Some(player) {
            self.it = None;
            if let Some(next) = self.children.keys().next().copied() {
                self.tag(next, None, context);
            }
        }
    }

    fn tick(&mut self, context: &mut TickContext<'_, Tag>) {
        let mut pounces = Vec::new();
        for (player, (_, legs)) in &mut self.children {
            context.step(*player, legs);
            for Show::Pounce(way) in context.effects.drain() {
                pounces.push((*player, legs.position, way));
            }
        }
        for (player, from, way) in pounces {
            if self.it == Some(player)
                && let Some(caught) = self.caught(player, from, way, context)
            {
                self.tag(caught, Some(player), context);
            }
        }
    }

    fn capture(&self, frame: &mut Frame) {
        for (player, (entity, legs)) in &self.children {
            let child = Child {
                position: legs.position,
                velocity: legs.velocity,
                player: player.0,
                is_it: self.it == Some(*player),
            };
            frame.put(CHILD, *entity, &child, Place::on_plane(legs.position));
        }
    }

    fn viewpoint(&self, player: PlayerId) -> Viewpoint {
        self.avatar(player)
            .map_or(Viewpoint::Everything, |legs| Viewpoint::around(legs.position.extend(0.0), 25.0))
    }

    fn avatar(&self, player: PlayerId) -> Option<&Legs> {
        self.children.get(&player).map(|(_, legs)| legs)
    }

    fn own_entity(&self, player: PlayerId) -> Option<EntityIndex> {
        self.children.get(&player).map(|(entity, _)| *entity)
    }
}

impl Tag {
    fn tag(&mut self, player: PlayerId, by: Option<PlayerId>, context: &mut TickContext<'_, Tag>) {
        self.it = Some(player);
        context.events.tell_all(Told::Tagged { player, by });
    }

    /// Whom a pounce catches: the first who stood before the player when it looked.
    fn caught(
        &self,
        player: PlayerId,
        from: Vec2,
        way: Vec2,
        context: &TickContext<'_, Tag>,
    ) -> Option<PlayerId> {
        let past = context.seen_by(player);
        let is_caught = |place: Vec2| {
            let to = place - from;
            to.length() < REACH && to.dot(way) > 0.5 * to.length()
        };
        let others = self.children.iter().filter(|(other, _)| **other != player);
        for (other, (entity, legs)) in others {
            let seen = past.get(CHILD, *entity).map_or(legs.position, |child| child.position);
            if is_caught(seen) {
                return Some(*other);
            }
        }
        None
    }
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:7777").await?;
        println!("Tag is hosted: http://{}/", listener.local_addr()?);
        let server = Server::builder(Config::default()).game::<Tag>("tag").build()?;
        server.run(listener, async { drop(tokio::signal::ctrl_c().await) }).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::time::{Micros, Tick};

    #[test]
    fn the_first_is_it_and_when_it_goes_another_is() {
        let level = Tag::first_level(&()).unwrap();
        let mut hosted: Hosted<Tag> = Hosted::new(&(), level, 7, Micros::period_of(60), Tick(1));
        let mut events = Events::new();
        for (number, name) in [(1, "Ann"), (2, "Ben")] {
            let joining = Joining { player: PlayerId(number), name, role: Role::Player };
            hosted.join(&joining, &mut events).unwrap();
        }
        hosted.tick(&TickInputs::new(), &[], &NoRewind, &mut events);
        hosted.leave(PlayerId(1), Departure::Left, &mut events);
        let told: Vec<Told> = events.drain().map(|addressed| addressed.event).collect();
        let tagged = |number| Told::Tagged { player: PlayerId(number), by: None };
        assert_eq!(told, [tagged(1), tagged(2)]);
    }

    #[test]
    fn a_step_runs_and_a_pounce_tires() {
        let (mut legs, mut effects) = (Legs::default(), Effects::new());
        let pad = Pad { way: Vec2::Y, pounce: true };
        for tick in 0..60 {
            let mut context = StepContext::new(Tick(tick), Micros::period_of(60), &(), &mut effects);
            Tag::step(&mut legs, &pad, &mut context);
        }
        assert!(legs.position.y > 7.0 && legs.velocity.y > 8.9);
        assert_eq!(effects.drain().collect::<Vec<_>>(), [Show::Pounce(Vec2::Y)]);
    }

    #[test]
    fn who_is_it_and_pounces_at_somebody_tags() {
        let level = Tag::first_level(&()).unwrap();
        let mut hosted: Hosted<Tag> = Hosted::new(&(), level, 7, Micros::period_of(60), Tick(1));
        let mut events = Events::new();
        for number in [1, 2] {
            let joining = Joining { player: PlayerId(number), name: "Child", role: Role::Player };
            hosted.join(&joining, &mut events).unwrap();
        }
        let mut queue = InputQueue::new(Tag::INPUT_POLICY, Tick(1));
        let mut tagged = false;
        for number in 1..1200 {
            let tick = Tick(number);
            let place = |player| hosted.game().avatar(PlayerId(player)).unwrap().position;
            let way = (place(2) - place(1)).clamp_length_max(0.99);
            let schedule = TickSchedule { tick, due: Micros(0), period: hosted.period() };
            let input = Pad { way, pounce: true };
            queue.handle_input(
                SentInput { stamp: InputStamp::Tick(tick), view: None, input },
                Micros(0),
                &schedule,
            );
            let now = ViewTime { tick, fraction: 0 };
            let mut inputs = TickInputs::new();
            inputs.take(PlayerId(1), tick, &mut queue, (now, now));
            hosted.tick(&inputs, &[], &NoRewind, &mut events);
            let is_tag = |told: Told| told == Told::Tagged { player: PlayerId(2), by: Some(PlayerId(1)) };
            tagged |= events.drain().any(|addressed| is_tag(addressed.event));
        }
        assert!(tagged);
    }
}
