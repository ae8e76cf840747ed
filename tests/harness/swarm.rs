//! The swarm as a server hosts it, with its players and with who sees whom, but without a network.

use glam::Vec2;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::{
    Events, Frame, Game, Hosted, InputQueue, InputStamp, Joining, NoRewind, Role, SentInput, Simulation,
    TickInputs, TickSchedule, ViewTime,
};
use tickwire_protocol::id::{EntityIndex, PlayerId};
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_server::history::History;
use tickwire_swarm::{Intent, SwarmConfig, SwarmInput, Walker, side};

/// All of the swarm. Player and walker n are at place n.
pub struct Swarm {
    hosted: Hosted<tickwire_swarm::Swarm>,
    players: Vec<Player>,
    inputs: TickInputs<SwarmInput>,
    frame: Frame,
    /// Per walker: who it sees, ascending.
    pub visible: Vec<Vec<EntityIndex>>,
}

struct Player {
    intent: Intent,
    queue: InputQueue<SwarmInput>,
    sent: u32,
    /// Where in the time between two inputs it is, in ticks.
    phase: f32,
}

const TICK_HZ: u32 = 30;
const INPUT_HZ: f32 = 25.0;
const ENTER: f32 = 600.0;
const LEAVE: f32 = 640.0;

/// The schema of the swarm.
///
/// # Panics
/// Never: its declaration is within the limits.
#[must_use]
pub fn schema() -> Schema {
    tickwire_swarm::Swarm::schema().expect("the kind is within the limits")
}

impl Swarm {
    /// A full swarm of `count`, whose players have sent their first inputs.
    ///
    /// # Panics
    /// When there are more than a swarm has room for.
    #[must_use]
    pub fn new(seed: u64, count: usize) -> Swarm {
        let config = SwarmConfig { players: count as u32, ..SwarmConfig::default() };
        let level = tickwire_swarm::Swarm::first_level(&config).expect("a level of nothing is one");
        let mut hosted: Hosted<tickwire_swarm::Swarm> =
            Hosted::new(&config, level, seed, Micros::period_of(TICK_HZ), Tick(0));
        let mut random = SimRng::from_u64(seed).fork("players", 0);
        let mut players = Vec::new();
        for place in 0..count {
            let joining = Joining { player: PlayerId(place as u16), name: "walker", role: Role::Player };
            hosted.join(&joining, &mut Events::new()).expect("there is room for all");
            let queue = InputQueue::new(tickwire_swarm::Swarm::INPUT_POLICY, Tick(0));
            let intent = Intent::new(random.next_u64());
            players.push(Player { intent, queue, sent: 0, phase: random.unit_f32() });
        }
        let visible = vec![Vec::new(); count];
        let mut swarm = Swarm { hosted, players, inputs: TickInputs::new(), frame: Frame::new(), visible };
        swarm.players.iter_mut().for_each(Player::send);
        swarm.step();
        swarm
    }

    /// Where a walker is.
    ///
    /// # Panics
    /// When there is no such walker.
    #[must_use]
    pub fn position(&self, walker: usize) -> [f32; 3] {
        self.walker(walker).position.extend(0.0).to_array()
    }

    /// One tick.
    pub fn step(&mut self) {
        let tick = self.hosted.next_tick();
        let now = ViewTime { tick, fraction: 0 };
        self.inputs.clear();
        for (player, place) in self.players.iter_mut().zip(0..) {
            player.phase += INPUT_HZ / TICK_HZ as f32;
            while player.phase >= 1.0 {
                player.phase -= 1.0;
                player.send();
            }
            self.inputs.take(PlayerId(place), tick, &mut player.queue, (now, now));
        }
        self.hosted.tick(&self.inputs, &[], &NoRewind, &mut Events::new());
        self.look();
    }

    /// Records the present.
    ///
    /// # Panics
    /// When a walker cannot be published: then the game is wrong.
    pub fn capture(&mut self, tick: Tick, history: &mut History) {
        self.hosted.capture(&mut self.frame).expect("each walker is there once");
        history.capture(tick, &self.frame, |error| panic!("{error}"));
    }

    fn walker(&self, place: usize) -> &Walker {
        self.hosted.game().walker(PlayerId(place as u16)).expect("everybody stays")
    }

    fn look(&mut self) {
        let places: Vec<Vec2> = (0..self.players.len()).map(|place| self.walker(place).position).collect();
        let cells = Cells::new(&places, side(places.len() as u32));
        for (visible, here) in self.visible.iter_mut().zip(&places) {
            let mut next = Vec::with_capacity(visible.len() + 8);
            cells.around(*here, |other| {
                let index = EntityIndex(other as u16);
                let range = if visible.binary_search(&index).is_ok() { LEAVE } else { ENTER };
                if places[other].distance_squared(*here) <= range * range {
                    next.push(index);
                }
            });
            next.sort_unstable();
            *visible = next;
        }
    }
}

impl Player {
    fn send(&mut self) {
        self.sent += 1;
        let stamp = InputStamp::Sequence(self.sent);
        let sent = SentInput { stamp, view: None, input: self.intent.next_input() };
        // When ticks are due does not matter to a stream.
        let period = Micros::period_of(TICK_HZ);
        self.queue.handle_input(sent, Micros(0), &TickSchedule { tick: Tick(0), due: Micros(0), period });
    }
}

/// Who is in which square of the size of the sight.
struct Cells {
    across: usize,
    members: Vec<Vec<usize>>,
}

impl Cells {
    fn new(places: &[Vec2], side: f32) -> Cells {
        let across = (side / LEAVE) as usize + 2;
        let mut members = vec![Vec::new(); across * across];
        for (index, place) in places.iter().enumerate() {
            let (x, y) = Cells::cell(*place);
            members[y * across + x].push(index);
        }
        Cells { across, members }
    }

    fn cell(position: Vec2) -> (usize, usize) {
        ((position.x / LEAVE) as usize, (position.y / LEAVE) as usize)
    }

    fn around(&self, position: Vec2, mut each: impl FnMut(usize)) {
        let (x, y) = Cells::cell(position);
        for y in y.saturating_sub(1)..(y + 2).min(self.across) {
            for x in x.saturating_sub(1)..(x + 2).min(self.across) {
                self.members[y * self.across + x].iter().for_each(|&member| each(member));
            }
        }
    }
}
