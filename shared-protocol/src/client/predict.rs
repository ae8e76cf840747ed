//! Prediction: the own avatar as it will be when the server has taken the inputs that are under way.
//!
//! The server confirms an avatar with each snapshot, a round trip behind the client's clock. The client keeps
//! its inputs and steps them again from each confirmed avatar that is another than it had predicted for that
//! tick (Bernier, "Latency Compensating Methods", 2001; "prediction and reconciliation"). If each input was
//! taken as it was sent and nobody interfered, the two are equal bit for bit, since the step is the same code
//! on both ends: then nothing is stepped again, and nothing is corrected.
//!
//! **What the server expects.** A snapshot says per tick whether the own, the held or the neutral input was
//! taken. With these the client steps on from the avatar of the snapshot's baseline, just as the server does,
//! and mostly one bit then says that the avatar is as expected ([`Predictor::expect`]). This is apart from
//! what the client shows: after an input that came late the avatar is still as expected by both ends, and yet
//! another one than was predicted.
//!
//! **Correction.** The simulation takes a correction over at once; what is drawn does not. The avatar as it
//! was predicted wrongly goes on as a *ghost*, stepped with the same inputs, and what is drawn passes from
//! the ghost to the truth within [`FADE_MICROS`]. Both are paths that the game's own rules allow, so that a
//! fade along a wall stays at the wall, where the usual offset that shrinks would lead through it.

use super::input::InputHistory;
use crate::determinism::float::clamp;
use crate::game::{
    ConsumedInputs, Effects, InputPolicy, LoadedLevel, PerTickPolicy, Simulation, StepContext,
};
use crate::limits::MAX_BASELINE_AGE;
use crate::message::{decode_payload, encode_payload};
use crate::snapshot::{Consumed, SnapshotHeader};
use crate::time::{Micros, Tick};
use std::collections::VecDeque;

/// The own avatar: what is confirmed of it, and what is predicted.
pub(super) struct Predictor<S: Simulation> {
    policy: PerTickPolicy,
    period: Micros,
    level: Option<LoadedLevel<S::Level>>,
    /// What the snapshots that may be baselines said, ascending.
    confirmed: VecDeque<Confirmed<S>>,
    /// What the header that was just read says, until its snapshot is applied.
    incoming: Option<Confirmed<S>>,
    /// Whether that header had all inputs taken as sent.
    all_own: bool,
    /// The predicted avatars after the ticks that follow the newest confirmed one.
    ahead: VecDeque<S::Avatar>,
    /// The rules by which the next input is taken, if all goes well.
    chain: Chain<S>,
    /// Whether what is ahead stands on something that is not so.
    is_stale: bool,
    ghost: Option<Ghost<S>>,
    /// What was shown when the last connection was lost, until there is something to show again.
    before: Option<S::Avatar>,
    effects: Effects<S::Effect>,
    mute: Effects<S::Effect>,
    pub(super) counters: PredictionCounters,
}

/// What became of predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PredictionCounters {
    /// Ticks whose own input was taken.
    pub(super) own: u64,
    /// Ticks that took the held input instead, since the first own one.
    pub(super) held: u64,
    /// Ticks that took the neutral input instead, since the first own one.
    pub(super) neutral: u64,
    /// Confirmed avatars that had been predicted.
    pub(super) predicted: u64,
    /// Those of them that were predicted otherwise.
    pub(super) corrections: u64,
    /// Corrections after ticks that all took the own input: somebody interfered.
    pub(super) interfered: u64,
}

/// The knowledge after a snapshot.
struct Confirmed<S: Simulation> {
    tick: Tick,
    avatar: Option<S::Avatar>,
    chain: Chain<S>,
}

/// What decides which input a tick takes, and how many in a row were not the own.
struct Chain<S: Simulation> {
    inputs: ConsumedInputs<S::Input>,
    missing: u32,
    /// Bit n: the tick n before the last one took something else than the player's own, which was not made.
    substituted: u64,
}

struct Ghost<S: Simulation> {
    /// After the same tick as the newest one ahead.
    avatar: S::Avatar,
    since: Micros,
}

/// How long a correction takes to fade: some ten frames. A longer fade shows a place that the server does not
/// know for longer, a shorter one is a jump.
const FADE_MICROS: u64 = 150_000;

/// Ticks that are stepped ahead of the newest confirmed one at most; the inputs of later ones are sent, but
/// not shown before more is confirmed.
const MAX_AHEAD: usize = 128;

/// Confirmed snapshots that are kept: all that may be baselines.
const MAX_CONFIRMED: usize = MAX_BASELINE_AGE as usize + 1;

impl<S: Simulation> Clone for Chain<S> {
    fn clone(&self) -> Chain<S> {
        Chain { inputs: self.inputs.clone(), ..*self }
    }
}

impl<S: Simulation> Chain<S> {
    fn new(policy: PerTickPolicy) -> Chain<S> {
        Chain { inputs: ConsumedInputs::new(policy), missing: policy.held_ticks, substituted: u64::MAX }
    }

    /// The input that a tick takes, when the server says whose it is.
    fn told(&mut self, tick: Tick, consumed: Consumed, own: Option<&S::Input>) -> S::Input {
        self.missing = if consumed == Consumed::Own { 0 } else { self.missing.saturating_add(1) };
        self.substituted = self.substituted << 1 | u64::from(consumed != Consumed::Own && own.is_none());
        // To be told that an input was taken that was never made is the server's mistake; the check of the
        // avatar finds it.
        self.inputs.next(tick, consumed, own).cloned().unwrap_or_default()
    }

    /// The input that a tick will take, if the own one comes in time.
    fn foreseen(&mut self, policy: PerTickPolicy, tick: Tick, own: Option<&S::Input>) -> S::Input {
        let consumed = match own {
            Some(_) => Consumed::Own,
            None if self.missing < policy.held_ticks => Consumed::Held,
            None => Consumed::Neutral,
        };
        self.told(tick, consumed, own)
    }
}

impl<S: Simulation> Predictor<S> {
    pub(super) fn new() -> Predictor<S> {
        let policy = match S::INPUT_POLICY.within_limits() {
            InputPolicy::PerTick(policy) => policy,
            InputPolicy::Stream(_) => PerTickPolicy { held_ticks: 0, merge_ticks: 0, window_ticks: 1 },
        };
        Predictor {
            policy,
            period: Micros(1),
            level: None,
            confirmed: VecDeque::new(),
            incoming: None,
            all_own: true,
            ahead: VecDeque::new(),
            chain: Chain::new(policy),
            is_stale: false,
            ghost: None,
            before: None,
            effects: Effects::new(),
            mute: Effects::muted(),
            counters: PredictionCounters::default(),
        }
    }

    /// A connection begins: the server knows no inputs, and tells everything anew. What is shown stays, and
    /// passes to what comes.
    pub(super) fn begin(&mut self, period: Micros) {
        self.before = self.predicted().cloned().or(self.before.take());
        self.ghost = None;
        self.period = period;
        self.confirmed.clear();
        self.incoming = None;
        self.ahead.clear();
        self.chain = Chain::new(self.policy);
        self.is_stale = false;
    }

    pub(super) fn set_level(&mut self, level: Option<LoadedLevel<S::Level>>) {
        self.level = level;
        self.is_stale = true;
    }

    pub(super) fn level(&self) -> Option<&LoadedLevel<S::Level>> {
        self.level.as_ref()
    }

    fn newest(&self) -> Option<&Confirmed<S>> {
        self.confirmed.back()
    }

    /// The newest tick that is confirmed.
    pub(super) fn confirmed_tick(&self) -> Option<Tick> {
        self.newest().map(|newest| newest.tick)
    }

    /// The avatar of the newest confirmed tick.
    pub(super) fn confirmed_avatar(&self) -> Option<&S::Avatar> {
        self.newest()?.avatar.as_ref()
    }

    /// The tick of the newest predicted avatar.
    pub(super) fn predicted_tick(&self) -> Option<Tick> {
        self.confirmed_tick()?.after(self.ahead.len() as u32)
    }

    /// The newest predicted avatar.
    pub(super) fn predicted(&self) -> Option<&S::Avatar> {
        self.ahead.back().or(self.confirmed_avatar())
    }

    /// Appends the avatar that the server expects this client to expect, given the header of a snapshot and
    /// the avatar of its baseline. Whether there is one.
    pub(super) fn expect(
        &mut self,
        header: &SnapshotHeader,
        baseline: Option<&[u8]>,
        own: &InputHistory<S::Input>,
        expected: &mut Vec<u8>,
    ) -> bool {
        let place = header
            .newer
            .and_then(|newer| self.confirmed.binary_search_by_key(&newer, |confirmed| confirmed.tick).ok());
        let Some(known) = place.map(|place| &self.confirmed[place]) else {
            // Told anew. What the tick took is not told; most probably it was the own input.
            let mut chain = Chain::new(self.policy);
            if let Some(own) = own.get(header.tick) {
                chain.told(header.tick, Consumed::Own, Some(own));
            }
            self.all_own = false;
            self.incoming = Some(Confirmed { tick: header.tick, avatar: None, chain });
            return false;
        };
        let newer = known.tick;
        let mut chain = known.chain.clone();
        let mut avatar = match (&known.avatar, baseline) {
            (Some(avatar), Some(_)) => Some(avatar.clone()),
            // The bytes were not those of an avatar; they are what is expected all the same.
            (None, Some(bytes)) => decode_payload(bytes).ok(),
            (_, None) => None,
        };
        for (tick, consumed) in ticks_after(newer).zip(&header.consumed) {
            let input = chain.told(tick, *consumed, own.get(tick));
            if let (Some(avatar), Some(level)) = (&mut avatar, &self.level) {
                let mut context = StepContext::new(tick, self.period, &**level, &mut self.mute);
                S::step(avatar, &input, &mut context);
            }
        }
        self.all_own = header.consumed.iter().all(|consumed| *consumed == Consumed::Own);
        self.count(newer, header, own);
        let is_expected = avatar.as_ref().is_some_and(|avatar| encode_payload(avatar, expected).is_ok());
        self.incoming = Some(Confirmed { tick: header.tick, avatar, chain });
        is_expected
    }

    fn count(&mut self, newer: Tick, header: &SnapshotHeader, own: &InputHistory<S::Input>) {
        for (tick, consumed) in ticks_after(newer).zip(&header.consumed) {
            if self.confirmed_tick().is_some_and(|newest| tick <= newest) {
                continue;
            }
            let counters = &mut self.counters;
            match consumed {
                Consumed::Own => counters.own += 1,
                // Before the first own one, nobody was there to send any.
                _ if counters.own == 0 || own.newest().is_none() => {}
                Consumed::Held => counters.held += 1,
                Consumed::Neutral => counters.neutral += 1,
            }
        }
    }

    /// The snapshot whose header was read has been applied; these are the bytes of its avatar, and whether
    /// they are those that were expected. False when they are no avatar.
    pub(super) fn confirm(&mut self, tick: Tick, avatar: Option<&[u8]>, as_expected: bool) -> bool {
        let Some(mut incoming) = self.incoming.take().filter(|incoming| incoming.tick == tick) else {
            return true;
        };
        if !as_expected || avatar.is_none() || incoming.avatar.is_none() {
            incoming.avatar = match avatar.map(decode_payload::<S::Avatar>) {
                Some(Ok(avatar)) => Some(avatar),
                Some(Err(_)) => return false,
                None => None,
            };
        }
        let passed = self.confirmed_tick().and_then(|newest| tick.since(newest)).unwrap_or(0) as usize;
        let foreseen = passed.checked_sub(1).and_then(|place| self.ahead.get(place));
        if let (Some(foreseen), Some(avatar), false) = (foreseen, &incoming.avatar, self.is_stale) {
            let is_same = foreseen == avatar;
            self.counters.predicted += 1;
            self.counters.corrections += u64::from(!is_same);
            self.counters.interfered += u64::from(!is_same && self.all_own);
            self.is_stale = !is_same || !self.all_own;
        } else if foreseen.is_none() || incoming.avatar.is_none() {
            self.is_stale = true;
        }
        self.ahead.drain(..passed.min(self.ahead.len()));
        if self.confirmed.len() == MAX_CONFIRMED {
            self.confirmed.pop_front();
        }
        self.confirmed.push_back(incoming);
        true
    }

    /// Steps again what is ahead, up to `newest`, if it stands on something that is not so. Once, however
    /// many snapshots came.
    pub(super) fn reconcile(&mut self, own: &InputHistory<S::Input>, newest: Option<Tick>, now: Micros) {
        if !self.is_stale {
            return;
        }
        self.is_stale = false;
        let shown = self.ahead.back().cloned().or_else(|| self.before.take());
        self.ahead.clear();
        let (Some(level), Some(confirmed)) = (&self.level, self.confirmed.back()) else { return };
        self.chain = confirmed.chain.clone();
        let Some(mut avatar) = confirmed.avatar.clone() else {
            self.ghost = None;
            return;
        };
        let ticks = newest.and_then(|newest| newest.since(confirmed.tick)).unwrap_or(0);
        for tick in ticks_after(confirmed.tick).take((ticks as usize).min(MAX_AHEAD)) {
            let input = self.chain.foreseen(self.policy, tick, own.get(tick));
            let mut context = StepContext::new(tick, self.period, &**level, &mut self.mute);
            S::step(&mut avatar, &input, &mut context);
            self.ahead.push_back(avatar.clone());
        }
        if let Some(shown) = shown.filter(|shown| *shown != avatar) {
            let shown = self.faded(&shown, now).unwrap_or(shown);
            self.ghost = Some(Ghost { avatar: shown, since: now });
        }
    }

    /// Predicts the ticks up to `newest`, whose inputs have been made.
    pub(super) fn predict(&mut self, own: &InputHistory<S::Input>, newest: Tick, now: Micros) {
        self.reconcile(own, Some(newest), now);
        let (Some(level), Some(confirmed)) = (&self.level, self.confirmed.back()) else { return };
        let Some(last) = self.ahead.back().or(confirmed.avatar.as_ref()) else { return };
        let mut avatar = last.clone();
        while self.ahead.len() < MAX_AHEAD
            && let Some(tick) = confirmed.tick.after(self.ahead.len() as u32 + 1)
            && tick <= newest
        {
            if self.ahead.is_empty() {
                self.chain = confirmed.chain.clone();
            }
            let input = self.chain.foreseen(self.policy, tick, own.get(tick));
            if let Some(ghost) = &mut self.ghost {
                let mut context = StepContext::new(tick, self.period, &**level, &mut self.mute);
                S::step(&mut ghost.avatar, &input, &mut context);
            }
            let mut context = StepContext::new(tick, self.period, &**level, &mut self.effects);
            S::step(&mut avatar, &input, &mut context);
            self.ahead.push_back(avatar.clone());
        }
        self.ghost.take_if(|ghost| now.saturating_since(ghost.since).0 >= FADE_MICROS);
    }

    /// The input of a tick was made, of which the server may have told already that it took something else.
    /// It comes too late then, but its presses are merged into the next own input, and not only there.
    pub(super) fn handle_made(&mut self, tick: Tick, input: &S::Input) {
        for Confirmed { tick: told, chain, .. } in self.confirmed.iter_mut().rev() {
            let Some(age) = told.since(tick) else { break };
            let bit = 1_u64.checked_shl(age).unwrap_or(0);
            if chain.substituted & bit != 0 {
                chain.substituted &= !bit;
                chain.inputs.handle_late(tick, input.clone());
                self.is_stale = true;
            }
        }
    }

    /// The inputs of ticks after this one do not count.
    pub(super) fn forget_after(&mut self, tick: Tick) {
        let kept = self.confirmed_tick().and_then(|confirmed| tick.since(confirmed)).unwrap_or(0) as usize;
        self.is_stale |= kept < self.ahead.len();
        self.ahead.truncate(kept);
    }

    /// What is drawn: the newest predicted avatar, and `share` of the step that the next tick will make if
    /// the player goes on wanting this; and while a correction fades, something of what was shown before.
    pub(super) fn show(&mut self, wish: &S::Input, share: f32, now: Micros) -> Option<S::Avatar> {
        let Some(avatar) = self.predicted().cloned() else { return self.before.clone() };
        let tick = self.predicted_tick()?.after(1)?;
        let shown = self.stepped(&avatar, wish, tick, share);
        let Some(ghost) = self.ghost.take_if(|ghost| now.saturating_since(ghost.since).0 < FADE_MICROS)
        else {
            self.ghost = None;
            return Some(shown);
        };
        let faded = fade(now.saturating_since(ghost.since));
        let before = self.stepped(&ghost.avatar, wish, tick, share);
        self.ghost = Some(ghost);
        Some(S::between(&before, &shown, faded))
    }

    fn stepped(&mut self, avatar: &S::Avatar, wish: &S::Input, tick: Tick, share: f32) -> S::Avatar {
        let Some(level) = self.level.as_ref().filter(|_| share > 0.0) else { return avatar.clone() };
        let mut next = avatar.clone();
        let mut context = StepContext::new(tick, self.period, &**level, &mut self.mute);
        S::step(&mut next, wish, &mut context);
        S::between(avatar, &next, if share < 1.0 { share } else { 1.0 })
    }

    /// An avatar as it is drawn while an older correction still fades.
    fn faded(&self, avatar: &S::Avatar, now: Micros) -> Option<S::Avatar> {
        let ghost = self.ghost.as_ref()?;
        let since = now.saturating_since(ghost.since);
        (since.0 < FADE_MICROS).then(|| S::between(&ghost.avatar, avatar, fade(since)))
    }

    /// Whether a correction is fading.
    pub(super) fn is_correcting(&self, now: Micros) -> bool {
        self.ghost.as_ref().is_some_and(|ghost| now.saturating_since(ghost.since).0 < FADE_MICROS)
    }

    /// Takes out the effects of the ticks that were predicted for the first time.
    pub(super) fn drain_effects(&mut self) -> impl Iterator<Item = S::Effect> + '_ {
        self.effects.drain()
    }
}

/// The ticks that follow a tick, as long as there are any.
fn ticks_after(tick: Tick) -> impl Iterator<Item = Tick> {
    std::iter::successors(tick.after(1), |tick| tick.after(1))
}

/// How much of the truth is drawn so long after a correction: from 0 to 1, with no jerk at either end
/// (3x² − 2x³).
fn fade(since: Micros) -> f32 {
    let x = clamp(since.0 as f32 / FADE_MICROS as f32, 0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}
