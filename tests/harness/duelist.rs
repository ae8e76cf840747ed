//! A client of the duel: it runs a clock ahead of the server's, sends an input for each tick, and predicts
//! its avatar exactly.

use crate::duel::{ARENAS, Arena, Duel, DuelEvent, Fighter, Stick, predict};
use crate::net::Path;
use crate::sim::{Brain, Heard};
use glam::Vec2;
use std::collections::BTreeMap;
use tickwire_protocol::client::{Received, Session};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::{
    ConsumedInputs, InputForm, InputPolicy, Level, LevelId, PerTickPolicy, Simulation,
};
use tickwire_protocol::message::{Features, NoticeKind, SessionState, decode_payload, encode_payload};
use tickwire_protocol::snapshot::{AvatarTold, Consumed, SnapshotHeader};
use tickwire_protocol::time::{Micros, Tick};

/// Sends an input for each tick and predicts.
pub struct Duelist {
    random: SimRng,
    form: InputForm<Stick>,
    stick: Stick,
    arena: Option<Arena>,
    period: Micros,
    /// How long before its tick an input is sent.
    ahead: Micros,
    /// A tick, and when the server's news of it came.
    anchor: Option<(Tick, Micros)>,
    epoch: u16,
    next: Option<Tick>,
    sent: BTreeMap<Tick, Stick>,
    /// What is known of the inputs that were taken, up to each snapshot that may be a baseline.
    taken: BTreeMap<Tick, ConsumedInputs<Stick>>,
    /// The inputs that were taken, as the headers say.
    pub consumed: BTreeMap<Tick, Consumed>,
    /// Snapshots whose avatar was the predicted one.
    pub predicted: u32,
    /// Snapshots whose avatar was another than the predicted one.
    pub corrected: u32,
    /// Snapshots that told everything anew.
    pub anew: u32,
    /// So many of the next snapshots are predicted wrongly.
    pub confusion: u32,
    /// How early the last input came, in milliseconds, as the server said.
    pub leads: Vec<i16>,
    /// Whether it sends no inputs of its own, but acknowledges.
    pub is_idle: bool,
    /// Added to the tick of each input: for clients whose clock is wrong.
    pub skew: i64,
    /// Whether each input is sent twice.
    pub doubles: bool,
}

/// How long a client keeps what it may need for a prediction.
const KEPT_TICKS: u32 = 200;

impl Duelist {
    fn policy() -> PerTickPolicy {
        match Duel::INPUT_POLICY {
            InputPolicy::PerTick(policy) => policy,
            InputPolicy::Stream(_) => unreachable!("the duel takes an input per tick"),
        }
    }

    fn enter_arena(&mut self, content_hash: u64) {
        let known = ARENAS.iter().find(|text| LevelId::of(text.as_bytes()).0 == content_hash);
        self.arena = known.and_then(|text| Arena::parse(text.as_bytes()).ok());
    }

    /// The inputs that were taken up to the snapshot of this header, and the avatar that follows from them.
    fn expect(
        &self,
        header: &SnapshotHeader,
        baseline: Option<&[u8]>,
    ) -> (ConsumedInputs<Stick>, Option<Fighter>) {
        let known = header.newer.and_then(|newer| Some((newer, self.taken.get(&newer)?.clone())));
        let Some((newer, mut taken)) = known else {
            return (ConsumedInputs::new(Duelist::policy()), None);
        };
        let mut fighter = baseline.and_then(|bytes| decode_payload::<Fighter>(bytes).ok());
        for (tick, consumed) in (newer.0 + 1..).map(Tick).zip(&header.consumed) {
            let stick = taken.next(tick, *consumed, self.sent.get(&tick)).cloned().unwrap_or_default();
            if let (Some(fighter), Some(arena)) = (&mut fighter, &self.arena) {
                predict(fighter, &stick, tick, self.period, arena);
            }
        }
        if let Some(fighter) = fighter.as_mut().filter(|_| self.confusion > 0) {
            fighter.position.x += 1.0;
        }
        (taken, fighter)
    }

    fn take_header(&mut self, header: &SnapshotHeader, now: Micros) {
        self.anew += u32::from(header.newer.is_none());
        self.confusion = self.confusion.saturating_sub(1);
        if self.epoch != header.epoch || self.anchor.is_none() {
            (self.epoch, self.anchor) = (header.epoch, Some((header.tick, now)));
            self.next = None;
        }
        if let Some(newer) = header.newer {
            self.consumed.extend((newer.0 + 1..).map(Tick).zip(header.consumed.iter().copied()));
        }
        self.leads.extend(header.lead.map(|lead| lead.millis));
    }

    /// The tick whose input is due now.
    fn due(&self, now: Micros) -> Option<Tick> {
        let (tick, at) = self.anchor?;
        let ticks = (now.saturating_since(at).0 + self.ahead.0) / self.period.0;
        tick.after(ticks as u32 + 1)
    }

    fn next_stick(&mut self) -> Stick {
        if self.random.chance(0.08) {
            self.stick.way = self.random.unit_vec2() * self.random.unit_f32();
        }
        if self.random.chance(0.02) {
            self.stick.way = Vec2::ZERO;
        }
        self.stick.dash = self.random.chance(0.05);
        self.stick.mark = self.stick.mark.wrapping_add(1);
        self.form.canonical(&self.stick).expect("a stick is within its ranges")
    }
}

impl Brain for Duelist {
    type Game = Duel;
    const FEATURES: Features = Features::PREDICTS;

    fn new(seed: u64) -> Duelist {
        Duelist {
            random: SimRng::from_u64(seed),
            form: InputForm::new().expect("a stick has a form"),
            stick: Stick::default(),
            arena: None,
            period: Micros(1),
            ahead: Micros(0),
            anchor: None,
            epoch: 0,
            next: None,
            sent: BTreeMap::new(),
            taken: BTreeMap::new(),
            consumed: BTreeMap::new(),
            predicted: 0,
            corrected: 0,
            anew: 0,
            confusion: 0,
            leads: Vec::new(),
            is_idle: false,
            skew: 0,
            doubles: false,
        }
    }

    fn handle_connected(&mut self, path: &Path) {
        // There and back, the worst of both, and a little for the steps of the simulation's time.
        self.ahead = Micros(2 * (path.delay.0 + path.jitter.0) + 6_000);
        (self.anchor, self.next) = (None, None);
        self.taken.clear();
        self.sent.clear();
    }

    fn handle_message(
        &mut self,
        session: &mut Session,
        bytes: &[u8],
        now: Micros,
    ) -> Result<Received, SessionEnd> {
        let mut seen = None;
        let received = session.handle_message_with(bytes, now, |header, baseline, expected| {
            let (taken, fighter) = self.expect(header, baseline);
            let is_expected = fighter.is_some_and(|fighter| encode_payload(&fighter, expected).is_ok());
            seen = Some((header.clone(), taken, is_expected));
            is_expected
        })?;
        match (&received, seen) {
            (Received::Welcome, _) => {
                if let Some(welcome) = session.welcome() {
                    self.period = welcome.body.tick_period;
                    self.epoch = welcome.body.epoch;
                    let hash = welcome.body.level.content_hash;
                    self.enter_arena(hash);
                }
            }
            (Received::Notice(notice), _) => {
                if let NoticeKind::Level(level) = &notice.kind {
                    self.enter_arena(level.content_hash);
                }
            }
            (Received::Snapshot(applied), Some((header, taken, is_expected))) => {
                let told_otherwise = applied.avatar != AvatarTold::AsExpected || applied.desync;
                self.predicted += u32::from(is_expected && !told_otherwise);
                self.corrected += u32::from(is_expected && told_otherwise);
                self.take_header(&header, now);
                self.taken.insert(applied.tick, taken);
                let old = Tick(applied.tick.0.saturating_sub(KEPT_TICKS));
                self.taken.retain(|tick, _| *tick > old);
                self.sent.retain(|tick, _| *tick > old);
            }
            _ => {}
        }
        Ok(received)
    }

    fn poll(&mut self, session: &mut Session, now: Micros, send: &mut dyn FnMut(Vec<u8>)) {
        if session.state() != SessionState::Active {
            return;
        }
        let Some(due) = self.due(now) else { return };
        let next = self.next.unwrap_or(due).max(Tick(due.0.saturating_sub(8)));
        self.next = Some(due.next().max(next));
        for tick in (next.0..=due.0).map(Tick) {
            let mut message = Vec::new();
            if self.is_idle || session.welcome().is_some_and(|welcome| !welcome.body.profile.has_avatar) {
                session.encode_acknowledgement(&mut message);
                send(message);
                continue;
            }
            let stick = self.next_stick();
            let mut row = vec![0; self.form.codec().lanes()];
            self.form.quantize(&stick, &mut row).expect("it is canonical");
            let stamp = Tick((i64::from(tick.0) + self.skew) as u32);
            session.encode_inputs(stamp.0, &row, None, &mut message);
            self.sent.entry(stamp).or_insert(stick);
            if self.doubles {
                send(message.clone());
            }
            send(message);
        }
    }
}

/// The events that a client of the duel heard.
///
/// # Panics
/// When one of them is none.
#[must_use]
pub fn events(heard: &Heard) -> Vec<DuelEvent> {
    let decode = |(_, payload): &(Tick, Vec<u8>)| decode_payload(payload).expect("the game encoded it");
    heard.events.iter().map(decode).collect()
}
