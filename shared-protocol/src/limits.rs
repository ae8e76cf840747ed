//! Every cap of the protocol core in one place, with the relations between them asserted at compile time.
//!
//! What happens at a cap is part of its description: a schema beyond one is refused when it is built or received, a
//! message beyond one is a decoding error.

/// Kinds of entity in one schema. A schema with more is refused.
pub const MAX_KINDS: usize = 64;

/// Fields of one kind. A kind with more is refused.
pub const MAX_FIELDS: usize = 32;

/// Lanes (quantised integers) of one kind, the anchor tick of each moving field included. A kind with more is refused.
pub const MAX_LANES: usize = 64;

/// Variants of a replicated enum. An enum with more is refused.
pub const MAX_VARIANTS: u32 = 256;

/// Bytes of a name in a schema. A longer name is refused.
pub const MAX_NAME_BYTES: usize = 64;

/// Largest value of a lane. It leaves a bit so that the difference of two lanes fits an `i32`.
pub const MAX_LANE: i32 = (1 << 30) - 1;

/// Fewest and most bits for each of the three small components of a quaternion.
pub const QUAT_BITS: std::ops::RangeInclusive<u8> = 4..=15;

/// Oldest baseline, in ticks, against which a delta is coded. History is kept for at least this long.
pub const MAX_BASELINE_AGE: u32 = 64;

/// Oldest anchor of a segment, in ticks (exclusive): a moving field is re-anchored before it.
pub const MAX_ANCHOR_AGE: u32 = 64;

/// Longest code of a prefix code in bits, so that decoding is one table look-up.
pub const MAX_CODE_BITS: u32 = 12;

/// Symbols of one prefix code: twice the magnitude classes of a 31-bit residual.
pub const MAX_SYMBOLS: usize = 256;

/// Code tables that one model may choose from; a choice is four bits.
pub const MAX_TABLES_PER_MODEL: usize = 16;

/// Bytes of serialised entropy tables. Longer ones are refused before they are read.
pub const MAX_TABLES_BYTES: usize = 1 << 20;

const _: () = assert!(MAX_SYMBOLS <= 1 << MAX_CODE_BITS);
const _: () = assert!(MAX_VARIANTS as usize <= MAX_SYMBOLS);
const _: () = assert!(MAX_ANCHOR_AGE <= MAX_BASELINE_AGE);
const _: () = assert!(MAX_FIELDS <= MAX_LANES);
