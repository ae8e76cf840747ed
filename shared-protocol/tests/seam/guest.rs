//! The part of a client that predicts: it quantises what it sends, steps it at once, and compares when it is
//! told.

use super::host::Told;
use std::collections::BTreeMap;
use tickwire_protocol::game::*;
use tickwire_protocol::time::{Micros, Tick};

pub(crate) struct Guest<S: Simulation> {
    form: InputForm<S::Input>,
    /// What was sent and is not confirmed.
    sent: BTreeMap<Tick, S::Input>,
    taken: ConsumedInputs<S::Input>,
    /// The confirmed avatar, once there is one.
    confirmed: Option<S::Avatar>,
    level: LoadedLevel<S::Level>,
    predicted: BTreeMap<Tick, S::Avatar>,
    pub(crate) effects: Effects<S::Effect>,
    /// How often the confirmed avatar was not what had been predicted.
    pub(crate) corrections: u32,
    /// How often it was not what the inputs that were consumed make of the one before.
    pub(crate) disturbances: u32,
    /// How many confirmed inputs were not the player's own.
    pub(crate) substituted: u32,
}

impl<S: Simulation> Guest<S> {
    pub(crate) fn new(level: LoadedLevel<S::Level>) -> Guest<S> {
        let InputPolicy::PerTick(policy) = S::INPUT_POLICY else { panic!("a stream is not predicted") };
        Guest {
            form: InputForm::new().unwrap(),
            sent: BTreeMap::new(),
            taken: ConsumedInputs::new(policy),
            confirmed: None,
            level,
            predicted: BTreeMap::new(),
            effects: Effects::new(),
            corrections: 0,
            disturbances: 0,
            substituted: 0,
        }
    }

    /// Makes the input for a tick and predicts that tick.
    pub(crate) fn send(&mut self, tick: Tick, input: &S::Input, period: Micros) -> SentInput<S::Input> {
        let mut row = vec![0; self.form.codec().lanes()];
        self.form.quantize(input, &mut row).unwrap();
        let input = self.form.value(&row);
        self.sent.insert(tick, input.clone());
        if let Some(mut avatar) = self.newest() {
            self.step(&mut avatar, tick, &input, period);
            self.predicted.insert(tick, avatar);
        }
        let view = Some(ViewTime { tick: Tick(tick.0.saturating_sub(6)), fraction: 128 });
        SentInput { stamp: InputStamp::Tick(tick), view, input }
    }

    /// Takes in what the server says of a tick.
    pub(crate) fn handle_told<G: Game>(&mut self, told: &Told<G>, period: Micros)
    where
        S: Simulation<Avatar = G::Avatar, Level = G::Level>,
    {
        let own = self.sent.remove(&told.tick);
        let input = self.taken.next(told.tick, told.consumed, own.as_ref()).expect("it was sent").clone();
        self.substituted += u32::from(told.consumed != Consumed::Own);
        let level_changed = self.level.id() != told.level.id();
        self.level = told.level.clone();
        if let (Some(mut expected), Some(avatar)) = (self.confirmed.take(), &told.avatar) {
            self.effects.set_muted(true);
            self.step(&mut expected, told.tick, &input, period);
            self.effects.set_muted(false);
            self.disturbances += u32::from(!level_changed && expected != *avatar);
        }
        let predicted = self.predicted.remove(&told.tick);
        self.confirmed = told.avatar.clone();
        if predicted.is_some() && predicted != told.avatar {
            self.corrections += 1;
            self.replay(period);
        }
    }

    /// Steps what is not confirmed again, from the confirmed avatar.
    fn replay(&mut self, period: Micros) {
        self.effects.set_muted(true);
        self.predicted.clear();
        if let Some(mut avatar) = self.confirmed.clone() {
            for (tick, input) in std::mem::take(&mut self.sent) {
                self.step(&mut avatar, tick, &input, period);
                self.predicted.insert(tick, avatar.clone());
                self.sent.insert(tick, input);
            }
        }
        self.effects.set_muted(false);
    }

    fn newest(&self) -> Option<S::Avatar> {
        self.predicted.values().next_back().or(self.confirmed.as_ref()).cloned()
    }

    fn step(&mut self, avatar: &mut S::Avatar, tick: Tick, input: &S::Input, period: Micros) {
        S::step(avatar, input, &mut StepContext::new(tick, period, &*self.level, &mut self.effects));
    }
}
