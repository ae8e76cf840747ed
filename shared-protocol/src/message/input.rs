//! The input message: what a client did, and what it has received, many times a second.
//!
//! It is also the client's acknowledgement, so a spectator sends it without inputs. On a transport that loses
//! messages a run starts with inputs that were sent before.

use super::input_codec::{InputCodec, InputError};
use super::{ClientType, MessageError};
use crate::limits::MAX_INPUTS;
use crate::time::{Tick, expand_tick};
use crate::wire::bits::{BitReader, BitWriter};

/// An input message as it came: the header is read, the inputs are not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputMessage<'a> {
    header: InputHeader,
    body: &'a [u8],
    /// Where the inputs begin, in bits.
    start: u32,
}

/// What an input message says besides the inputs. Ticks and numbers are their low 16 bits; the receiver
/// expands them near what it expects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputHeader {
    /// The newest snapshot that the client has decoded; `None` before the first.
    pub newest_snapshot: Option<u16>,
    /// What the player saw when the last input of the run was made, for lag compensation. It needs a
    /// snapshot.
    pub view: Option<ViewBack>,
    /// The number of the first event that the client has not received; `None` when it said so before.
    pub next_event: Option<u16>,
    /// The first input's tick or number, as the welcome says; zero when there is none.
    pub first: u16,
    /// The number of inputs, for consecutive ticks or with consecutive numbers.
    pub count: u8,
}

/// How far the view of a player is behind the newest snapshot, in 1/256 of a tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ViewBack(pub u16);

/// A point in time between two ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ViewTime {
    /// The tick before it.
    pub tick: Tick,
    /// How long after that tick, in 1/256 of one.
    pub fraction: u8,
}

impl ViewBack {
    /// How far `view` is behind `newest`: nothing if it is ahead, and at most 255 255/256 ticks.
    #[must_use]
    pub fn between(newest: Tick, view: ViewTime) -> ViewBack {
        let back = (i64::from(newest.0) - i64::from(view.tick.0)) * 256 - i64::from(view.fraction);
        ViewBack(back.clamp(0, i64::from(u16::MAX)) as u16)
    }

    /// The point in time that is this far behind `newest`, and not before tick 0.
    #[must_use]
    pub fn resolve(self, newest: Tick) -> ViewTime {
        let parts = (u64::from(newest.0) * 256).saturating_sub(u64::from(self.0));
        ViewTime { tick: Tick((parts / 256) as u32), fraction: (parts % 256) as u8 }
    }
}

impl InputHeader {
    /// Appends the whole message, type byte included: this header and the inputs whose lanes stand in `rows`,
    /// one after the other. `scratch` is memory that the caller keeps.
    ///
    /// # Panics
    /// When the header has a view without a snapshot, more than [`MAX_INPUTS`] inputs, or another number of
    /// them than `rows`, or a lane is out of its range. All of them are made by the caller.
    pub fn encode(&self, codec: &InputCodec, rows: &[i32], scratch: &mut BitWriter, out: &mut Vec<u8>) {
        assert!(self.view.is_none() || self.newest_snapshot.is_some(), "a view is behind a snapshot");
        scratch.clear();
        for optional in [self.newest_snapshot, self.view.map(|view| view.0), self.next_event] {
            scratch.write_bool(optional.is_some());
            if let Some(value) = optional {
                scratch.write(u64::from(value), 16);
            }
        }
        scratch.write(u64::from(self.count), COUNT_BITS);
        if self.count > 0 {
            scratch.write(u64::from(self.first), 16);
        }
        codec.write_run(usize::from(self.count), rows, scratch);
        out.push(ClientType::Input as u8);
        scratch.write_to(out);
    }

    /// The tick of the newest snapshot that the client has, where the server's newest is `near`.
    #[must_use]
    pub fn newest_snapshot_near(&self, near: Tick) -> Option<Tick> {
        expand_tick(self.newest_snapshot?, near)
    }

    fn read(reader: &mut BitReader<'_>) -> Result<InputHeader, MessageError> {
        let mut optional = || -> Result<Option<u16>, MessageError> {
            Ok(if reader.read_bool()? { Some(reader.read(16)? as u16) } else { None })
        };
        let (newest_snapshot, view, next_event) = (optional()?, optional()?.map(ViewBack), optional()?);
        if view.is_some() && newest_snapshot.is_none() {
            return Err(MessageError::Field { message: "input", field: "view" });
        }
        let count = reader.read(COUNT_BITS)? as u8;
        if usize::from(count) > MAX_INPUTS {
            return Err(MessageError::Field { message: "input", field: "count" });
        }
        let first = if count > 0 { reader.read(16)? as u16 } else { 0 };
        Ok(InputHeader { newest_snapshot, view, next_event, first, count })
    }
}

impl<'a> InputMessage<'a> {
    /// What the message says besides the inputs.
    #[must_use]
    pub fn header(&self) -> &InputHeader {
        &self.header
    }

    /// Appends the lanes of the inputs to `rows`, one input after the other.
    ///
    /// # Errors
    /// [`MessageError::Input`] when the bits end or a lane is out of its range,
    /// [`MessageError::TrailingBits`] when something follows the last input; `rows` is then as it was.
    pub fn read_inputs(&self, codec: &InputCodec, rows: &mut Vec<i32>) -> Result<(), MessageError> {
        let start = rows.len();
        let mut reader = BitReader::new(self.body);
        reader.skip(self.start).map_err(InputError::from)?;
        codec.read_run(usize::from(self.header.count), &mut reader, rows)?;
        reader.finish().inspect_err(|_| rows.truncate(start))?;
        Ok(())
    }

    pub(super) fn decode_body(body: &'a [u8]) -> Result<InputMessage<'a>, MessageError> {
        let mut reader = BitReader::new(body);
        let header = InputHeader::read(&mut reader)?;
        let start = reader.position() as u32;
        if header.count == 0 {
            reader.finish()?;
        }
        Ok(InputMessage { header, body, start })
    }

    pub(super) fn encode_body(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.body);
    }
}

/// Bits of the number of inputs.
const COUNT_BITS: u32 = 6;

const _: () = assert!(MAX_INPUTS < 1 << COUNT_BITS);

#[cfg(test)]
mod tests {
    use super::super::ClientMessage;
    use super::super::input_codec::tests::kind;
    use super::*;
    use crate::limits::{MAX_INPUT_BITS, MAX_INPUT_MESSAGE_BYTES};
    use proptest::prelude::*;

    fn codec() -> InputCodec {
        InputCodec::new(&kind()).unwrap()
    }

    fn encoded(header: &InputHeader, rows: &[i32]) -> Vec<u8> {
        let (mut scratch, mut bytes) = (BitWriter::new(), Vec::new());
        scratch.write(1, 5);
        header.encode(&codec(), rows, &mut scratch, &mut bytes);
        bytes
    }

    fn decoded(bytes: &[u8]) -> Result<(InputHeader, Vec<i32>), MessageError> {
        let ClientMessage::Input(input) = ClientMessage::decode(bytes)? else { panic!("another message") };
        let mut rows = Vec::new();
        input.read_inputs(&codec(), &mut rows)?;
        Ok((*input.header(), rows))
    }

    proptest! {
        #[test]
        fn inputs_round_trip(
            newest_snapshot: Option<u16>,
            view: Option<u16>,
            next_event: Option<u16>,
            first: u16,
            rows in prop::collection::vec(prop::sample::select(vec![0, 1]), 0..=MAX_INPUTS),
        ) {
            let count = rows.len() as u8;
            let view = newest_snapshot.and(view).map(ViewBack);
            let first = if count > 0 { first } else { 0 };
            let header = InputHeader { newest_snapshot, view, next_event, first, count };
            let rows: Vec<i32> = rows.iter().flat_map(|same| [*same; 10]).collect();
            prop_assert_eq!(decoded(&encoded(&header, &rows)), Ok((header, rows)));
        }

        #[test]
        fn any_bytes_are_an_input_or_an_error(mut bytes in prop::collection::vec(any::<u8>(), 1..60)) {
            bytes[0] = ClientType::Input as u8;
            if let Ok((header, rows)) = decoded(&bytes) {
                prop_assert_eq!(decoded(&encoded(&header, &rows)), Ok((header, rows)));
            }
        }

        #[test]
        fn views_are_told_to_a_part_of_a_tick(newest in 300u32.., back in 0u16..) {
            let view = ViewBack(back).resolve(Tick(newest));
            prop_assert_eq!(ViewBack::between(Tick(newest), view), ViewBack(back));
        }
    }

    #[test]
    fn views_end_at_the_snapshot_and_at_the_first_tick() {
        let view = |tick, fraction| ViewTime { tick: Tick(tick), fraction };
        assert_eq!(ViewBack::between(Tick(10), view(10, 1)), ViewBack(0));
        assert_eq!(ViewBack::between(Tick(10), view(8, 64)), ViewBack(448));
        assert_eq!(ViewBack::between(Tick(1000), view(10, 0)), ViewBack(u16::MAX));
        assert_eq!(ViewBack(448).resolve(Tick(10)), view(8, 64));
        assert_eq!(ViewBack(448).resolve(Tick(1)), view(0, 0));
    }

    #[test]
    fn an_acknowledgement_alone_is_five_bytes() {
        let header = InputHeader { newest_snapshot: Some(0xabcd), ..InputHeader::default() };
        assert_eq!(encoded(&header, &[]).len(), 5);
        assert_eq!(header.newest_snapshot_near(Tick(0x1_0000)), Some(Tick(0xabcd)));
    }

    #[test]
    fn broken_headers_are_named() {
        let input = ClientType::Input as u8;
        let field = |field| Err(MessageError::Field { message: "input", field });
        assert_eq!(decoded(&[input, 0b010, 0, 0]), field("view"));
        // Three absent values, then a count of 33 in six bits.
        assert_eq!(decoded(&[input, (33u8 << 3), 33 >> 5, 0, 0]), field("count"));
        assert!(matches!(decoded(&[input]), Err(MessageError::Bits(_))));
        assert!(matches!(decoded(&[input, 0, 0, 0]), Err(MessageError::TrailingBits(_))));
        let one = encoded(&InputHeader { count: 1, ..InputHeader::default() }, &[0; 10]);
        assert!(matches!(decoded(&one[..one.len() - 1]), Err(MessageError::Input(_))));
        assert!(matches!(decoded(&[&one[..], &[0]].concat()), Err(MessageError::TrailingBits(_))));
    }

    #[test]
    fn the_longest_run_of_the_widest_inputs_fits() {
        let bits = 3 * 17 + 6 + 16 + MAX_INPUTS * (MAX_INPUT_BITS as usize + 1) - 1;
        assert!(bits.div_ceil(8) < MAX_INPUT_MESSAGE_BYTES);
    }
}
