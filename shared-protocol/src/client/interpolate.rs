//! The others, shown in the past: between two snapshots that have come, at a pace of its own.
//!
//! The problem. Snapshots come unevenly. What is drawn when it comes stutters as the network does; what is
//! drawn late enough to be sure never does, and is old. The idea: a second clock ([`SteeredClock`], as for
//! inputs) plays the past. Snapshot `t` came at `t · period + θ`; the clock's phase is a high quantile of θ
//! over the last seconds ([`IN_TIME_SHARE`]), and one snapshot interval more, because what lies between two
//! snapshots can be drawn when the second is there. It steers as gently as the clock of inputs, so that
//! nobody is seen to hurry.
//!
//! When the next snapshot is not there in time, what is known goes on: a segment moves along its line, for at
//! most [`MAX_EXTRAPOLATION_MICROS`]; then everything stands still. What is shown never goes back in time.
//!
//! Values are published per tick by integer arithmetic, the same for everybody
//! ([`KindCodec::value`](crate::delta::KindCodec::value)). Between two snapshots they are interpolated as the
//! server does when it rewinds ([`interpolate`]), so that what a player aims at is what the server judges.
//!
//! Source: "Source Multiplayer Networking" (Valve) for entity interpolation; the adaptive delay is that of
//! telephony, see [`clock`](super::clock).

use super::clock::{SNAP_MICROS, SteeredClock, Steering};
use super::window::DelayWindow;
use crate::delta::DeltaCodec;
use crate::game::{Kind, ViewTime, interpolate};
use crate::id::{EntityIndex, KindId};
use crate::schema::Replicate;
use crate::snapshot::{Entry, RateMode, View};
use crate::time::{Micros, Tick};
use std::collections::VecDeque;
use std::sync::Arc;

/// The past as it is played.
#[derive(Debug)]
pub(super) struct Playback {
    period: Micros,
    codec: Option<Arc<DeltaCodec>>,
    /// Ascending in ticks: those on show and those that come.
    views: VecDeque<View>,
    spare: Vec<View>,
    /// When snapshots come, in microseconds after their ticks.
    arrivals: DelayWindow,
    steered: Option<SteeredClock>,
    interval: u32,
    /// The time on show, in 1/256 of a tick; it does not go back.
    shown: u64,
    /// The newest tick told of, shown or not.
    newest: Tick,
    pub(super) held_frames: u64,
    shown_entities: Vec<Shown>,
    components: Vec<f64>,
    /// The values of an entity at two times.
    values: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Shown {
    index: EntityIndex,
    kind: KindId,
    /// Where its components end.
    end: usize,
    told: Tick,
}

/// One in so many snapshots may come too late to be interpolated to; what is known then goes on for a moment.
const IN_TIME_SHARE: f32 = 0.985;
/// How long arrivals are remembered.
const MEMORY_MICROS: u64 = 20_000_000;
/// How far beyond the newest snapshot what is known goes on.
const MAX_EXTRAPOLATION_MICROS: u64 = 100_000;
/// Views that are kept to be shown. With more the delay is beyond all use; the oldest are dropped.
const MAX_VIEWS: usize = 96;
const STEERING: Steering = Steering { faster: 50, slower: 100 };
/// Parts of a tick in which the time on show is told.
const PARTS: u64 = 256;

impl Playback {
    pub(super) fn new() -> Playback {
        Playback {
            period: Micros(1),
            codec: None,
            views: VecDeque::new(),
            spare: Vec::new(),
            arrivals: DelayWindow::new(1),
            steered: None,
            interval: 1,
            shown: 0,
            newest: Tick(0),
            held_frames: 0,
            shown_entities: Vec::new(),
            components: Vec::new(),
            values: Vec::new(),
        }
    }

    /// A session begins: other ticks, another world.
    pub(super) fn begin(&mut self, period: Micros) {
        let memory = (MEMORY_MICROS / period.0.max(1)).clamp(1, 1 << 16) as u32;
        self.spare.extend(self.views.drain(..));
        (self.period, self.arrivals, self.steered) = (period, DelayWindow::new(memory), None);
        (self.shown, self.newest) = (0, Tick(0));
    }

    /// The server's clock slipped by so many ticks.
    pub(super) fn handle_slip(&mut self, ticks: u32) {
        let micros = i64::from(ticks).saturating_mul(self.period.0 as i64);
        self.arrivals.shift(micros);
        if let Some(steered) = &mut self.steered {
            steered.set_phase(steered.phase().saturating_add(micros));
        }
    }

    /// Takes in the world after a snapshot that came now. Without `keeps` only the time of arrival counts.
    pub(super) fn handle_snapshot(&mut self, view: &View, codec: &Arc<DeltaCodec>, keeps: bool, now: Micros) {
        let gap = view.tick.since(self.newest).unwrap_or(1);
        self.newest = view.tick;
        let arrival = (now.0.min(i64::MAX as u64) as i64) - i64::from(view.tick.0) * self.period.0 as i64;
        self.arrivals.handle_sample(arrival);
        self.interval = if view.rate == RateMode::EverySecondTick && gap < 8 { 2 } else { 1 };
        if !keeps {
            return;
        }
        if self.codec.as_ref().is_none_or(|known| !Arc::ptr_eq(known, codec)) {
            self.codec = Some(Arc::clone(codec));
            self.spare.extend(self.views.drain(..));
        }
        // A stream that begins again may tell of a tick that is on show; it counts.
        while self.views.back().is_some_and(|newest| newest.tick >= view.tick) {
            self.spare.extend(self.views.pop_back());
        }
        if self.views.len() == MAX_VIEWS {
            self.spare.extend(self.views.pop_front());
        }
        let mut kept = self.spare.pop().unwrap_or_default();
        (kept.tick, kept.epoch, kept.rate) = (view.tick, view.epoch, view.rate);
        kept.entries.clone_from(&view.entries);
        kept.lanes.clone_from(&view.lanes);
        self.views.push_back(kept);
    }

    fn wanted(&self) -> Option<i64> {
        let arrival = self.arrivals.quantile(IN_TIME_SHARE)?;
        Some(arrival + i64::from(self.interval) * self.period.0 as i64)
    }

    /// Lets time pass, and forgets what is no longer shown.
    pub(super) fn advance(&mut self, now: Micros) {
        let Some(wanted) = self.wanted() else { return };
        let steered = self.steered.get_or_insert_with(|| SteeredClock::new(self.period, wanted, now));
        let error = wanted.saturating_sub(steered.phase());
        if !(-SNAP_MICROS..=2 * SNAP_MICROS).contains(&error) {
            steered.set_phase(wanted);
        }
        steered.advance(now, wanted, STEERING);
        let (tick, since) = steered.position(now);
        let reached = (tick.max(0) as u64) * PARTS + since as u64 * PARTS / self.period.0.max(1);
        let beyond = MAX_EXTRAPOLATION_MICROS * PARTS / self.period.0.max(1);
        let last = u64::from(self.newest.0) * PARTS + beyond;
        if reached > last {
            self.held_frames += 1;
        }
        self.shown = self.shown.max(reached.min(last));
        while self.views.get(1).is_some_and(|second| u64::from(second.tick.0) * PARTS <= self.shown) {
            self.spare.extend(self.views.pop_front());
        }
    }

    /// The time on show.
    pub(super) fn time(&self) -> ViewTime {
        ViewTime { tick: Tick((self.shown / PARTS) as u32), fraction: (self.shown % PARTS) as u8 }
    }

    /// How far what is shown is behind what is: behind the tick of a snapshot that would come now by the
    /// fastest way.
    pub(super) fn delay(&self) -> Micros {
        let fastest = self.arrivals.quantile(0.01);
        let delay = self.steered.as_ref().zip(fastest).map(|(steered, fastest)| steered.phase() - fastest);
        Micros(delay.unwrap_or(0).max(0) as u64)
    }

    /// The variation of arrivals as it counts for what is shown.
    pub(super) fn jitter(&self) -> Micros {
        let spread = self.arrivals.quantile(IN_TIME_SHARE).zip(self.arrivals.quantile(0.5));
        Micros(spread.map_or(0, |(late, middle)| (late - middle).max(0) as u64))
    }

    /// Works out what is on show, as far as it is wanted.
    pub(super) fn draw(&mut self, mut wants: impl FnMut(EntityIndex, KindId) -> bool) {
        self.shown_entities.clear();
        self.components.clear();
        let Some(codec) = &self.codec else { return };
        let Some(from) = self.views.front().filter(|view| u64::from(view.tick.0) * PARTS <= self.shown)
        else {
            return;
        };
        let to = self.views.get(1);
        let mut drawing = Drawing {
            codec,
            from,
            to,
            shown: self.shown,
            entities: &mut self.shown_entities,
            components: &mut self.components,
            values: &mut self.values,
        };
        let mut later = to.map_or(&[][..], View::entries);
        for entry in from.entries().iter().filter(|entry| wants(entry.index, entry.kind)) {
            while later.first().is_some_and(|first| first.index < entry.index) {
                later = &later[1..];
            }
            let same = later.first().filter(|first| to.is_some_and(|to| is_same(entry, first, to.tick)));
            drawing.entity(entry, same);
        }
    }

    /// What is on show, in ascending order of index.
    pub(super) fn entities(&self) -> Entities<'_> {
        Entities { playback: self, next: 0 }
    }
}

/// Whether two entries are of one entity that did not leave in between.
fn is_same(entry: &Entry, later: &Entry, tick: Tick) -> bool {
    let has_entered = later.told == tick && later.told_before.is_none();
    later.index == entry.index && later.kind == entry.kind && !has_entered
}

struct Drawing<'a> {
    codec: &'a DeltaCodec,
    from: &'a View,
    to: Option<&'a View>,
    shown: u64,
    entities: &'a mut Vec<Shown>,
    components: &'a mut Vec<f64>,
    values: &'a mut Vec<f64>,
}

impl Drawing<'_> {
    fn entity(&mut self, entry: &Entry, later: Option<&Entry>) {
        let kind =
            self.codec.kind(entry.kind).zip(self.codec.schema().kinds().get(usize::from(entry.kind.0)));
        let Some((codec, schema)) = kind else { return };
        let count = codec.components();
        self.values.resize(2 * count, 0.0);
        let (before, after) = self.values.split_at_mut(count);
        let state = self.from.state(entry);
        let since = self.shown - u64::from(self.from.tick.0) * PARTS;
        // Between two snapshots, or, where there is no second one or the entity is not in it, between two
        // ticks of what was known last.
        let (start, end, next) = match (self.to, later) {
            (Some(to), Some(later)) => (self.from.tick, to.tick, to.state(later)),
            _ => {
                let start = Tick(self.from.tick.0.saturating_add((since / PARTS) as u32));
                (start, Tick(start.0.saturating_add(1)), state)
            }
        };
        codec.value(state, start, before);
        codec.value(next, end, after);
        let passed = self.shown.saturating_sub(u64::from(start.0) * PARTS);
        let whole = u64::from(end.0 - start.0).max(1) * PARTS;
        let first = self.components.len();
        self.components.resize(first + count, 0.0);
        let share = passed.min(whole) as f64 / whole as f64;
        interpolate(schema, before, after, share, &mut self.components[first..]);
        let end = self.components.len();
        self.entities.push(Shown { index: entry.index, kind: entry.kind, end, told: entry.told });
    }
}

/// The other entities as they are shown, in ascending order of index.
#[derive(Clone, Debug)]
pub struct Entities<'a> {
    playback: &'a Playback,
    next: usize,
}

/// An entity as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct ShownEntity<'a> {
    /// Its place in the room's table.
    pub index: EntityIndex,
    /// Its kind.
    pub kind: KindId,
    /// The time at which it is shown.
    pub time: ViewTime,
    /// The snapshot that last told of it, as of that time.
    pub told: Tick,
    /// Its components, one after the other as the fields of its kind are.
    pub components: &'a [f64],
}

impl ShownEntity<'_> {
    /// The entity as its type, if it is of this kind.
    #[must_use]
    pub fn get<T: Replicate>(&self, kind: Kind<T>) -> Option<T> {
        let fits = kind.id() == self.kind && self.components.len() == T::COMPONENTS;
        fits.then(|| T::from_components(self.components))
    }
}

impl<'a> Iterator for Entities<'a> {
    type Item = ShownEntity<'a>;

    fn next(&mut self) -> Option<ShownEntity<'a>> {
        let shown = self.playback.shown_entities.get(self.next)?;
        let before = self.next.checked_sub(1).and_then(|before| self.playback.shown_entities.get(before));
        self.next += 1;
        Some(ShownEntity {
            index: shown.index,
            kind: shown.kind,
            time: self.playback.time(),
            told: shown.told,
            components: &self.playback.components[before.map_or(0, |before| before.end)..shown.end],
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.playback.shown_entities.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Entities<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;
    use tickwire_derive::Replicate;

    #[derive(Debug, Default, PartialEq, Replicate)]
    struct Walker {
        #[replicate(ranged(min = -100.0, max = 100.0, step = 0.5), velocity = velocity)]
        place: f32,
        #[replicate(ranged(min = -50.0, max = 50.0, step = 0.5))]
        velocity: f32,
    }

    const WALKER: Kind<Walker> = Kind::new(0);
    const PERIOD: Micros = Micros(20_000);

    /// A world in which each of these entities walks along, with how far it was in its last told tick.
    fn view(tick: u32, walkers: &[(u16, f64, u32)], codec: &DeltaCodec) -> View {
        let kind = codec.kind(KindId(0)).unwrap();
        let mut view = View { tick: Tick(tick), ..View::default() };
        for (index, place, entered) in walkers {
            let first = view.lanes.len();
            view.lanes.resize(first + kind.lanes(), 0);
            let value = [*place, 25.0];
            kind.publish(&value, None, Tick(tick), 0, &mut view.lanes[first..]).unwrap();
            let told_before = (*entered < tick).then_some(Tick(*entered));
            let (index, told) = (EntityIndex(*index), Tick(tick));
            view.entries.push(Entry { index, kind: KindId(0), told, told_before, lanes: first as u32 });
        }
        view
    }

    fn shown(playback: &mut Playback, now: u64) -> Vec<(u16, f32)> {
        playback.advance(Micros(now));
        playback.draw(|_, _| true);
        let walker = |entity: ShownEntity<'_>| (entity.index.0, entity.get(WALKER).unwrap().place);
        playback.entities().map(walker).collect()
    }

    #[test]
    fn others_come_and_go_when_their_time_is_shown_and_stop_when_nothing_is_heard() {
        let codec = Arc::new(DeltaCodec::new(&Schema::new(vec![Walker::kind()]).unwrap(), PERIOD));
        let mut playback = Playback::new();
        playback.begin(PERIOD);
        // One walks half a unit per tick; another leaves at tick 105, and a third enters then.
        let at = |tick: u32| 1_000_000 + u64::from(tick) * PERIOD.0;
        let mut seen = Vec::new();
        for tick in 100..110 {
            let place = f64::from(tick - 100) * 0.5;
            let other = if tick < 105 { (4, 50.0, 99) } else { (7, -50.0, 105) };
            let view = view(tick, &[(2, place, 99), other], &codec);
            playback.handle_snapshot(&view, &codec, true, Micros(at(tick)));
            seen.push((tick, shown(&mut playback, at(tick) + 1)));
        }
        for (tick, shown) in &seen[3..] {
            // A snapshot interval behind, and what the histogram is coarse.
            let expected = f64::from(tick - 101) as f32 * 0.5;
            assert!((shown[0].1 - expected).abs() < 0.1, "{tick}: {shown:?}");
            let indices: Vec<u16> = shown.iter().map(|(index, _)| *index).collect();
            assert_eq!(indices, if *tick < 107 { [2, 4] } else { [2, 7] }, "{tick}");
        }
        let later = shown(&mut playback, at(109) + 60_000);
        assert!((later[0].1 - 5.5).abs() < 0.2, "it goes on: {later:?}");
        let still = shown(&mut playback, at(109) + 400_000);
        assert!((still[0].1 - 7.0).abs() < 0.2, "for a tenth of a second: {still:?}");
        assert_eq!(shown(&mut playback, at(109) + 900_000), still);
        assert!(playback.held_frames > 0);
        // It is all told anew, from an earlier tick: nothing goes back in time.
        let time = playback.time();
        playback.handle_snapshot(&view(108, &[], &codec), &codec, true, Micros(at(120)));
        assert_eq!(shown(&mut playback, at(120)), []);
        assert!(playback.time() >= time);
    }
}
