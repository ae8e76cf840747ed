//! The tick clock: when the input of a tick is made, so that it comes to the server just in time.
//!
//! The problem. A tick of the server takes the inputs that have come by then. An input that comes later is
//! lost to it, and one that comes much earlier makes the server answer to an older will than it had to. So a
//! client runs ahead of the server, by the time of the way there plus a little for its variation, and has to
//! find out how far. The obvious ways fail. Half of the round-trip time is not the way there on any
//! connection that is slower upwards, and neither is its variation. To move by each report of how early the
//! last input came corrects twice: for a round trip the reports are about inputs that were made before the
//! correction.
//!
//! The idea. The clock is one number, the *phase*: the input of tick `T` is made at `T · period + phase`. An
//! input that was made in phase φ and came λ early would have come exactly in time in phase φ + λ. That sum
//! does not depend on what the clock did since, so reports of any age can be put together: it is the
//! normalisation of a report by the offset of its input. The sums of the last minute, one for each input, are
//! a distribution whose upper edge is the fastest way and whose lower tail is jitter. The phase that is
//! wanted is a low quantile of it ([`LATE_SHARE`]): all but so few inputs then come in time. The clock gets
//! there by running a few percent faster or slower, since a jump is seen; an error above a quarter of a
//! second is no drift but an event, and the clock jumps.
//!
//! What a report tells. A server reads its sockets when it ticks, so an input that came at any time within a
//! tick's period counts as read at its end: what is reported is a lower bound of the lead, less than a period
//! below it. Bounds do as well, because the wanted phase is then too early by less than a period and stays
//! where it is. A snapshot reports the newest input alone, but on an ordered stream all inputs between that
//! one and the one reported before were read in the same tick, or it would have been reported then. So each
//! input yields a sum, and the many that a stall held up count as many.
//!
//! Sources: the normalisation and the windowed quantile as in the jitter buffers of telephony (Ramjee et al.,
//! "Adaptive playout mechanisms for packetized audio", 1994; WebRTC's NetEQ); to run ahead of the server and
//! steer by its reports as in "Overwatch Gameplay Architecture and Netcode" (Ford, GDC 2017).

use super::window::{DelayWindow, RESOLUTION_MICROS};
use crate::snapshot::InputLead;
use crate::time::{Micros, Tick};
use std::collections::VecDeque;

/// A steered clock: a position in ticks that follows a wanted phase.
#[derive(Clone, Debug)]
pub(super) struct SteeredClock {
    period: i64,
    /// Nanoseconds, because a step of the steering is a part of a microsecond.
    phase_nanos: i64,
    now: Micros,
}

/// How fast a clock may be steered, in thousandths of the time that passes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steering {
    /// To an earlier phase: it runs faster by so much.
    pub(super) faster: i64,
    /// To a later phase: it runs slower by so much.
    pub(super) slower: i64,
}

/// An error is made good in about this time, within what the steering allows.
const STEERING_TIME: i64 = 500_000;

impl SteeredClock {
    pub(super) fn new(period: Micros, phase: i64, now: Micros) -> SteeredClock {
        SteeredClock { period: period.0.max(1) as i64, phase_nanos: phase.saturating_mul(1000), now }
    }

    /// Microseconds by which tick 0 is after the origin of time.
    pub(super) fn phase(&self) -> i64 {
        self.phase_nanos.div_euclid(1000)
    }

    pub(super) fn set_phase(&mut self, phase: i64) {
        self.phase_nanos = phase.saturating_mul(1000);
    }

    /// Lets time pass, and steers to the wanted phase. Time that runs backwards passes as none.
    pub(super) fn advance(&mut self, now: Micros, wanted: i64, steering: Steering) {
        let passed = now.saturating_since(self.now).0.min(1_000_000) as i64;
        self.now = self.now.max(now);
        let error = wanted.saturating_mul(1000).saturating_sub(self.phase_nanos);
        let share = (i128::from(error) * i128::from(passed) / i128::from(STEERING_TIME)) as i64;
        let step = share.clamp(-passed * steering.faster, passed * steering.slower);
        self.phase_nanos += if error.unsigned_abs() < 1000 { 0 } else { step };
    }

    /// The time at which a tick begins.
    pub(super) fn time_of(&self, tick: Tick) -> i64 {
        i64::from(tick.0) * self.period + self.phase()
    }

    /// The tick that has begun, and the microseconds since. Both may be negative before tick 0.
    pub(super) fn position(&self, now: Micros) -> (i64, i64) {
        let since = (now.0.min(i64::MAX as u64) as i64).saturating_sub(self.phase());
        (since.div_euclid(self.period), since.rem_euclid(self.period))
    }
}

/// The clock by which inputs are made.
#[derive(Clone, Debug)]
pub(super) struct TickClock {
    period: Micros,
    steered: Option<SteeredClock>,
    /// Phases in which an input would have come just in time.
    in_time: DelayWindow,
    /// The phase to be in until there are reports.
    guess: i64,
    /// Inputs that no report was about yet: their ticks, ascending, and the phases they were made in.
    unreported: VecDeque<(Tick, i64)>,
    /// When the connection was new; the clock may then run to its place.
    since: Micros,
    /// The last report, as told.
    last_lead: Option<InputLead>,
    reported_at: Option<Micros>,
    snaps: u64,
}

/// One in so many inputs may come late. What is measured covers a minute, so a smaller share than one in a
/// few thousand could not be told from none.
const LATE_SHARE: f32 = 1.0 / 2500.0;

/// How long the distribution remembers: long enough to know of things that happen once in ten thousand
/// messages, and short enough to forget a bad minute in the next.
const MEMORY_MICROS: u64 = 60_000_000;

/// Beyond this error the clock jumps.
pub(super) const SNAP_MICROS: i64 = 250_000;

const USUAL: Steering = Steering { faster: 60, slower: 30 };
/// In the first seconds of a connection, when there is nothing yet that a jerk could spoil.
const AT_FIRST: Steering = Steering { faster: 250, slower: 120 };
const FIRST_MICROS: u64 = 3_000_000;

/// Inputs whose report is awaited: more than a window of the server's and a snapshot's silence.
const MAX_UNREPORTED: usize = 256;

/// Without a report for so long, though inputs go out, the clock is so wrong that they are rejected unseen.
const LOST_MICROS: u64 = 2_000_000;

impl TickClock {
    pub(super) fn new(period: Micros) -> TickClock {
        let memory = (MEMORY_MICROS / period.0.max(1)).clamp(1, 1 << 16) as u32;
        TickClock {
            period,
            steered: None,
            in_time: DelayWindow::new(memory),
            guess: 0,
            unreported: VecDeque::new(),
            since: Micros(0),
            last_lead: None,
            reported_at: None,
            snaps: 0,
        }
    }

    /// A connection is new. What is known of the way stays, but nothing under way will be reported.
    pub(super) fn handle_connected(&mut self, now: Micros) {
        self.since = now;
        self.forget_sent();
        self.steered = None;
    }

    fn forget_sent(&mut self) {
        self.unreported.clear();
        self.reported_at = None;
    }

    /// The server's clock slipped by so many ticks.
    pub(super) fn handle_slip(&mut self, ticks: u32) {
        let micros = i64::from(ticks).saturating_mul(self.period.0 as i64);
        self.in_time.shift(micros);
        self.guess = self.guess.saturating_add(micros);
        for (_, phase) in &mut self.unreported {
            *phase = phase.saturating_add(micros);
        }
        if let Some(steered) = &mut self.steered {
            steered.set_phase(steered.phase().saturating_add(micros));
            self.snaps += 1;
        }
    }

    /// Takes in that the snapshot of a tick has come, over a way whose round trip is about so long. Anchors
    /// the clock if it is not.
    pub(super) fn handle_snapshot(&mut self, tick: Tick, round_trip: Micros, now: Micros) {
        let arrival = (now.0.min(i64::MAX as u64) as i64) - i64::from(tick.0) * self.period.0 as i64;
        self.guess = arrival.saturating_sub(round_trip.0.min(2_000_000) as i64);
        if self.steered.is_none() {
            // A path may have changed with the connection. What was known of the one before is of use only if
            // it fits.
            let is_of_this_path =
                self.in_time.quantile(0.5).is_some_and(|phase| phase.abs_diff(self.guess) < 100_000);
            if !is_of_this_path {
                self.in_time.clear();
            }
            self.steered = Some(SteeredClock::new(self.period, self.wanted(), now));
            self.reported_at = Some(now);
        }
        let silent_since = self.reported_at.filter(|_| !self.unreported.is_empty());
        if silent_since.is_some_and(|since| now.saturating_since(since).0 > LOST_MICROS) {
            self.in_time.clear();
            self.forget_sent();
            self.reported_at = Some(now);
        }
    }

    /// Takes in what the snapshot of `tick` says of the newest input. `gap` is how many ticks before it the
    /// last snapshot was.
    pub(super) fn handle_lead(&mut self, tick: Tick, gap: u32, lead: InputLead, now: Micros) {
        self.last_lead = Some(lead);
        self.reported_at = Some(now);
        let period = self.period.0 as i64;
        while let Some((made_for, phase)) = self.unreported.front().copied()
            && made_for <= lead.tick
        {
            self.unreported.pop_front();
            let ticks = i64::from(made_for.0) - i64::from(tick.0);
            let bound = ticks * period;
            let early = if made_for == lead.tick {
                // A tick that began late read late; the bound by its number is then the better one.
                bound.max(i64::from(lead.millis) * 1000)
            } else if gap <= 2 {
                bound
            } else {
                // It may have been read in any of the ticks that were not told of.
                continue;
            };
            self.in_time.handle_sample(phase.saturating_add(early));
        }
    }

    /// The inputs of ticks after this one were rejected unseen.
    pub(super) fn forget_after(&mut self, tick: Tick) {
        self.unreported.retain(|(made_for, _)| *made_for <= tick);
    }

    fn wanted(&self) -> i64 {
        self.in_time.quantile(LATE_SHARE).unwrap_or(self.guess)
    }

    /// Lets time pass. True when the clock jumped.
    pub(super) fn advance(&mut self, now: Micros) -> bool {
        let wanted = self.wanted();
        let Some(steered) = &mut self.steered else { return false };
        let is_new = now.saturating_since(self.since).0 < FIRST_MICROS;
        if wanted.abs_diff(steered.phase()) > SNAP_MICROS as u64 {
            steered.advance(now, steered.phase(), USUAL);
            steered.set_phase(wanted);
            self.snaps += 1;
            return true;
        }
        steered.advance(now, wanted, if is_new { AT_FIRST } else { USUAL });
        false
    }

    /// The tick whose input is to be made by now, if the clock is anchored.
    pub(super) fn due(&self, now: Micros) -> Option<Tick> {
        let (tick, _) = self.steered.as_ref()?.position(now);
        u32::try_from(tick).ok().map(Tick)
    }

    /// How far the time is from the beginning of a tick to its end: below 0 before, up to 1 in it, above
    /// after.
    pub(super) fn share_of(&self, tick: Tick, now: Micros) -> Option<f32> {
        let since = (now.0 as i64).saturating_sub(self.steered.as_ref()?.time_of(tick));
        Some(since as f32 / self.period.0 as f32)
    }

    /// When the input of a tick is to be made.
    pub(super) fn time_of(&self, tick: Tick) -> Option<Micros> {
        let time = self.steered.as_ref()?.time_of(tick);
        Some(Micros(u64::try_from(time).unwrap_or(0)))
    }

    /// The input of a tick was made and sent.
    pub(super) fn handle_sent(&mut self, tick: Tick) {
        let Some(steered) = &self.steered else { return };
        if self.unreported.len() == MAX_UNREPORTED {
            self.unreported.pop_front();
        }
        self.unreported.push_back((tick, steered.phase()));
    }

    /// The way's variation as it counts for inputs: from the middle to the late tail, rounded up.
    pub(super) fn jitter(&self) -> Micros {
        let spread = self.in_time.quantile(0.5).zip(self.in_time.quantile(LATE_SHARE));
        Micros(spread.map_or(0, |(middle, late)| (middle - late).max(0) as u64 + RESOLUTION_MICROS))
    }

    /// How much earlier than necessary the usual input comes, as far as reports tell.
    pub(super) fn margin(&self) -> i64 {
        let middle = self.in_time.quantile(0.5);
        middle.zip(self.steered.as_ref()).map_or(0, |(middle, steered)| middle - steered.phase())
    }

    pub(super) fn last_lead(&self) -> Option<InputLead> {
        self.last_lead
    }

    pub(super) fn snaps(&self) -> u64 {
        self.snaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::determinism::SimRng;

    const PERIOD: u64 = 16_667;

    /// A server that reads at its ticks, behind a way with a delay that a function gives.
    struct Bench {
        clock: TickClock,
        delay: Box<dyn FnMut(u32) -> u64>,
        next: Option<Tick>,
        newest_arrival: u64,
        under_way: VecDeque<(u64, Tick)>,
        late: Vec<Tick>,
        /// Of each input, how early it was.
        leads: Vec<i64>,
        tick: u32,
    }

    const DOWN: u64 = 20_000;

    impl Bench {
        fn new(delay: impl FnMut(u32) -> u64 + 'static) -> Bench {
            Bench {
                clock: TickClock::new(Micros(PERIOD)),
                delay: Box::new(delay),
                next: None,
                newest_arrival: 0,
                under_way: VecDeque::new(),
                late: Vec::new(),
                leads: Vec::new(),
                tick: 1000,
            }
        }

        /// A tick of the server, what the client does until it hears of it, and that.
        fn tick(&mut self) {
            self.tick += 1;
            let due = u64::from(self.tick) * PERIOD;
            let mut lead = None;
            while let Some((arrival, tick)) = self.under_way.front().copied()
                && arrival <= due
            {
                self.under_way.pop_front();
                let early = u64::from(tick.0) as i64 * PERIOD as i64 - arrival as i64;
                self.leads.push(early);
                if early < 0 {
                    self.late.push(tick);
                }
                let told = i64::from(tick.0) - i64::from(self.tick);
                lead = Some(InputLead { tick, millis: (told * PERIOD as i64).div_euclid(1000) as i16 });
            }
            let heard = Micros(due + DOWN);
            // The client looks at its clock each millisecond.
            for now in (due + DOWN - PERIOD..due + DOWN).step_by(1000).map(Micros) {
                self.clock.advance(now);
                let Some(due) = self.clock.due(now) else { continue };
                let next = self.next.unwrap_or(due.next()).max(Tick(due.0.saturating_sub(15)));
                for tick in (next.0..=due.0).map(Tick) {
                    let arrival = (now.0 + (self.delay)(tick.0)).max(self.newest_arrival);
                    self.newest_arrival = arrival;
                    self.under_way.push_back((arrival, tick));
                    self.clock.handle_sent(tick);
                }
                self.next = Some(next.max(due.next()));
            }
            self.clock.handle_snapshot(Tick(self.tick), Micros(60_000), heard);
            if let Some(lead) = lead {
                self.clock.handle_lead(Tick(self.tick), 1, lead, heard);
            }
        }
    }

    #[test]
    fn inputs_come_in_time_and_hardly_more_than_a_tick_early_on_a_steady_way() {
        for delay in [3_000, 15_000, 40_000, 90_000] {
            let mut bench = Bench::new(move |_| delay);
            (0..300).for_each(|_| bench.tick());
            (bench.late, bench.leads) = (Vec::new(), Vec::new());
            (0..3000).for_each(|_| bench.tick());
            assert_eq!(bench.late, []);
            let most = bench.leads.iter().max().copied().unwrap_or(0);
            assert!(most <= PERIOD as i64 + 3_000, "{delay}: {most}");
            assert_eq!(bench.clock.snaps(), 0);
        }
    }

    #[test]
    fn jitter_is_covered_and_no_more() {
        let mut random = SimRng::from_u64(3);
        let mut bench = Bench::new(move |_| 40_000 + u64::from(random.u32_up_to(20_000)));
        (0..300).for_each(|_| bench.tick());
        (bench.late, bench.leads) = (Vec::new(), Vec::new());
        (0..20_000).for_each(|_| bench.tick());
        assert!(bench.late.len() <= 20, "{} of 20000 were late", bench.late.len());
        let mean = bench.leads.iter().sum::<i64>() / bench.leads.len() as i64;
        let bound = 2 * bench.clock.jitter().0 as i64 + PERIOD as i64;
        assert!(mean < bound, "{mean} of {bound}");
    }

    #[test]
    fn a_server_that_drifts_is_followed() {
        // The way becomes longer by 100 ms in a minute and a half, as if the server's clock ran slower.
        let mut bench = Bench::new(|tick| 20_000 + u64::from(tick - 1000) * 20);
        (0..5000).for_each(|_| bench.tick());
        let late = bench.late.iter().filter(|tick| tick.0 > 1300).count();
        assert!(late < 50, "{late}");
        assert_eq!(bench.clock.snaps(), 0);
    }

    #[test]
    fn a_way_that_is_suddenly_another_one_is_found() {
        let mut bench = Bench::new(|tick| if tick < 2000 { 20_000 } else { 420_000 });
        (0..1200).for_each(|_| bench.tick());
        bench.late.clear();
        (0..500).for_each(|_| bench.tick());
        assert_eq!(bench.late, []);
        assert!(bench.clock.snaps() > 0);
    }

    #[test]
    fn a_slip_moves_everything() {
        let mut clock = TickClock::new(Micros(PERIOD));
        clock.handle_snapshot(Tick(100), Micros(50_000), Micros(10_000_000));
        clock.advance(Micros(10_000_000));
        let before = clock.due(Micros(10_000_000)).unwrap();
        clock.handle_slip(7);
        assert_eq!(clock.due(Micros(10_000_000)).unwrap().0, before.0 - 7);
        assert!(!clock.advance(Micros(10_000_100)));
    }

    #[test]
    fn steering_is_bounded_and_time_does_not_run_backwards() {
        let mut clock = SteeredClock::new(Micros(10_000), 0, Micros(0));
        clock.advance(Micros(1_000_000), -100_000, USUAL);
        assert_eq!(clock.phase(), -60_000);
        clock.advance(Micros(500_000), 1 << 40, USUAL);
        assert_eq!(clock.phase(), -60_000);
        clock.advance(Micros(2_000_000), 1 << 40, USUAL);
        assert_eq!(clock.phase(), -30_000);
        assert_eq!(clock.position(Micros(0)), (3, 0));
        clock.set_phase(i64::MAX);
        clock.advance(Micros(u64::MAX), i64::MIN, USUAL);
        let _ = clock.position(Micros(u64::MAX));
    }
}
