// Bits, numbers, prefix codes, control structs and XXH64: what messages are made of.
// Written from docs/PROTOCOL.md, whose sections the comments name. No DOM in here.

/** What a server sent is not what the document says; `end` is the session end that it calls for. */
export class ProtocolError extends Error {
  constructor(message, end = 'malformed') {
    super(message);
    this.end = end;
  }
}

/** `a mod n`, in `0..n`. */
export const modulo = (a, n) => ((a % n) + n) % n;
export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
/** The number of bits of a number below 2^32: 0 for 0. */
export const bitLength = (value) => 32 - Math.clz32(value);

/** The number with these low bits that is nearest to another; of two as near, the later or the smaller. */
export function nearest(low, bits, near, later) {
  const span = 2 ** bits;
  const candidate = near - modulo(near, span) + low;
  const away = candidate - near;
  const isFar = later ? away <= -span / 2 : away < -span / 2;
  if (isFar) return candidate + span < 2 ** 32 ? candidate + span : candidate;
  const isAhead = later ? away > span / 2 : away >= span / 2;
  return isAhead && candidate >= span ? candidate - span : candidate;
}

/** A reader of bits ("Bits and numbers"). */
export class BitReader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length * 8;
  }

  flag() {
    if (this.at >= this.end) throw new ProtocolError('out of bits');
    const bit = (this.bytes[this.at >> 3] >> (this.at & 7)) & 1;
    this.at += 1;
    return bit === 1;
  }

  /** A number of up to 32 bits, the lowest first. */
  number(count) {
    if (this.at + count > this.end) throw new ProtocolError('out of bits');
    let value = 0;
    for (let done = 0; done < count;) {
      const take = Math.min(8 - (this.at & 7), count - done);
      const part = (this.bytes[this.at >> 3] >> (this.at & 7)) & ((1 << take) - 1);
      // Not `<<`, which makes a negative number of the highest bit.
      value += part * 2 ** done;
      this.at += take;
      done += take;
    }
    return value;
  }

  /** An exponential Golomb number. */
  golomb(order) {
    let zeros = 0;
    while (!this.flag()) {
      zeros += 1;
      if (zeros > 32) throw new ProtocolError('number');
    }
    const rest = 2 ** zeros + this.number(zeros);
    const value = (rest - 1) * 2 ** order + this.number(order);
    if (value >= 2 ** 32) throw new ProtocolError('number');
    return value;
  }

  /** An ascending list of places in a row of known length. */
  gaps(row) {
    const count = this.golomb(2);
    if (count > row) throw new ProtocolError('list');
    const mean = Math.floor((row - count) / (count + 1));
    const middle = mean - Math.floor(mean / 4);
    const order = Math.max(0, bitLength(middle) - 1);
    const places = new Array(count);
    for (let i = 0, next = 0; i < count; i++) {
      const place = next + this.golomb(order);
      if (place >= row) throw new ProtocolError('list');
      places[i] = place;
      next = place + 1;
    }
    return places;
  }

  /** A symbol of a prefix code, by one look-up in its table. */
  symbol(code) {
    const byte = this.at >> 3;
    const { bytes } = this;
    // Beyond the end are zeros.
    const ahead = bytes[byte] | (bytes[byte + 1] << 8) | (bytes[byte + 2] << 16);
    const found = code[(ahead >>> (this.at & 7)) & 0xfff];
    this.at += found & 15;
    if (this.at > this.end) throw new ProtocolError('out of bits');
    return found >> 4;
  }

  /** The end: only zero bits that fill the last byte. */
  finish() {
    const left = this.end - this.at;
    if (left >= 8 || this.number(left) !== 0) throw new ProtocolError('trailing');
  }
}

/** The table of a prefix code: for the next 12 bits, the symbol and, in the low four bits, its length. */
export function prefixCode(lengths) {
  const table = new Uint16Array(1 << 12);
  if (lengths.length === 1) {
    if (lengths[0] !== 0) throw new ProtocolError('no prefix code');
    return table;
  }
  let next = 0;
  let sum = 0;
  for (let length = 1; length <= 12; length++) {
    next *= 2;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      // The word's highest bit comes first, and first is lowest in what was looked ahead.
      let word = 0;
      for (let bit = 0; bit < length; bit++) word |= ((next >> bit) & 1) << (length - 1 - bit);
      for (let entry = word; entry < 1 << 12; entry += 1 << length) table[entry] = (symbol << 4) | length;
      next += 1;
      sum += 2 ** (12 - length);
    }
  }
  if (sum !== 2 ** 12 || lengths.some((length) => length < 1 || length > 12)) {
    throw new ProtocolError('no prefix code');
  }
  return table;
}

/** A reader of fixed bodies and of control structs ("Messages"). */
export class ByteReader {
  constructor(bytes) {
    this.bytes = bytes;
    this.data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  /** The place of the next `count` bytes, which are then behind. */
  skip(count) {
    const at = this.at;
    if (count > this.bytes.length - at) throw new ProtocolError('a message ends early');
    this.at = at + count;
    return at;
  }

  u8() { return this.data.getUint8(this.skip(1)); }
  fixed16() { return this.data.getUint16(this.skip(2), true); }
  fixed32() { return this.data.getUint32(this.skip(4), true); }
  fixed64() { return this.data.getBigUint64(this.skip(8), true); }
  f32() { return this.data.getFloat32(this.skip(4), true); }
  f64() { return this.data.getFloat64(this.skip(8), true); }
  take(count) { return this.bytes.slice(this.skip(count), this.at); }
  rest() { return this.take(this.bytes.length - this.at); }

  bool() {
    const byte = this.u8();
    if (byte > 1) throw new ProtocolError('a bool is neither 0 nor 1');
    return byte === 1;
  }

  /** A variable unsigned number, as BigInt. */
  u64() {
    const first = this.u8();
    if (first < 251) return BigInt(first);
    if (first === 0xfb) return BigInt(this.fixed16());
    if (first === 0xfc) return BigInt(this.fixed32());
    if (first === 0xfd) return this.fixed64();
    throw new ProtocolError('a number of unknown length');
  }

  /** A variable unsigned number that a double holds exactly. */
  count() {
    const value = this.u64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtocolError('a number is too large');
    return Number(value);
  }

  /** A signed number, by the zigzag rule. */
  signed() {
    const value = this.u64();
    return Number(value & 1n ? -(value >> 1n) - 1n : value >> 1n);
  }

  text() {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.take(this.count()));
    } catch (error) {
      throw error instanceof ProtocolError ? error : new ProtocolError('a text is not UTF-8');
    }
  }

  list(limit, read) {
    const count = this.count();
    if (count > limit) throw new ProtocolError('a list is too long');
    return Array.from({ length: count }, () => read(this));
  }

  option(read) {
    return this.bool() ? read(this) : null;
  }

  /** The number of an alternative, of so many. */
  choice(alternatives) {
    const chosen = this.count();
    if (chosen >= alternatives) throw new ProtocolError('an unknown alternative');
    return chosen;
  }

  /** The extensions, to the end of the message: bytes by their id. */
  extensions() {
    const found = new Map();
    for (let last = 0; this.at < this.bytes.length;) {
      const id = this.fixed16();
      const length = this.fixed16();
      if (id <= last || length > 512 || found.size === 16) throw new ProtocolError('extensions are broken');
      found.set(id, this.take(length));
      last = id;
    }
    return found;
  }

  /** The end of a message without extensions. */
  finish() {
    if (this.at !== this.bytes.length) throw new ProtocolError('something follows a message');
  }
}

/** A writer of the same. */
export class ByteWriter {
  constructor() {
    this.bytes = [];
  }

  fixed(value, count) {
    for (let rest = BigInt(value), i = 0; i < count; i++, rest >>= 8n) this.bytes.push(Number(rest & 255n));
    return this;
  }

  variable(value) {
    if (value < 251) return this.fixed(value, 1);
    if (value < 2 ** 16) return this.fixed(0xfb, 1).fixed(value, 2);
    if (value < 2 ** 32) return this.fixed(0xfc, 1).fixed(value, 4);
    return this.fixed(0xfd, 1).fixed(value, 8);
  }

  raw(bytes) {
    this.bytes.push(...bytes);
    return this;
  }

  text(text) {
    const bytes = new TextEncoder().encode(text);
    return this.variable(bytes.length).raw(bytes);
  }

  finish() {
    return Uint8Array.from(this.bytes);
  }
}

const MASK = (1n << 64n) - 1n;
const [P1, P2, P3, P4, P5] = [
  0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n, 0x85ebca77c2b2ae63n, 0x27d4eb2f165667c5n,
];
const rotate = (value, by) => ((value << by) & MASK) | (value >> (64n - by));
const round = (lane, input) => (rotate((lane + input * P2) & MASK, 31n) * P1) & MASK;

/** XXH64 with seed 0. It takes BigInt and its time: only what is checked is summed up. */
export function xxh64(bytes) {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length;
  let at = 0;
  let hash = P5;
  if (end >= 32) {
    const lanes = [(P1 + P2) & MASK, P2, 0n, MASK + 1n - P1];
    for (; at + 32 <= end; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i], data.getBigUint64(at + 8 * i, true));
    }
    hash = rotate(lanes[0], 1n) + rotate(lanes[1], 7n) + rotate(lanes[2], 12n) + rotate(lanes[3], 18n);
    for (const lane of lanes) hash = (((hash & MASK) ^ round(0n, lane)) * P1 + P4) & MASK;
  }
  hash = (hash + BigInt(end)) & MASK;
  for (; at + 8 <= end; at += 8) {
    hash = (rotate(hash ^ round(0n, data.getBigUint64(at, true)), 27n) * P1 + P4) & MASK;
  }
  if (at + 4 <= end) {
    hash = (rotate(hash ^ ((BigInt(data.getUint32(at, true)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < end; at++) hash = (rotate(hash ^ ((BigInt(bytes[at]) * P5) & MASK), 11n) * P1) & MASK;
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}
