// A client of Tickwire that watches: messages, and the conversation in which they are exchanged.
// Written from docs/PROTOCOL.md alone, whose sections the comments name, as an example of a client in another
// language. No DOM and no socket in here: bytes come in by `Spectator.handle`, and go out by its `send`.

import { ByteReader, ByteWriter, ProtocolError, nearest, xxh64 } from './bits.js';
import { Kind, readKinds, readTables } from './schema.js';
import { NotHeld, SnapshotDecoder, stateCheck } from './snapshot.js';

/** What a WebSocket is opened with ("Connection"). */
export const SUBPROTOCOL = 'tickwire.1';
export const PATH = '/play';
const VERSION = { major: 1, minor: 0 };
const WANTS_SCHEMA = 2;
const WANTS_CHECKS = 4;

/** Why sessions end, by the code of the close ("Session ends"). `after` is in milliseconds. */
export const ENDS = new Map([
  [1000, 'left', 'never', 'The player left.'],
  [1001, 'server-closing', 'new', 'The server is shutting down.', 5000],
  [1006, 'connection-lost', 'resume', 'The connection was lost.'],
  [1011, 'internal', 'new', 'The server made a mistake.', 5000],
  [4000, 'draining', 'resume', 'The match moves to another process.'],
  [4001, 'room-ended', 'new', 'The game failed, and its room ended.', 1000],
  [4002, 'room-closed', 'never', 'The match is over, and its room closed.'],
  [4003, 'kicked', 'never', 'The player was removed from the room.'],
  [4004, 'replaced', 'never', 'The player went on from another connection.'],
  [4005, 'timed-out', 'resume', 'Nothing was heard for too long.'],
  [4006, 'handshake-timed-out', 'new', 'No hello came in time.', 1000],
  [4010, 'text-frame', 'never', 'A text frame came, and Tickwire speaks in binary.'],
  [4011, 'malformed', 'never', 'A message could not be read.'],
  [4012, 'wrong-side', 'never', 'A message came from the side that does not send it.'],
  [4013, 'out-of-order', 'never', 'A message came when it is not allowed.'],
  [4014, 'false-acknowledgement', 'never', 'Something was acknowledged that was never sent.'],
  [4015, 'too-large', 'never', 'A message was too large.'],
  [4016, 'too-many', 'new', 'Too many messages came.', 10000],
  [4017, 'input-out-of-window', 'new', 'Inputs kept coming for ticks that are far off.', 1000],
  [4018, 'event-overflow', 'new', 'More events waited than a session may keep.'],
  [4019, 'slow-reader', 'new', 'The client did not read what it was sent.', 1000],
  [4100, 'room-full', 'new', 'The room is full.', 5000],
  [4101, 'unknown-room', 'never', 'There is no such room.'],
  [4102, 'unknown-game', 'never', 'The server does not have this game.'],
  [4103, 'wrong-version', 'never', 'The server speaks another version of the protocol.'],
  [4104, 'wrong-schema', 'never', 'The server has another version of the game.'],
  [4105, 'draining-refused', 'new', 'The server takes nobody in now.', 5000],
  [4106, 'credential-refused', 'never', 'The credential was not accepted.'],
  [4107, 'banned', 'never', 'The player is banned.'],
  [4108, 'name-refused', 'never', 'The name is not allowed.'],
  [4109, 'rate-limited', 'new', 'There were too many attempts to connect.', 10000],
  [4110, 'resume-refused', 'new', 'The session to resume does not exist any more.'],
  [4111, 'game-refused', 'never', 'The game did not let the player in.'],
].map(([code, name, back, text, after = 0]) => [code, { code, name, back, text, after }]));

/** What a code means; one that is not in the table is a lost connection. */
export const endOf = (code) => ENDS.get(code) ?? ENDS.get(1006);
const endNamed = (name) => [...ENDS.values()].find((end) => end.name === name);

/** A hello (`01`) of a spectator. `resume` is `{ token, nextEvent }` or null, `room` a room's id or null. */
function helloMessage({ game, name, room, features, resume }) {
  const message = new ByteWriter().fixed(0x01, 1).fixed(VERSION.major, 2).fixed(VERSION.minor, 2);
  // Fingerprint 0: the client was not built with the game, and learns its schema. No tables.
  message.variable(0).fixed(0, 1).variable(features).text(game);
  if (room === null) message.variable(0);
  else message.variable(1).variable(room);
  message.text(name).fixed(0, 1);
  if (resume === null) message.fixed(0, 1);
  else message.fixed(1, 1).raw(resume.token).variable(resume.nextEvent);
  return message.fixed(1, 1).finish();
}

/** An input (`02`) without inputs: what was received. Without a snapshot it asks for a restart. */
function acknowledgementMessage(tick, nextEvent) {
  let bits = 0n;
  let length = 0n;
  const put = (number, count) => {
    bits |= BigInt(number) << length;
    length += BigInt(count);
  };
  const optional = (number) => {
    put(number === null ? 0 : 1, 1);
    if (number !== null) put(number & 0xffff, 16);
  };
  optional(tick);
  put(0, 1); // The view's delay matters to inputs only.
  optional(nextEvent);
  put(0, 6); // No inputs.
  return new ByteWriter().fixed(0x02, 1).fixed(bits, Number((length + 7n) / 8n)).finish();
}

/** A welcome (`81`), behind its type byte. */
function readWelcome(reader) {
  const welcome = {
    version: { major: reader.count(), minor: reader.count() },
    features: reader.u64(),
    room: { id: reader.count(), code: reader.option(() => reader.take(8)), name: reader.text() },
    player: reader.count(),
    token: reader.take(16),
    resumed: reader.bool(),
    tick: reader.count(),
    periodMicros: reader.count(),
    epoch: reader.count(),
    rate: reader.choice(2),
    profile: { hasAvatar: reader.bool(), predicts: reader.bool(), capacity: reader.count() },
    history: reader.u8(),
    graceMicros: reader.count(),
    fingerprint: reader.u64(),
    tablesId: reader.u64(),
    tablesFollow: reader.bool(),
    schemaFollows: reader.bool(),
    level: readLevel(reader),
    nextEvent: reader.count(),
    nextCommand: reader.count(),
    inputs: reader.choice(2),
    rewindLimitMicros: reader.count(),
  };
  welcome.software = words(reader.extensions());
  return welcome;
}

function readLevel(reader) {
  const level = { epoch: reader.count(), contentHash: reader.u64() };
  level.isBuiltIn = reader.choice(2) === 0;
  level.source = reader.text();
  return level;
}

/** "Come back": never, as a new player, or with the token, and after how many milliseconds. */
function readComeBack(reader) {
  const choice = reader.choice(4);
  const after = choice === 2 ? reader.count() / 1000 : 0;
  return { back: ['never', 'new', 'new', 'resume'][choice], after };
}

/** A refusal (`82`). */
function readRefusal(reader) {
  const code = reader.count();
  const comeBack = readComeBack(reader);
  const text = reader.text();
  const version = () => `${reader.count()}.${reader.count()}`;
  const versions = reader.option(() => ({ lowest: version(), highest: version() }));
  const fingerprint = reader.option(() => reader.u64());
  reader.extensions();
  return { ...endOf(code), code, ...comeBack, words: text, versions, fingerprint };
}

/** A notice (`87`), or null if its kind is unknown. */
function readNotice(reader) {
  const kinds = {
    1: () => ({ kind: 'draining', afterMicros: reader.count() }),
    2: () => ({ kind: 'level', level: readLevel(reader) }),
    3: () => ({ kind: 'slip', epoch: reader.count(), ticks: reader.count() }),
    4: () => ({ kind: 'rate', rate: reader.choice(2) }),
    5: () => {
      const code = reader.count();
      return { kind: 'going away', ...endOf(code), code, ...readComeBack(reader) };
    },
    6: () => ({ kind: 'check', tick: reader.count(), check: reader.count() }),
  };
  const notice = kinds[reader.u8()]?.();
  return notice ? { ...notice, words: words(reader.extensions()) } : null;
}

/** Extension 1, which is text wherever there is one. */
function words(extensions) {
  const text = extensions.get(1);
  return text ? new TextDecoder().decode(text) : '';
}

/** A spectator's side of one connection: the states "handshaking", "active" and "gone". */
export class Spectator {
  /**
   * `send(bytes)` sends a message, and `now()` tells the time in milliseconds.
   * `resume` is what `this.resume` was in the connection before.
   */
  constructor({ game, name, room = null, wantsChecks = false, resume = null, send, now }) {
    Object.assign(this, { send, now });
    const features = WANTS_SCHEMA + (wantsChecks ? WANTS_CHECKS : 0);
    this.wish = { game, name, room, features, resume };
    this.state = 'handshaking';
    this.welcome = null;
    this.resume = null;
    this.kinds = null;
    this.decoder = null;
    this.rttMicros = null;
    this.schema = null;
    this.tables = null;
    this.view = null;
    this.pings = new Map();
    this.nonce = 0;
  }

  /** Begins: to be called once the WebSocket is open. */
  start() {
    this.send(helloMessage(this.wish));
  }

  /** Asks how long a message takes; the answer becomes `rttMicros`. */
  ping() {
    if (this.state !== 'active' || this.pings.size >= 16) return;
    this.nonce = (this.nonce + 1) >>> 0;
    this.pings.set(this.nonce, this.now());
    this.send(new ByteWriter().fixed(0x03, 1).fixed(this.nonce, 4).fixed(0, 8).finish());
  }

  /** Says good-bye (`06`). */
  leave() {
    if (this.state === 'active') this.send(Uint8Array.of(0x06));
    this.state = 'gone';
  }

  /**
   * Takes a message of the server: `{ type, … }`, or null when nobody needs to know.
   * What cannot be is thrown as a `ProtocolError`, and `closing` says how to close.
   */
  handle(bytes) {
    const reader = new ByteReader(bytes);
    const type = reader.u8();
    const handler = HANDLERS[type];
    if (handler === undefined) {
      throw new ProtocolError(`an unknown type ${type}`, type < 0x80 ? 'wrong-side' : 'malformed');
    }
    if (bytes.length > handler.limit) throw new ProtocolError('a message is too long', 'too-large');
    if (handler.state !== this.state) {
      throw new ProtocolError(`${handler.name} when ${this.state}`, 'out-of-order');
    }
    return this[handler.name](reader);
  }

  /** How to close the WebSocket after an error: code and reason. */
  static closing(error) {
    const end = endNamed(error.end ?? 'malformed') ?? endOf(4011);
    return [end.code, end.name];
  }

  handleWelcome(reader) {
    const welcome = readWelcome(reader);
    if (welcome.resumed !== (this.wish.resume !== null)) {
      throw new ProtocolError('not the session that was asked for', 'out-of-order');
    }
    this.state = 'active';
    this.welcome = welcome;
    this.nextEvent = welcome.nextEvent;
    this.resume = { token: welcome.token, nextEvent: welcome.nextEvent };
    return { type: 'welcome', welcome };
  }

  handleRefusal(reader) {
    this.state = 'gone';
    return { type: 'refusal', refusal: readRefusal(reader) };
  }

  handleTables(reader) {
    if (!this.welcome.tablesFollow || this.tables) throw new ProtocolError('tables again', 'out-of-order');
    this.tables = reader.rest();
    if (xxh64(this.tables) !== this.welcome.tablesId) throw new ProtocolError('tables of another id');
    return this.prepare();
  }

  handleSchema(reader) {
    if (!this.welcome.schemaFollows || this.schema) throw new ProtocolError('a schema again', 'out-of-order');
    this.schema = readKinds(reader);
    reader.extensions();
    return this.prepare();
  }

  /** Makes the decoder as soon as all is there that it needs. */
  prepare() {
    if (!this.schema || !this.tables) return null;
    const { periodMicros, profile, tick } = this.welcome;
    this.kinds = this.schema.map((kind) => new Kind(kind, periodMicros));
    readTables(this.kinds, this.tables);
    this.decoder = new SnapshotDecoder(this.kinds, profile, tick);
    return { type: 'ready', kinds: this.kinds };
  }

  /** A snapshot (`83`): each is acknowledged, or the server would stop sending. */
  handleSnapshot(reader) {
    if (this.decoder === null) throw new ProtocolError('a snapshot before the schema', 'out-of-order');
    try {
      this.view = this.decoder.apply(reader.rest());
    } catch (error) {
      if (error instanceof NotHeld) return this.restart();
      throw error;
    }
    this.send(acknowledgementMessage(this.view.tick, null));
    return { type: 'snapshot', view: this.view };
  }

  /** Forgets all views, and asks to be told everything anew ("What a client holds"). */
  restart() {
    this.decoder.restart();
    this.view = null;
    this.send(acknowledgementMessage(null, null));
    return { type: 'restart' };
  }

  /** Events (`84`), whose payloads are the game's own. */
  handleEvents(reader) {
    let number = reader.fixed32();
    const count = reader.u8();
    if (count < 1 || count > 64) throw new ProtocolError('a number of events that cannot be');
    if (number > this.nextEvent) throw new ProtocolError('events are missing', 'out-of-order');
    const events = [];
    for (let i = 0; i < count; i++, number++) {
      const tick = nearest(reader.fixed16(), 16, this.view?.tick ?? this.welcome.tick, false);
      const length = reader.fixed16();
      if (length > 1024) throw new ProtocolError('an event is too long');
      const payload = reader.take(length);
      if (number >= this.nextEvent) events.push({ number, tick, payload });
    }
    reader.finish();
    this.nextEvent = Math.max(this.nextEvent, number);
    this.resume.nextEvent = this.nextEvent;
    this.send(acknowledgementMessage(this.view?.tick ?? null, this.nextEvent));
    return { type: 'events', events };
  }

  handlePing(reader) {
    const ping = reader.take(12);
    reader.finish();
    // It is answered as soon as it is read: it has not waited.
    this.send(new ByteWriter().fixed(0x04, 1).raw(ping).fixed(0, 4).finish());
    return null;
  }

  handlePong(reader) {
    const nonce = reader.fixed32();
    reader.fixed64();
    const waitedMicros = reader.fixed32();
    reader.finish();
    const sent = this.pings.get(nonce);
    if (sent === undefined) throw new ProtocolError('a pong without its ping', 'out-of-order');
    this.pings.delete(nonce);
    this.rttMicros = Math.max(0, (this.now() - sent) * 1000 - waitedMicros);
    return null;
  }

  handleNotice(reader) {
    const notice = readNotice(reader);
    if (notice?.kind !== 'check') return notice && { type: 'notice', notice };
    // Of a snapshot that was not applied there is nothing to compare.
    if (this.view?.tick !== notice.tick) return null;
    return { type: 'check', tick: notice.tick, isEqual: stateCheck(this.view) === notice.check };
  }
}

/** The messages of a server, their sizes, and the state that they are allowed in ("Messages"). */
const HANDLERS = {
  0x81: { name: 'handleWelcome', limit: 1024, state: 'handshaking' },
  0x82: { name: 'handleRefusal', limit: 512, state: 'handshaking' },
  0x83: { name: 'handleSnapshot', limit: 65536, state: 'active' },
  0x84: { name: 'handleEvents', limit: 16384, state: 'active' },
  0x85: { name: 'handlePing', limit: 13, state: 'active' },
  0x86: { name: 'handlePong', limit: 17, state: 'active' },
  0x87: { name: 'handleNotice', limit: 1024, state: 'active' },
  0x88: { name: 'handleTables', limit: 2097153, state: 'active' },
  0x89: { name: 'handleSchema', limit: 262144, state: 'active' },
};

export { ProtocolError };
export { components } from './schema.js';
