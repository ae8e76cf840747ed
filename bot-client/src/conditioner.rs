//! A link conditioner: what a bad network does to an ordered stream, in process and from a seed.
//!
//! TCP hides losses and shows delays instead. So a stream under conditions keeps its order and loses nothing,
//! but for the end of the whole connection:
//!
//! - each message takes a *delay* of its own, evenly spread over a range, and never overtakes the one before;
//! - in a *burst* (a microwave oven, a neighbour's download) the spread is a wider one for a while;
//! - a lost segment is a *stall*: with a probability per message, this message and all behind it wait for the
//!   time that a retransmission takes;
//! - the *bandwidth* lets a message through no faster than its bytes take, behind those before it;
//! - a *cut* ends the connection without a word, after a random time (exponential) about a mean.
//!
//! It is pure: items and the time go in, items and deadlines come out.
//!
//! The presets, one way; a round trip is twice that. Both directions are alike and independent of each other,
//! except that times after which something comes are means, and the bandwidth given is the one to the client,
//! and a quarter of it goes the other way.
//!
//! | name | delay | in bursts | stalls | bandwidth | cuts |
//! |---|---|---|---|---|---|
//! | `lan` | 0.1–0.3 ms | | | 1 Gbit/s | |
//! | `broadband` | 18–22 ms | | 0.1 % of 60 ms | 50 Mbit/s | |
//! | `wifi` | 5–12 ms | 5–25 ms, 300 ms long, after 1.5 s | 0.3 % of 40 ms | 20 Mbit/s | |
//! | `4g` | 25–55 ms | | 1 % of 200 ms | 10 Mbit/s | |
//! | `awful` | 60–180 ms | 60–300 ms, 500 ms long, after 4 s | 2 % of 300 ms | 1 Mbit/s | after 30 s |

use std::collections::VecDeque;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::time::Micros;

/// What a network is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// What it is called.
    pub name: &'static str,
    /// The shortest and the longest delay of a message, one way.
    pub delay: (Micros, Micros),
    /// Times in which it is worse.
    pub bursts: Option<Bursts>,
    /// The share of messages that stall the stream.
    pub stall_share: f32,
    /// How long a stalled message waits, besides its delay.
    pub stall: Micros,
    /// Bytes per second to the client; a quarter of it to the server.
    pub bytes_per_second: u64,
    /// How long a connection lives on average; `None` for ever.
    pub lives: Option<Micros>,
}

/// Times in which delays are longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bursts {
    /// The shortest and the longest delay in them.
    pub delay: (Micros, Micros),
    /// How long one is.
    pub length: Micros,
    /// How long it is from one's end to the next on average.
    pub gap: Micros,
}

impl Conditions {
    /// A cable to the next room.
    pub const LAN: Conditions = Conditions {
        name: "lan",
        delay: (Micros(100), Micros(300)),
        bursts: None,
        stall_share: 0.0,
        stall: Micros(0),
        bytes_per_second: 125_000_000,
        lives: None,
    };

    /// A good line to a server of the same country: 40 ± 4 ms there and back.
    pub const BROADBAND: Conditions = Conditions {
        name: "broadband",
        delay: (Micros(18_000), Micros(22_000)),
        bursts: None,
        stall_share: 0.001,
        stall: Micros(60_000),
        bytes_per_second: 6_250_000,
        lives: None,
    };

    /// The same over radio in a house with others: 30 ± 20 ms, which comes in bursts.
    pub const WIFI: Conditions = Conditions {
        name: "wifi",
        delay: (Micros(5_000), Micros(12_000)),
        bursts: Some(Bursts {
            delay: (Micros(5_000), Micros(25_000)),
            length: Micros(300_000),
            gap: Micros(1_500_000),
        }),
        stall_share: 0.003,
        stall: Micros(40_000),
        bytes_per_second: 2_500_000,
        lives: None,
    };

    /// A telephone: 80 ± 30 ms.
    pub const MOBILE: Conditions = Conditions {
        name: "4g",
        delay: (Micros(25_000), Micros(55_000)),
        bursts: None,
        stall_share: 0.01,
        stall: Micros(200_000),
        bytes_per_second: 1_250_000,
        lives: None,
    };

    /// A train through the hills.
    pub const AWFUL: Conditions = Conditions {
        name: "awful",
        delay: (Micros(60_000), Micros(180_000)),
        bursts: Some(Bursts {
            delay: (Micros(60_000), Micros(300_000)),
            length: Micros(500_000),
            gap: Micros(4_000_000),
        }),
        stall_share: 0.02,
        stall: Micros(300_000),
        bytes_per_second: 125_000,
        lives: Some(Micros(30_000_000)),
    };

    /// All presets, the best first.
    pub const PRESETS: [Conditions; 5] =
        [Conditions::LAN, Conditions::BROADBAND, Conditions::WIFI, Conditions::MOBILE, Conditions::AWFUL];

    /// The preset of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Conditions> {
        Conditions::PRESETS.into_iter().find(|conditions| conditions.name == name)
    }
}

/// A connection under conditions: a stream in each direction, and its end.
#[derive(Debug)]
pub struct Conditioner<Up, Down> {
    /// To the server.
    pub up: ConditionedStream<Up>,
    /// To the client.
    pub down: ConditionedStream<Down>,
    cut_at: Option<Micros>,
}

impl<Up, Down> Conditioner<Up, Down> {
    /// A connection that is opened now.
    #[must_use]
    pub fn new(conditions: &Conditions, seed: u64, now: Micros) -> Conditioner<Up, Down> {
        let mut random = SimRng::from_u64(seed);
        let (up, down) = (random.next_u64(), random.next_u64());
        let upwards = Conditions { bytes_per_second: conditions.bytes_per_second / 4, ..*conditions };
        Conditioner {
            up: ConditionedStream::new(upwards, up),
            down: ConditionedStream::new(*conditions, down),
            cut_at: conditions.lives.map(|mean| now + exponential(&mut random, mean)),
        }
    }

    /// When the connection is cut, if it ever is. From then on nothing passes, and nobody is told.
    #[must_use]
    pub fn cut_at(&self) -> Option<Micros> {
        self.cut_at
    }

    /// Whether it is cut.
    #[must_use]
    pub fn is_cut(&self, now: Micros) -> bool {
        self.cut_at.is_some_and(|at| at <= now)
    }
}

/// One direction of a connection: what goes in comes out in order and later.
#[derive(Debug)]
pub struct ConditionedStream<T> {
    conditions: Conditions,
    random: SimRng,
    under_way: VecDeque<(Micros, usize, T)>,
    bytes: usize,
    /// When the newest item arrives.
    newest: Micros,
    /// When the bytes before have left.
    busy_until: Micros,
    /// When the next burst begins, or the one that goes on ends.
    burst: Option<Burst>,
    stalls: u64,
}

#[derive(Clone, Copy, Debug)]
struct Burst {
    goes_on: bool,
    until: Micros,
}

impl<T> ConditionedStream<T> {
    /// A stream with nothing in it.
    #[must_use]
    pub fn new(conditions: Conditions, seed: u64) -> ConditionedStream<T> {
        ConditionedStream {
            conditions,
            random: SimRng::from_u64(seed),
            under_way: VecDeque::new(),
            bytes: 0,
            newest: Micros(0),
            busy_until: Micros(0),
            burst: None,
            stalls: 0,
        }
    }

    /// Takes in an item of so many bytes.
    pub fn handle_item(&mut self, item: T, bytes: usize, now: Micros) {
        let rate = self.conditions.bytes_per_second.max(1);
        self.busy_until = self.busy_until.max(now) + Micros(bytes as u64 * 1_000_000 / rate);
        let (shortest, longest) = self.delay(now);
        let spread = longest.0.saturating_sub(shortest.0);
        let mut delay = shortest.0 + u64::from(self.random.u32_up_to(spread as u32));
        if self.random.chance(self.conditions.stall_share) {
            delay += self.conditions.stall.0;
            self.stalls += 1;
        }
        self.newest = self.newest.max(self.busy_until + Micros(delay));
        self.under_way.push_back((self.newest, bytes, item));
        self.bytes += bytes;
    }

    /// The next item that has arrived, and when it did.
    pub fn poll_item(&mut self, now: Micros) -> Option<(Micros, T)> {
        if self.poll_deadline()? > now {
            return None;
        }
        let (arrival, bytes, item) = self.under_way.pop_front()?;
        self.bytes -= bytes;
        Some((arrival, item))
    }

    /// When the next item arrives.
    #[must_use]
    pub fn poll_deadline(&self) -> Option<Micros> {
        self.under_way.front().map(|(arrival, _, _)| *arrival)
    }

    /// Bytes under way: a sender with a window waits when they are too many.
    #[must_use]
    pub fn bytes_under_way(&self) -> usize {
        self.bytes
    }

    /// How many messages have stalled the stream.
    #[must_use]
    pub fn stalls(&self) -> u64 {
        self.stalls
    }

    /// Nothing arrives before this time: the network is away.
    pub fn stall_until(&mut self, time: Micros) {
        self.newest = self.newest.max(time);
        for (arrival, _, _) in &mut self.under_way {
            *arrival = (*arrival).max(time);
        }
    }

    fn delay(&mut self, now: Micros) -> (Micros, Micros) {
        let Some(bursts) = self.conditions.bursts else { return self.conditions.delay };
        let mut burst = self.burst.unwrap_or(Burst { goes_on: true, until: now });
        while burst.until <= now {
            let time = if burst.goes_on { exponential(&mut self.random, bursts.gap) } else { bursts.length };
            // A burst or gap of no time would not end.
            burst = Burst { goes_on: !burst.goes_on, until: burst.until + Micros(time.0.max(1)) };
        }
        self.burst = Some(burst);
        if burst.goes_on { bursts.delay } else { self.conditions.delay }
    }
}

/// A random time with this mean, after which something happens that is equally likely at any moment; at most
/// ten times the mean.
fn exponential(random: &mut SimRng, mean: Micros) -> Micros {
    let unit = f64::from(random.unit_f32()).max(1e-5);
    Micros((-unit.ln() * mean.0 as f64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(conditions: Conditions, seed: u64, messages: u64) -> Vec<(u64, u64)> {
        let mut stream = ConditionedStream::new(conditions, seed);
        let mut arrived = Vec::new();
        for number in 0..messages {
            let now = Micros(number * 16_667);
            stream.handle_item(now, 200, now);
            while let Some((at, sent)) = stream.poll_item(now) {
                assert!(at <= now);
                arrived.push((sent.0, at.0));
            }
        }
        while let Some(deadline) = stream.poll_deadline() {
            let (at, sent) = stream.poll_item(deadline).expect("it is its time");
            arrived.push((sent.0, at.0));
        }
        assert_eq!((arrived.len() as u64, stream.bytes_under_way()), (messages, 0));
        arrived
    }

    #[test]
    fn each_preset_is_in_order_and_as_its_numbers_say() {
        for conditions in Conditions::PRESETS {
            let arrived = arrivals(conditions, 5, 60_000);
            assert!(arrived.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
            let delays: Vec<u64> = arrived.iter().map(|(sent, at)| at - sent).collect();
            let least = delays.iter().min().copied().unwrap_or(0);
            let transfer = 200 * 1_000_000 / conditions.bytes_per_second;
            assert!((conditions.delay.0.0..conditions.delay.0.0 + 1_000 + transfer).contains(&least));
            let most = delays.iter().max().copied().unwrap_or(0);
            let widest = conditions.bursts.map_or(conditions.delay.1, |bursts| bursts.delay.1);
            assert!(most <= widest.0 + conditions.stall.0 + transfer * 30, "{}: {most}", conditions.name);
            let stalled = delays.iter().filter(|delay| **delay > widest.0 + transfer * 2).count();
            assert!((stalled as f32) >= 0.5 * conditions.stall_share * 60_000.0, "{stalled}");
            assert_eq!(arrivals(conditions, 5, 1000), arrivals(conditions, 5, 1000), "one seed, one network");
            assert_eq!(Conditions::named(conditions.name), Some(conditions));
        }
    }

    #[test]
    fn bandwidth_and_absence_hold_things_up() {
        let slow = Conditions { bytes_per_second: 1000, ..Conditions::LAN };
        let mut stream = ConditionedStream::new(slow, 1);
        stream.handle_item('a', 500, Micros(0));
        stream.handle_item('b', 500, Micros(0));
        assert!(stream.poll_item(Micros(499_999)).is_none());
        assert_eq!(stream.poll_item(Micros(501_000)).map(|(_, item)| item), Some('a'));
        stream.stall_until(Micros(5_000_000));
        assert_eq!((stream.poll_deadline(), stream.bytes_under_way()), (Some(Micros(5_000_000)), 500));
    }

    #[test]
    fn cuts_come_after_their_mean_on_average() {
        let cut = |seed| Conditioner::<(), ()>::new(&Conditions::AWFUL, seed, Micros(0)).cut_at();
        let mean: u64 = (0..2000).filter_map(cut).map(|at| at.0).sum::<u64>() / 2000;
        assert!((28_000_000..32_000_000).contains(&mean), "{mean}");
        assert_eq!(Conditioner::<(), ()>::new(&Conditions::LAN, 1, Micros(0)).cut_at(), None);
    }
}
