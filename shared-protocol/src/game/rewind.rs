//! Rewind: the world as a player saw it, for the shots that were aimed at it.

use super::kind::Kind;
use crate::id::{EntityIndex, KindId};
use crate::limits::MAX_LANES;
use crate::message::ViewTime;
use crate::schema::{KindSchema, Quantization, Replicate};

/// The published past of a room: what was told, not what was true, because that is what players aim at.
///
/// What it yields depends on the captured frames and the time asked for alone. How far a player may reach
/// back depends on the network, and is applied before the tick to the view time that comes with the inputs
/// ([`TickInputs`](super::TickInputs)), so that a recording of a match holds it.
pub trait Rewind {
    /// Writes the components that an entity of this kind was shown with at a time, between two ticks as a
    /// client interpolates. False when there was no such entity, or the history does not reach back so far.
    ///
    /// `components` has the length of the kind's.
    fn components_at(
        &self,
        entity: EntityIndex,
        kind: KindId,
        time: ViewTime,
        components: &mut [f64],
    ) -> bool;
}

/// No past at all, for a host without a history.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRewind;

impl Rewind for NoRewind {
    fn components_at(&self, _: EntityIndex, _: KindId, _: ViewTime, _: &mut [f64]) -> bool {
        false
    }
}

/// The world as one player saw it.
#[derive(Clone, Copy)]
pub struct Past<'a> {
    rewind: &'a dyn Rewind,
    time: Option<ViewTime>,
}

impl<'a> Past<'a> {
    pub(super) fn new(rewind: &'a dyn Rewind, time: Option<ViewTime>) -> Past<'a> {
        Past { rewind, time }
    }

    /// When it is, or `None` when the player has not said what it saw.
    #[must_use]
    pub fn time(&self) -> Option<ViewTime> {
        self.time
    }

    /// An entity as it was shown then, or `None` when it was not there or the time is not known.
    ///
    /// It asks neither whether the entity was in this player's sight nor whether it is still there now.
    #[must_use]
    pub fn get<T: Replicate>(&self, kind: Kind<T>, entity: EntityIndex) -> Option<T> {
        // A kind has no more components than lanes, or its schema is refused.
        let mut room = [0.0; MAX_LANES];
        let components = room.get_mut(..T::COMPONENTS)?;
        let is_there = self.rewind.components_at(entity, kind.id(), self.time?, components);
        is_there.then(|| T::from_components(components))
    }
}

/// Writes the components of an entity between two shown values, `fraction` (0 to 1) of the way: what is
/// ranged on the straight line, an angle the short way round, a rotation on the straight line and back to
/// length 1 (between close rotations no different from the arc). What has no between (bools, integers, enums)
/// is as in `from`.
///
/// # Panics
/// When a slice does not have the kind's length.
pub fn interpolate(kind: &KindSchema, from: &[f64], to: &[f64], fraction: f64, between: &mut [f64]) {
    let mut first = 0;
    for field in &kind.fields {
        let place = first..first + field.quantization.components();
        first = place.end;
        let (from, to, between) = (&from[place.clone()], &to[place.clone()], &mut between[place]);
        match &field.quantization {
            Quantization::Bool | Quantization::Int { .. } | Quantization::Enum { .. } => {
                between.copy_from_slice(from);
            }
            Quantization::Ranged(_) => straight(from, to, fraction, between),
            Quantization::Angle(turn) => {
                let way = turn.difference(turn.position(to[0]), turn.position(from[0]));
                let position = turn.position(from[0]) + way * fraction;
                between[0] = turn.value_at(position.rem_euclid(f64::from(turn.steps)));
            }
            Quantization::Quat(_) => rotation(from, to, fraction, between),
        }
    }
}

fn straight(from: &[f64], to: &[f64], fraction: f64, between: &mut [f64]) {
    for ((between, from), to) in between.iter_mut().zip(from).zip(to) {
        *between = from + (to - from) * fraction;
    }
}

fn rotation(from: &[f64], to: &[f64], fraction: f64, between: &mut [f64]) {
    let dot: f64 = from.iter().zip(to).map(|(from, to)| from * to).sum();
    // A rotation is two quaternions; the nearer one is meant.
    let sign = if dot < 0.0 { -1.0 } else { 1.0 };
    for ((between, from), to) in between.iter_mut().zip(from).zip(to) {
        *between = from + (sign * to - from) * fraction;
    }
    let length = between.iter().map(|component| component * component).sum::<f64>().sqrt();
    if length > 0.0 {
        between.iter_mut().for_each(|component| *component /= length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Tick;
    use glam::Quat;
    use tickwire_derive::Replicate;

    #[derive(Debug, Replicate)]
    struct Vessel {
        #[replicate(ranged(min = -8.0, max = 8.0, step = 0.125))]
        depth: f32,
        #[replicate(angle(steps = 4096))]
        heading: f64,
        #[replicate(quat(bits = 12))]
        tilt: Quat,
        hp: u8,
    }

    fn components(vessel: &Vessel) -> Vec<f64> {
        let mut components = vec![0.0; Vessel::COMPONENTS];
        vessel.write_components(&mut components);
        components
    }

    #[test]
    fn between_two_values_each_field_goes_its_own_way() {
        let tilt = Quat::from_rotation_z(0.2);
        let from = Vessel { depth: -1.0, heading: 3.0, tilt: Quat::IDENTITY, hp: 9 };
        // The same rotation as `tilt`, written with the other sign.
        let to = Vessel { depth: 3.0, heading: -3.0, tilt: -tilt, hp: 8 };
        let mut between = [0.0; Vessel::COMPONENTS];
        interpolate(&Vessel::kind(), &components(&from), &components(&to), 0.25, &mut between);
        let vessel = Vessel::from_components(&between);
        assert_eq!((vessel.depth, vessel.hp), (0.0, 9));
        let way = 2.0 * std::f64::consts::PI - 6.0;
        assert!((vessel.heading - (3.0 + way * 0.25)).abs() < 1e-9, "{}", vessel.heading);
        assert!(vessel.tilt.angle_between(Quat::from_rotation_z(0.05)) < 1e-3, "{}", vessel.tilt);
        assert!(vessel.tilt.is_normalized());
    }

    #[test]
    fn without_a_history_nothing_was_there() {
        const VESSEL: Kind<Vessel> = Kind::new(0);
        let past = Past::new(&NoRewind, Some(ViewTime { tick: Tick(3), fraction: 0 }));
        assert!(past.get(VESSEL, EntityIndex(0)).is_none());
    }
}
