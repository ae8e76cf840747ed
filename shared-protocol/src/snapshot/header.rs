//! The header of a snapshot: which tick it is, what it is coded against, and what became of the player's
//! inputs.
//!
//! Nearly every snapshot on an ordered transport follows the one before by a tick and is coded against it.
//! Such a *sequential* header takes a bit to say so and four bits of the tick, so that a lost or doubled
//! message is noticed.

use super::decoder::SnapshotError;
use crate::limits::MAX_BASELINE_AGE;
use crate::time::Tick;
use crate::wire::bits::{BitBatch, BitReader};
use serde::{Deserialize, Serialize};

/// What both ends know of a stream of snapshots before its first: it is agreed in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamProfile {
    /// Whether the player has an avatar; a spectator has none.
    pub has_avatar: bool,
    /// Whether the client predicts its avatar. Inputs are then told as consumed, and the avatar as
    /// predicted.
    pub predicts: bool,
    /// Entity indices of the room are below this, at most 65536.
    pub capacity: u32,
}

/// How often a room sends snapshots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RateMode {
    /// After each tick.
    #[default]
    EveryTick,
    /// After every second tick: the server is short of time.
    EverySecondTick,
}

/// Which input a tick took from a player who predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consumed {
    /// The player's own input for that tick.
    Own,
    /// What the last input says to repeat, for none came in time.
    Held,
    /// The neutral input, for none came for long.
    Neutral,
}

/// How early the newest input came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputLead {
    /// The tick that the input is for.
    pub tick: Tick,
    /// Milliseconds from its arrival to when its tick drained it, within ±511; negative when it came too
    /// late.
    pub millis: i16,
}

/// The header of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// The tick that is told.
    pub tick: Tick,
    /// The snapshot that it is coded against, if any.
    pub newer: Option<Tick>,
    /// The snapshot that shows the trend up to the newer one, for kinds that follow trends.
    pub older: Option<Tick>,
    /// How many times the room's clock has slipped.
    pub epoch: u16,
    /// How often the room sends snapshots.
    pub rate: RateMode,
    /// How early the newest input came, when there is news of it.
    pub lead: Option<InputLead>,
    /// For a player who predicts: the inputs consumed in the ticks after the baseline, up to this one.
    pub consumed: Vec<Consumed>,
}

/// What a header is written against and read with.
#[derive(Clone, Copy, Debug)]
pub struct HeaderContext {
    /// What was agreed on.
    pub profile: StreamProfile,
    /// Whether a kind of the schema follows trends; else there are no older baselines.
    pub trends: bool,
    /// The newest snapshot that the other end has, on an ordered transport or for a reader; `None` forbids
    /// the sequential form.
    pub newest: Option<Tick>,
    /// The newest snapshot before that one.
    pub before_newest: Option<Tick>,
    /// A tick that the snapshot is not far from, by which a reader expands the tick that is told.
    pub near: Tick,
}

const TICK_BITS: u32 = 16;
const CHECK_BITS: u32 = 4;
const AGE_BITS: u32 = 6;
const EPOCH_BITS: u32 = 16;
const LEAD_TICK_BITS: u32 = 8;
const LEAD_BITS: u32 = 10;
/// The largest lead that is told, in milliseconds.
pub(crate) const MAX_LEAD_MILLIS: i16 = 511;

impl HeaderContext {
    /// Writes a header. `baseline` is the epoch and rate of the newer baseline, if there is one.
    #[inline]
    pub fn write(
        &self,
        header: &SnapshotHeader,
        baseline: Option<(u16, RateMode)>,
        batch: &mut BitBatch<'_>,
    ) {
        let sequential = self.is_sequential(header);
        batch.write_bool(sequential);
        if sequential {
            batch.write(u64::from(header.tick.0) & ((1 << CHECK_BITS) - 1), CHECK_BITS);
            if self.trends {
                batch.write_bool(header.older.is_some());
            }
        } else {
            batch.write(u64::from(header.tick.0) & ((1 << TICK_BITS) - 1), TICK_BITS);
            write_age(header.tick, header.newer, batch);
            if let (true, Some(newer)) = (self.trends, header.newer) {
                write_age(newer, header.older, batch);
            }
        }
        let room = (header.epoch, header.rate);
        batch.write_bool(baseline != Some(room));
        if baseline != Some(room) {
            batch.write(u64::from(header.epoch), EPOCH_BITS);
            batch.write_bool(header.rate == RateMode::EverySecondTick);
        }
        batch.write_bool(header.lead.is_some());
        if let Some(lead) = header.lead {
            let millis = lead.millis.clamp(-MAX_LEAD_MILLIS, MAX_LEAD_MILLIS) + MAX_LEAD_MILLIS;
            batch.write(u64::from(lead.tick.0) & ((1 << LEAD_TICK_BITS) - 1), LEAD_TICK_BITS);
            batch.write(millis as u64, LEAD_BITS);
        }
        if self.profile.predicts && header.newer.is_some() {
            write_consumed(&header.consumed, batch);
        }
    }

    /// Whether the short form says the same.
    fn is_sequential(&self, header: &SnapshotHeader) -> bool {
        let follows = self.newest.is_some_and(|newest| newest.after(1) == Some(header.tick));
        follows
            && header.newer == self.newest
            && (header.older.is_none() || header.older == self.before_newest)
    }

    /// Reads a header. `room` is asked, for the ticks of the snapshot and of its newer baseline, whether they
    /// can be, and tells the epoch and rate of the baseline.
    ///
    /// # Errors
    /// [`SnapshotError`] when the bits end, or name a tick or baseline that cannot be.
    pub fn read(
        &self,
        reader: &mut BitReader<'_>,
        room: impl FnOnce(Tick, Tick) -> Result<(u16, RateMode), SnapshotError>,
    ) -> Result<SnapshotHeader, SnapshotError> {
        let (tick, newer, older) =
            if reader.read_bool()? { self.read_sequential(reader)? } else { self.read_explicit(reader)? };
        let baseline = match newer {
            Some(newer) => Some(room(tick, newer)?),
            None => None,
        };
        let (epoch, rate) = if reader.read_bool()? {
            let epoch = reader.read(EPOCH_BITS)? as u16;
            (epoch, if reader.read_bool()? { RateMode::EverySecondTick } else { RateMode::EveryTick })
        } else {
            baseline.ok_or(SnapshotError::NoRoomState)?
        };
        let lead = if reader.read_bool()? { Some(read_lead(reader, tick)?) } else { None };
        let consumed = match newer {
            Some(newer) if self.profile.predicts => read_consumed(reader, tick.0 - newer.0)?,
            _ => Vec::new(),
        };
        Ok(SnapshotHeader { tick, newer, older, epoch, rate, lead, consumed })
    }

    fn read_sequential(&self, reader: &mut BitReader<'_>) -> Result<Ticks, SnapshotError> {
        let check = reader.read(CHECK_BITS)? as u32;
        let newest = self.newest.ok_or(SnapshotError::OutOfSequence)?;
        let tick = newest.after(1).ok_or(SnapshotError::OutOfSequence)?;
        if tick.0 & ((1 << CHECK_BITS) - 1) != check {
            return Err(SnapshotError::OutOfSequence);
        }
        let with_older = self.trends && reader.read_bool()?;
        let older = match self.before_newest {
            Some(older) if with_older => Some(older),
            None if with_older => return Err(SnapshotError::OutOfSequence),
            _ => None,
        };
        Ok((tick, Some(newest), older))
    }

    fn read_explicit(&self, reader: &mut BitReader<'_>) -> Result<Ticks, SnapshotError> {
        let low = reader.read(TICK_BITS)? as u32;
        let tick = nearest_with_low_bits(low, TICK_BITS, self.near);
        let newer = read_age(reader, tick)?;
        let older = match newer {
            Some(newer) if self.trends => read_age(reader, newer)?,
            _ => None,
        };
        Ok((tick, newer, older))
    }
}

type Ticks = (Tick, Option<Tick>, Option<Tick>);

/// The tick nearest to `near` whose low `bits` bits are `low`; of two equally near, the later.
fn nearest_with_low_bits(low: u32, bits: u32, near: Tick) -> Tick {
    let span = 1u32 << bits;
    let candidate = (near.0 & !(span - 1)) | low;
    let ahead = candidate.wrapping_sub(near.0) as i32;
    let half = (span / 2) as i32;
    Tick(if ahead > half {
        candidate.checked_sub(span).unwrap_or(candidate)
    } else if ahead <= -half {
        candidate.checked_add(span).unwrap_or(candidate)
    } else {
        candidate
    })
}

fn write_age(tick: Tick, baseline: Option<Tick>, batch: &mut BitBatch<'_>) {
    batch.write_bool(baseline.is_some());
    if let Some(baseline) = baseline {
        batch.write(u64::from(tick.0 - baseline.0 - 1), AGE_BITS);
    }
}

fn read_age(reader: &mut BitReader<'_>, tick: Tick) -> Result<Option<Tick>, SnapshotError> {
    if !reader.read_bool()? {
        return Ok(None);
    }
    let age = reader.read(AGE_BITS)? as u32 + 1;
    tick.before(age).map(Some).ok_or(SnapshotError::BeforeFirstTick)
}

fn read_lead(reader: &mut BitReader<'_>, tick: Tick) -> Result<InputLead, SnapshotError> {
    let low = reader.read(LEAD_TICK_BITS)? as u32;
    // Ten bits hold one number more than the range; it is taken for the largest.
    let millis = (reader.read(LEAD_BITS)? as i16 - MAX_LEAD_MILLIS).min(MAX_LEAD_MILLIS);
    Ok(InputLead { tick: nearest_with_low_bits(low, LEAD_TICK_BITS, tick), millis })
}

/// A bit when all inputs were the player's own; else `0` for own, `10` for held, `11` for neutral, tick by
/// tick.
fn write_consumed(consumed: &[Consumed], batch: &mut BitBatch<'_>) {
    let all_own = consumed.iter().all(|input| *input == Consumed::Own);
    batch.write_bool(all_own);
    if all_own {
        return;
    }
    for input in consumed {
        match input {
            Consumed::Own => batch.write(0, 1),
            Consumed::Held => batch.write(0b01, 2),
            Consumed::Neutral => batch.write(0b11, 2),
        }
    }
}

fn read_consumed(reader: &mut BitReader<'_>, ticks: u32) -> Result<Vec<Consumed>, SnapshotError> {
    let all_own = reader.read_bool()?;
    let one = |_| -> Result<Consumed, SnapshotError> {
        if all_own || !reader.read_bool()? {
            return Ok(Consumed::Own);
        }
        Ok(if reader.read_bool()? { Consumed::Neutral } else { Consumed::Held })
    };
    (0..ticks).map(one).collect()
}

const _: () = assert!(MAX_BASELINE_AGE == 1 << AGE_BITS);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bits::BitWriter;
    use proptest::prelude::*;

    fn context(newest: Option<u32>) -> HeaderContext {
        HeaderContext {
            profile: StreamProfile { has_avatar: true, predicts: true, capacity: 64 },
            trends: true,
            newest: newest.map(Tick),
            before_newest: newest.and_then(|newest| newest.checked_sub(1)).map(Tick),
            near: Tick(newest.unwrap_or(100_000)),
        }
    }

    fn round_trip(context: &HeaderContext, header: &SnapshotHeader, room: Option<(u16, RateMode)>) -> usize {
        let mut writer = BitWriter::new();
        let mut batch = writer.batch();
        context.write(header, room, &mut batch);
        batch.finish();
        let bytes = writer.to_bytes();
        let mut reader = BitReader::new(&bytes);
        let read = context
            .read(&mut reader, |_, newer| room.ok_or(SnapshotError::UnknownBaseline { tick: newer }))
            .expect("a header that was written can be read");
        assert_eq!(&read, header);
        assert_eq!(reader.position(), writer.bits());
        writer.bits()
    }

    #[test]
    fn the_usual_header_is_nine_bits() {
        let header = SnapshotHeader {
            tick: Tick(1000),
            newer: Some(Tick(999)),
            older: Some(Tick(998)),
            epoch: 3,
            rate: RateMode::EveryTick,
            lead: None,
            consumed: vec![Consumed::Own],
        };
        assert_eq!(round_trip(&context(Some(999)), &header, Some((3, RateMode::EveryTick))), 9);
    }

    proptest! {
        #[test]
        fn headers_round_trip(
            tick in 200u32..2_000_000,
            newest_ago in 0u32..60,
            age in prop::option::of(1u32..=64),
            gap in prop::option::of(1u32..=64),
            epoch in any::<u16>(),
            slow in any::<bool>(),
            same in any::<bool>(),
            lead in prop::option::of((-100i32..100, -511i16..=511)),
            consumed in prop::collection::vec(0u8..3, 64),
        ) {
            let newer = age.map(|age| Tick(tick - age));
            let rate = if slow { RateMode::EverySecondTick } else { RateMode::EveryTick };
            let kinds = [Consumed::Own, Consumed::Held, Consumed::Neutral];
            let header = SnapshotHeader {
                tick: Tick(tick),
                newer,
                older: newer.and_then(|newer| Some(Tick(newer.0 - gap?))),
                epoch,
                rate,
                lead: lead.map(|(ahead, millis)| {
                    InputLead { tick: Tick(tick.wrapping_add_signed(ahead)), millis }
                }),
                consumed: consumed[..age.unwrap_or(0) as usize]
                    .iter()
                    .map(|&kind| kinds[usize::from(kind)])
                    .collect(),
            };
            let room = newer.map(|_| if same { (epoch, rate) } else { (epoch ^ 1, rate) });
            round_trip(&context(Some(tick - newest_ago)), &header, room);
        }

        #[test]
        fn any_bytes_are_a_header_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..32),
            newest in any::<Option<u32>>(),
        ) {
            let _ = context(newest).read(&mut BitReader::new(&bytes), |_, _| Ok((0, RateMode::EveryTick)));
        }
    }

    #[test]
    fn the_first_snapshot_is_near_the_welcome() {
        let header = SnapshotHeader {
            tick: Tick(100_003),
            newer: None,
            older: None,
            epoch: 0,
            rate: RateMode::EveryTick,
            lead: None,
            consumed: Vec::new(),
        };
        round_trip(&context(None), &header, None);
    }

    #[test]
    fn ticks_expand_to_the_nearest() {
        let expand = |low, near| nearest_with_low_bits(low, 16, Tick(near)).0;
        assert_eq!(expand(0x0001, 0x0001_ffff), 0x0002_0001);
        assert_eq!(expand(0xfffe, 0x0002_0003), 0x0001_fffe);
        assert_eq!(expand(0xfffe, 0x0000_0003), 0x0000_fffe);
        assert_eq!(expand(0x0001, u32::MAX), 0xffff_0001);
    }
}
