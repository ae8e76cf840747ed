//! The swarm: walkers who keep a heading until their player picks another one.
//!
//! It is the second game on the seam, small enough to be read as an example, and the workload that every
//! measurement and every comparison with other servers runs on. So it is fixed:
//!
//! - N players with one walker each, in a square whose side is `round(196.6 · √N)`. Everybody is told of the
//!   walkers within 600 units, which are about 25, their own included.
//! - A player sends 25 inputs a second: a velocity as two bytes, and a number that it raises with each new
//!   heading. With a chance of 1 in 25 an input has a new heading and a speed of 150 to 300 ([`Intent`]).
//! - A walker takes the velocity of an input that is not the one before, and looks where it leads. At the
//!   edges it is reflected, and then goes on so until another velocity is wished for. When the number
//!   changes, the walker shows it, and loses one health; instead of none it has 100 again.
//!
//! Nothing is predicted: inputs are a stream, and nobody has an avatar.
#![forbid(unsafe_code)]

use glam::Vec2;
use serde::{Deserialize, Serialize};
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::{SimRng, float};
use tickwire_protocol::game::{
    DeclaredKind, Departure, EntitySlots, Frame, Game, Input, InputPolicy, JoinRefusal, Joining, Kind, Place,
    Role, Simulation, StepContext, TickContext, Viewpoint,
};
use tickwire_protocol::id::{EntityIndex, PlayerId};

/// A swarm in its square.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Swarm {
    players: u32,
    sight: f32,
    side: f32,
    slots: EntitySlots,
    /// Each walker at the place of its entity index, so that a tick runs through memory in order.
    bodies: Vec<Option<Body>>,
    /// Each player's entity at the place of the player's number.
    entities: Vec<Option<EntityIndex>>,
}

/// What whoever runs the server may set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SwarmConfig {
    /// Players who find room, from 1 to [`MAX_PLAYERS`]; the square is made for them. Others are refused.
    pub players: u32,
    /// How far a player sees, in units. What is in sight stays so until it is a fifteenth further away.
    pub sight: f32,
}

impl Default for SwarmConfig {
    fn default() -> SwarmConfig {
        SwarmConfig { players: 1000, sight: 600.0 }
    }
}

/// What everybody within sight is told of a walker.
#[derive(Clone, Debug, PartialEq, Replicate, Serialize, Deserialize)]
pub struct Walker {
    /// Where it is, shown within a tenth of a unit: three quarters of a step.
    #[replicate(ranged(min = -64.0, max = 13_000.0, step = 0.133), velocity = velocity)]
    pub position: Vec2,
    /// Units per second.
    #[replicate(ranged(min = -300.0, max = 300.0, step = 0.02))]
    pub velocity: Vec2,
    /// The heading that the player wished for last. Reflection leaves it as it is.
    #[replicate(angle(step = 1e-4))]
    pub angle: f32,
    /// How well it is.
    #[replicate(default = 100)]
    pub hp: u8,
    /// What the player signals.
    pub flags: u8,
}

impl Default for Walker {
    fn default() -> Walker {
        Walker { position: Vec2::ZERO, velocity: Vec2::ZERO, angle: 0.0, hp: 100, flags: 0 }
    }
}

/// The one kind of entity.
pub const WALKER: Kind<Walker> = Kind::new(0);

/// What a player sends 25 times a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Replicate)]
pub struct SwarmInput {
    /// The wished velocity along x, in 127ths of [`TOP_SPEED`].
    #[replicate(int(min = -127, max = 127))]
    pub dx: i8,
    /// The wished velocity along y.
    #[replicate(int(min = -127, max = 127))]
    pub dy: i8,
    /// A number that the walker shows.
    pub flags: u8,
}

impl Input for SwarmInput {
    fn held(&self) -> SwarmInput {
        *self
    }
}

/// What a player is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SwarmEvent {
    /// Which walker is the player's own.
    You {
        /// Its entity.
        entity: EntityIndex,
    },
}

/// The largest square's players: the walkers' positions have a range.
pub const MAX_PLAYERS: u32 = 4096;

/// Units per second that a velocity of 127 stands for.
pub const TOP_SPEED: f32 = 300.0;

/// The side of the square for so many players, in which each sees about 25.
#[must_use]
pub fn side(players: u32) -> f32 {
    (196.6 * float::sqrt(players as f32)).round()
}

/// A walker and what its player wished for last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Body {
    walker: Walker,
    intent: (i8, i8),
}

impl Body {
    fn handle_input(&mut self, input: &SwarmInput) {
        let (wish, walker) = ((input.dx, input.dy), &mut self.walker);
        if wish != self.intent {
            self.intent = wish;
            let way = Vec2::new(f32::from(input.dx), f32::from(input.dy));
            walker.velocity = way * TOP_SPEED / 127.0;
            if way != Vec2::ZERO {
                walker.angle = float::atan2(way.y, way.x);
            }
        }
        if input.flags != walker.flags {
            walker.flags = input.flags;
            walker.hp = if walker.hp <= 1 { 100 } else { walker.hp - 1 };
        }
    }

    fn walk(&mut self, dt: f32, side: f32) {
        let walker = &mut self.walker;
        walker.position += walker.velocity * dt;
        for axis in 0..2 {
            let place = walker.position[axis];
            if !(0.0..=side).contains(&place) {
                let edge = if place < 0.0 { 0.0 } else { side };
                // Within the square, even where one is crossed in a tick.
                walker.position[axis] = float::clamp(2.0 * edge - place, 0.0, side);
                walker.velocity[axis] = -walker.velocity[axis];
            }
        }
    }
}

impl Swarm {
    /// The walker of a player; spectators have none.
    #[must_use]
    pub fn walker(&self, player: PlayerId) -> Option<&Walker> {
        Some(&self.bodies.get(usize::from(self.entity(player)?.0))?.as_ref()?.walker)
    }

    fn entity(&self, player: PlayerId) -> Option<EntityIndex> {
        *self.entities.get(usize::from(player.0))?
    }
}

impl Simulation for Swarm {
    const NAME: &'static str = "swarm";
    const INPUT_POLICY: InputPolicy = InputPolicy::STREAM;
    const KINDS: &'static [DeclaredKind] = &[WALKER.declare()];
    // Twice as many as players: the indices of those who left rest for a while.
    const ENTITY_CAPACITY: u32 = 2 * MAX_PLAYERS;
    type Input = SwarmInput;
    type Avatar = ();
    type Level = ();
    type Effect = ();
    type Command = ();
    type Event = SwarmEvent;

    fn step((): &mut (), _: &SwarmInput, _: &mut StepContext<'_, Swarm>) {}
}

impl Game for Swarm {
    type Config = SwarmConfig;

    fn new(config: &SwarmConfig, (): &(), _: &mut SimRng) -> Swarm {
        let players = config.players.clamp(1, MAX_PLAYERS);
        Swarm {
            players,
            sight: config.sight,
            side: side(players),
            slots: EntitySlots::new(Swarm::ENTITY_CAPACITY),
            bodies: Vec::new(),
            entities: Vec::new(),
        }
    }

    fn join(
        &mut self,
        joining: &Joining<'_>,
        context: &mut TickContext<'_, Swarm>,
    ) -> Result<(), JoinRefusal> {
        if joining.role == Role::Spectator {
            return Ok(());
        }
        if self.slots.in_use() as u32 >= self.players {
            return Err(JoinRefusal::Full);
        }
        let entity = self.slots.allocate(context.tick).map_err(|_| JoinRefusal::Full)?;
        let mut coordinate = || context.random.f32_in(0.0, self.side);
        let position = Vec2::new(coordinate(), coordinate());
        let body = Body { walker: Walker { position, ..Walker::default() }, ..Body::default() };
        put(&mut self.bodies, usize::from(entity.0), body);
        put(&mut self.entities, usize::from(joining.player.0), entity);
        context.events.tell_player(joining.player, SwarmEvent::You { entity });
        Ok(())
    }

    fn leave(&mut self, player: PlayerId, _: Departure, context: &mut TickContext<'_, Swarm>) {
        let Some(entity) = self.entities.get_mut(usize::from(player.0)).and_then(Option::take) else {
            return;
        };
        if let Some(body) = self.bodies.get_mut(usize::from(entity.0)) {
            *body = None;
        }
        self.slots.free(entity, context.tick);
    }

    fn tick(&mut self, context: &mut TickContext<'_, Swarm>) {
        for (player, inputs) in context.inputs.iter() {
            let entity = self.entities.get(usize::from(player.0)).copied().flatten();
            let body = entity.and_then(|entity| self.bodies.get_mut(usize::from(entity.0))?.as_mut());
            if let Some(body) = body {
                inputs.iter().for_each(|input| body.handle_input(input));
            }
        }
        for body in self.bodies.iter_mut().flatten() {
            body.walk(context.dt, self.side);
        }
    }

    fn capture(&self, frame: &mut Frame) {
        for (index, body) in self.bodies.iter().enumerate() {
            if let Some(Body { walker, .. }) = body {
                frame.put(WALKER, EntityIndex(index as u16), walker, Place::on_plane(walker.position));
            }
        }
    }

    fn viewpoint(&self, player: PlayerId) -> Viewpoint {
        self.walker(player).map_or(Viewpoint::Everything, |walker| Viewpoint::Around {
            centre: walker.position.extend(0.0),
            enter: self.sight,
            leave: self.sight * 640.0 / 600.0,
        })
    }
}

/// Puts a value at a place of a list with gaps.
fn put<T: Clone>(list: &mut Vec<Option<T>>, place: usize, value: T) {
    if list.len() <= place {
        list.resize(place + 1, None);
    }
    list[place] = Some(value);
}

/// A player's will: what a bot sends.
#[derive(Clone, Debug)]
pub struct Intent {
    random: SimRng,
    input: SwarmInput,
}

impl Intent {
    /// The will that follows from a seed. It has a heading from the start.
    #[must_use]
    pub fn new(seed: u64) -> Intent {
        let mut intent = Intent { random: SimRng::from_u64(seed), input: SwarmInput::default() };
        intent.turn();
        intent
    }

    /// The next input. If its `flags` are not those of the one before, it has a new heading.
    pub fn next_input(&mut self) -> SwarmInput {
        if self.random.chance(1.0 / 25.0) {
            self.turn();
            self.input.flags = self.input.flags.wrapping_add(1);
        }
        self.input
    }

    fn turn(&mut self) {
        let speed = self.random.f32_in(150.0, TOP_SPEED);
        let way = self.random.unit_vec2() * (speed * 127.0 / TOP_SPEED);
        (self.input.dx, self.input.dy) = (way.x.round() as i8, way.y.round() as i8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::game::{
        Events, Hosted, InputForm, InputQueue, InputStamp, NoRewind, SentInput, TickInputs, TickSchedule,
        ViewTime,
    };
    use tickwire_protocol::time::{Micros, Tick};

    /// When ticks are due does not matter to a stream.
    const SCHEDULE: TickSchedule =
        TickSchedule { tick: Tick(1), due: Micros(0), period: Micros::period_of(30) };

    /// A match with the queues of its players.
    struct Match {
        hosted: Hosted<Swarm>,
        queues: Vec<(PlayerId, u32, InputQueue<SwarmInput>)>,
        events: Events<SwarmEvent>,
    }

    impl Match {
        fn new(players: u32) -> Match {
            let config = SwarmConfig { players, ..SwarmConfig::default() };
            let level = Swarm::first_level(&config).unwrap();
            let hosted = Hosted::new(&config, level, 7, Micros::period_of(30), Tick(1));
            Match { hosted, queues: Vec::new(), events: Events::new() }
        }

        fn join(&mut self, player: u16, role: Role) -> Result<(), JoinRefusal> {
            let joining = Joining { player: PlayerId(player), name: "Ann", role };
            self.hosted.join(&joining, &mut self.events)?;
            let queue = InputQueue::new(Swarm::INPUT_POLICY, self.hosted.next_tick());
            self.queues.push((PlayerId(player), 0, queue));
            Ok(())
        }

        fn send(&mut self, player: u16, input: SwarmInput) {
            let (_, sequence, queue) =
                self.queues.iter_mut().find(|queue| queue.0 == PlayerId(player)).unwrap();
            *sequence += 1;
            let sent = SentInput { stamp: InputStamp::Sequence(*sequence), view: None, input };
            queue.handle_input(sent, Micros(0), &SCHEDULE);
        }

        fn tick(&mut self) {
            let mut inputs = TickInputs::new();
            let now = ViewTime { tick: self.hosted.next_tick(), fraction: 0 };
            for (player, _, queue) in &mut self.queues {
                inputs.take(*player, self.hosted.next_tick(), queue, (now, now));
            }
            self.hosted.tick(&inputs, &[], &NoRewind, &mut self.events);
        }

        fn walker(&self, player: u16) -> &Walker {
            self.hosted.game().walker(PlayerId(player)).unwrap()
        }
    }

    fn input(dx: i8, dy: i8, flags: u8) -> SwarmInput {
        SwarmInput { dx, dy, flags }
    }

    #[test]
    fn the_square_has_room_for_its_players() {
        assert_eq!((side(1), side(1000), side(2000)), (197.0, 6217.0, 8792.0));
        assert!(side(MAX_PLAYERS) < 13_000.0);
        let mut game = Match::new(2);
        assert_eq!((game.join(4, Role::Player), game.join(9, Role::Player)), (Ok(()), Ok(())));
        assert_eq!(game.join(5, Role::Player), Err(JoinRefusal::Full));
        assert_eq!(game.join(6, Role::Spectator), Ok(()));
        let told: Vec<_> = game.events.drain().map(|addressed| addressed.event).collect();
        let you = |index| SwarmEvent::You { entity: EntityIndex(index) };
        assert_eq!(told, [you(0), you(1)]);
        let swarm = game.hosted.game();
        assert_eq!(swarm.viewpoint(PlayerId(6)), Viewpoint::Everything);
        let centre = game.walker(9).position.extend(0.0);
        assert_eq!(swarm.viewpoint(PlayerId(9)), Viewpoint::Around { centre, enter: 600.0, leave: 640.0 });
        assert_eq!((swarm.own_entity(PlayerId(9)), swarm.avatar(PlayerId(9))), (None, None));
        let mut frame = Frame::new();
        game.hosted.leave(PlayerId(4), Departure::Left, &mut game.events);
        assert_eq!(game.join(5, Role::Player), Ok(()), "there is room again");
        game.hosted.capture(&mut frame).unwrap();
        let indices: Vec<u16> = frame.entities().iter().map(|entity| entity.index.0).collect();
        assert_eq!(indices, [1, 2], "an index rests before it is used again");
    }

    #[test]
    fn an_intent_counts_once() {
        let mut game = Match::new(100);
        game.join(0, Role::Player).unwrap();
        game.tick();
        assert_eq!(game.walker(0).velocity, Vec2::ZERO);
        game.send(0, input(127, 0, 1));
        game.tick();
        let turned = game.walker(0).clone();
        assert_eq!((turned.velocity, turned.angle), (Vec2::new(300.0, 0.0), 0.0));
        assert_eq!((turned.hp, turned.flags), (99, 1));
        // To the edge and back: whoever goes on wishing the same is not turned around again.
        while game.walker(0).velocity.x > 0.0 {
            game.send(0, input(127, 0, 1));
            game.tick();
        }
        assert_eq!((game.walker(0).velocity, game.walker(0).angle), (Vec2::new(-300.0, 0.0), 0.0));
        game.send(0, input(127, 0, 1));
        game.tick();
        assert_eq!(game.walker(0).velocity, Vec2::new(-300.0, 0.0));
        game.send(0, input(0, 0, 1));
        game.tick();
        assert_eq!((game.walker(0).velocity, game.walker(0).hp), (Vec2::ZERO, 99));
        for flags in 2..=100 {
            game.send(0, input(0, -64, flags));
        }
        game.tick();
        assert_eq!((game.walker(0).hp, game.walker(0).flags), (100, 100), "from 1 to 100");
        assert_eq!(game.walker(0).angle, -core::f32::consts::FRAC_PI_2);
    }

    #[test]
    fn nobody_leaves_the_square_and_no_intent_the_ranges() {
        let form = InputForm::<SwarmInput>::new().unwrap();
        let mut game = Match::new(4);
        let mut intents: Vec<Intent> = (0..4).map(Intent::new).collect();
        (0..4).for_each(|player| game.join(player, Role::Player).unwrap());
        let mut headings = 0;
        for _ in 0..3000 {
            for (player, intent) in intents.iter_mut().enumerate() {
                let before = intent.input;
                let next = intent.next_input();
                headings += u32::from(next.flags != before.flags);
                assert_eq!(next.flags == before.flags, next == before);
                assert_eq!(form.canonical(&next), Ok(next));
                let speed = Vec2::new(f32::from(next.dx), f32::from(next.dy)).length() * TOP_SPEED / 127.0;
                assert!((148.0..302.0).contains(&speed), "{speed}");
                game.send(player as u16, next);
            }
            game.tick();
            for player in 0..4 {
                let walker = game.walker(player);
                assert!(walker.position.cmpge(Vec2::ZERO).all());
                assert!(walker.position.cmple(Vec2::splat(side(4))).all());
                assert!(walker.velocity.abs().cmple(Vec2::splat(TOP_SPEED)).all());
            }
        }
        assert!((400..560).contains(&headings), "{headings} of about 480");
    }

    #[test]
    fn a_restored_swarm_goes_on_alike() {
        let mut game = Match::new(50);
        (0..20).for_each(|player| game.join(player, Role::Player).unwrap());
        game.hosted.leave(PlayerId(3), Departure::Lost, &mut game.events);
        let saved = serde_json::to_string(&game.hosted).unwrap();
        let mut other = Match::new(50);
        other.hosted = serde_json::from_str(&saved).unwrap();
        other.queues = game.queues.clone();
        for round in 0..40 {
            for game in [&mut game, &mut other] {
                game.send(round % 20, input(round as i8, 5, 0));
                game.tick();
            }
        }
        assert_eq!(game.hosted.state_hash().unwrap(), other.hosted.state_hash().unwrap());
    }

    #[test]
    fn the_fingerprint_is_known() {
        // What other programs were built with: a change here refuses their clients.
        assert_eq!(format!("{:016x}", Swarm::fingerprint().unwrap()), "0169919cb49016cf");
    }
}
