//! Every cap of the protocol core in one place, with the relations between them asserted at compile time.
//!
//! What happens at a cap is part of its description: a schema beyond one is refused when it is built or
//! received, a message beyond one is a decoding error.

use crate::time::Micros;

/// Kinds of entity in one schema. A schema with more is refused.
pub const MAX_KINDS: usize = 64;

/// Fields of one kind. A kind with more is refused.
pub const MAX_FIELDS: usize = 32;

/// Lanes (quantised integers) of one kind, the anchor tick of each moving field included. A kind with more is
/// refused.
pub const MAX_LANES: usize = 64;

/// Lanes of all kinds of a schema together. A schema with more is refused: each lane may have codes of its
/// own, which take up to 180 KB of memory, and 4 KB in the tables that a client is sent.
pub const MAX_SCHEMA_LANES: usize = 512;

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

/// On an ordered transport the last snapshots are the baselines, and besides them those at multiples of so
/// many ticks: what baselines are rounded to when they are too many at a time. More of them would cost both
/// ends memory for each connection, fewer a longer delta for those who are rounded.
pub const ROUND_BASELINE_TICKS: u32 = 16;

/// Oldest anchor of a segment, in ticks (exclusive): a moving field is re-anchored before it.
pub const MAX_ANCHOR_AGE: u32 = 64;

/// Longest code of a prefix code in bits, so that decoding is one table look-up.
pub const MAX_CODE_BITS: u32 = 12;

/// Symbols of one prefix code: twice the magnitude classes of a 31-bit residual.
pub const MAX_SYMBOLS: usize = 256;

/// Code tables that one model may choose from; a choice is four bits.
pub const MAX_TABLES_PER_MODEL: usize = 16;

/// Bytes of serialised entropy tables: enough for those of any schema. Longer ones are refused before they
/// are read.
pub const MAX_TABLES_BYTES: usize = 1 << 21;

const _: () = assert!(MAX_SYMBOLS <= 1 << MAX_CODE_BITS);
const _: () = assert!(MAX_VARIANTS as usize <= MAX_SYMBOLS);
const _: () = assert!(MAX_ANCHOR_AGE <= MAX_BASELINE_AGE);
const _: () = assert!(2 * ROUND_BASELINE_TICKS <= MAX_BASELINE_AGE);
const _: () = assert!(MAX_FIELDS <= MAX_LANES);
const _: () = assert!(MAX_LANES <= MAX_SCHEMA_LANES);

/// Bytes of an avatar on the wire. A game whose avatar is longer is refused when it starts.
pub const MAX_AVATAR_BYTES: usize = 1024;

/// Entities that one client is told of at a time. The server lets no more enter; a snapshot with more is
/// refused.
pub const MAX_VISIBLE: usize = 4096;

// The seam of a game.

/// Entity indices of a room: the values of an `EntityIndex`. A game that asks for more gets this many.
pub const MAX_ENTITIES: u32 = 1 << 16;

/// How many ticks ahead an input may come. A policy with more gets this many; an input further ahead is
/// rejected.
pub const MAX_INPUT_WINDOW_TICKS: u32 = 64;

/// Inputs of a stream that wait for one tick. A policy with more gets this many; further inputs are rejected.
pub const MAX_STREAM_INPUTS: u32 = 1024;

/// Events that a game tells in one tick. Further ones are dropped and counted.
pub const MAX_EVENTS_PER_TICK: usize = 4096;

/// Effects that wait to be taken out. Further ones are dropped and counted.
pub const MAX_EFFECTS: usize = 256;

/// Reasons for which a game refuses what players ask for, as far as the host counts them. Further ones are
/// not counted.
pub const MAX_REFUSAL_REASONS: usize = 32;

/// Bytes of a level's content. A longer one is refused.
pub const MAX_LEVEL_BYTES: usize = 1 << 22;

// The messages. A message past its cap is not written, and received it ends the session as `too-large`; a
// list or text in it past its cap makes it malformed.

/// Bytes of a hello, type byte included.
pub const MAX_HELLO_BYTES: usize = 2048;

/// Bytes of a welcome, type byte included.
pub const MAX_WELCOME_BYTES: usize = 1024;

/// Bytes of a refusal, type byte included.
pub const MAX_REFUSAL_BYTES: usize = 512;

/// Bytes of a notice, type byte included.
pub const MAX_NOTICE_BYTES: usize = 1024;

/// Bytes of an input message, type byte included.
pub const MAX_INPUT_MESSAGE_BYTES: usize = 2100;

/// Bytes of a command message, type byte and number included.
pub const MAX_COMMAND_MESSAGE_BYTES: usize = 5 + MAX_PAYLOAD_BYTES;

/// Bytes of an events message, type byte included. What does not fit goes into the next one.
pub const MAX_EVENTS_MESSAGE_BYTES: usize = 16 << 10;

/// Bytes of a snapshot, type byte included.
pub const MAX_SNAPSHOT_BYTES: usize = 64 << 10;

/// Bytes of a schema message, type byte included. A larger schema cannot be sent; a client that was built
/// with it does not need it.
pub const MAX_SCHEMA_BYTES: usize = 256 << 10;

/// Bytes of any message from a client. The WebSocket layer refuses a longer one before it is read.
pub const MAX_CLIENT_MESSAGE_BYTES: usize = 2100;

/// Bytes of any message from a server.
pub const MAX_SERVER_MESSAGE_BYTES: usize = 1 + MAX_TABLES_BYTES;

/// Extensions of one control message.
pub const MAX_EXTENSIONS: usize = 16;

/// Bytes of one extension.
pub const MAX_EXTENSION_BYTES: usize = 512;

/// Bytes of a game's command or event. A larger one is refused when it is made.
pub const MAX_PAYLOAD_BYTES: usize = 1024;

/// Bytes of a player's name as a client sends it.
pub const MAX_NAME_TEXT_BYTES: usize = 256;

/// Visible characters of a player's name. A longer one is refused by name.
pub const MAX_NAME_CHARACTERS: usize = 24;

/// Combining marks on one character of a player's name; further ones are taken out.
pub const MAX_MARKS_PER_CHARACTER: usize = 3;

/// Bytes of a room's name.
pub const MAX_ROOM_NAME_BYTES: usize = 64;

/// Bytes of a credential: a signed token with a few claims fits.
pub const MAX_CREDENTIAL_BYTES: usize = 1024;

/// Bytes of the name and version of a program.
pub const MAX_SOFTWARE_BYTES: usize = 64;

/// Bytes of a level's name, path or URL.
pub const MAX_LEVEL_PATH_BYTES: usize = 256;

/// Bytes of a text for people in a refusal or notice. The server cuts a longer one.
pub const MAX_TEXT_BYTES: usize = 200;

/// Inputs in one message. After a stall a client sends more messages.
pub const MAX_INPUTS: usize = 32;

/// Bits of one input. A kind with more is refused when its codec is made.
pub const MAX_INPUT_BITS: u32 = 512;

/// Events in one message. Further ones go into the next.
pub const MAX_EVENTS_PER_MESSAGE: usize = 64;

/// Events of a session that wait to be acknowledged or, at the client, to be shown. Past it the session ends
/// as `event-overflow`.
pub const MAX_QUEUED_EVENTS: usize = 4096;

/// Payload bytes of a session's waiting events. Past it the session ends as `event-overflow`.
pub const MAX_QUEUED_EVENT_BYTES: usize = 1 << 20;

/// Commands that a client keeps to send them again after a resume. With one more, the oldest is taken for
/// confirmed.
pub const MAX_UNCONFIRMED_COMMANDS: usize = 256;

/// Pings of one side that wait for their pongs. One more ends the session as `too-many`.
pub const MAX_PINGS_UNDER_WAY: usize = 16;

/// Longest time from tick to tick. A welcome with a longer one is malformed.
pub const MAX_TICK_PERIOD: Micros = Micros(1_000_000);

const _: () = assert!(MAX_HELLO_BYTES <= MAX_CLIENT_MESSAGE_BYTES);
const _: () = assert!(MAX_INPUT_MESSAGE_BYTES <= MAX_CLIENT_MESSAGE_BYTES);
const _: () = assert!(MAX_COMMAND_MESSAGE_BYTES <= MAX_CLIENT_MESSAGE_BYTES);
const _: () = assert!(MAX_SNAPSHOT_BYTES <= MAX_SERVER_MESSAGE_BYTES);
const _: () = assert!(MAX_SCHEMA_BYTES <= MAX_SERVER_MESSAGE_BYTES);
const _: () = assert!(MAX_EVENTS_MESSAGE_BYTES <= MAX_SERVER_MESSAGE_BYTES);
const _: () = assert!(MAX_PAYLOAD_BYTES + 10 <= MAX_EVENTS_MESSAGE_BYTES);
const _: () = assert!(MAX_PAYLOAD_BYTES <= u16::MAX as usize);
const _: () = assert!(MAX_EXTENSION_BYTES <= u16::MAX as usize);
const _: () = assert!(MAX_EVENTS_PER_MESSAGE <= u8::MAX as usize);
const _: () = assert!(MAX_EVENTS_PER_MESSAGE <= MAX_QUEUED_EVENTS);
const _: () = assert!(MAX_INPUTS * (MAX_INPUT_BITS as usize + 1) + 73 <= MAX_INPUT_MESSAGE_BYTES * 8);
const _: () = assert!(MAX_SOFTWARE_BYTES <= MAX_EXTENSION_BYTES);
const _: () = assert!(MAX_TEXT_BYTES <= MAX_EXTENSION_BYTES);
