// Snapshots: each a change to one that is held.
// Written from docs/PROTOCOL.md, whose sections the comments name. No DOM in here.

import { BitReader, ProtocolError, bitLength, clamp, modulo, nearest, xxh64 } from './bits.js';
import { along, way } from './schema.js';

/** A snapshot that is coded against one that is not held: no fault, but the client has to restart. */
export class NotHeld extends ProtocolError {}

const level = (magnitude) => Math.min(15, magnitude < 2 ** 31 ? bitLength(magnitude) : 15);
/** Both factors together stay below 2^53: a lane has 30 bits, a lead 22. */
const extrapolated = (difference, lead) => Math.floor((difference * lead + 32768) / 65536);
const symbol = (reader, model, context) => reader.symbol(model.codes[model.map[context]]);

function within(value, max) {
  if (value < 0 || value > max) throw new ProtocolError('out of range');
  return value;
}

/** The form of a delta: its tick, its baselines, and what follows from them. */
class Form {
  constructor(tick, newer, older) {
    this.tick = tick;
    this.isEntering = newer === null;
    this.age = this.isEntering ? 64 : tick - newer;
    const ageClass = Math.min(5, bitLength(this.age - 1));
    this.context = this.isEntering ? 0 : ageClass + (older === null ? 1 : 7);
    this.lead = older === null ? 0 : Math.floor((65536 * this.age) / (newer - older));
    this.hasTrend = older !== null;
  }
}

/** Reads one entity's delta ("The delta of one entity"). */
class EntityReader {
  constructor(reader, kind, form, newer, older) {
    Object.assign(this, { reader, kind, form, newer, older });
    this.state = new Array(kind.laneCount).fill(0);
    this.energy = 0;
    this.mean = 0;
    this.isFirst = true;
  }

  read() {
    const { reader, kind, form } = this;
    const forecasts = kind.coded.map((field) => this.forecast(field));
    const busiest = forecasts.reduce((most, { activity }) => Math.max(most, activity), 0);
    const masks = kind.masks.map((model) => symbol(reader, model, form.context * 16 + busiest));
    const isSet = (bit) => ((masks[Math.floor(bit / 6)] >> (bit % 6)) & 1) === 1;
    kind.coded.forEach((field, i) => {
      const [first, second] = [isSet(field.bit), isSet(field.bit + 1)];
      this[field.shape](field, forecasts[i], first, second);
    });
    return this.state;
  }

  // Forecasts.

  forecast(field) {
    if (field.shape === 'lanes') return this.forecastLanes(field);
    if (field.shape === 'turn') return this.forecastTurn(field);
    if (field.shape === 'rotation') return this.forecastRotation(field);
    return NO_FORECAST;
  }

  forecastLanes({ first, max, linear }) {
    const lanes = [];
    const backwards = [];
    let sum = 0;
    for (let i = 0; i < max.length; i++) {
      const newer = this.newer[first + i];
      const moved = extrapolated(newer - this.older[first + i], this.form.lead);
      lanes.push(linear ? clamp(newer + moved, 0, max[i]) : newer);
      backwards.push(moved < 0);
      sum += Math.abs(moved);
    }
    return { lanes, backwards, activity: level(sum) };
  }

  forecastTurn({ first, steps, linear }) {
    const newer = this.newer[first];
    const half = steps >> 1;
    let short = (newer - this.older[first]) % steps;
    if (short > half) short -= steps;
    else if (short < -half) short += steps;
    const moved = extrapolated(short, this.form.lead);
    const lanes = [linear ? modulo(newer + moved, steps) : newer];
    return { lanes, backwards: [moved < 0], activity: level(Math.abs(moved)) };
  }

  forecastRotation({ first, max: [, max], linear }) {
    const componentsOf = (state) => {
      const all = [1, 2, 3].map((i) => 2 * state[first + i] - max);
      const rest = all.reduce((left, c) => left - c * c, 2 * max * max);
      all.splice(state[first], 0, rest > 0 ? Math.floor(Math.sqrt(rest)) : 0);
      return all;
    };
    const expected = componentsOf(this.newer);
    let falling = [false, false, false, false];
    let activity = 0;
    if (this.form.hasTrend) {
      const older = componentsOf(this.older);
      const sign = expected.reduce((sum, c, i) => sum + c * older[i], 0) < 0 ? -1 : 1;
      const lead = Math.floor((this.form.lead * 13) / 16);
      const moved = expected.map((c, i) => extrapolated(c - sign * older[i], lead));
      falling = moved.map((move) => move < 0);
      activity = level(moved.reduce((sum, move) => sum + (Math.abs(move) >> 1), 0));
      if (linear) moved.forEach((move, i) => (expected[i] += move));
    }
    let largest = 0;
    expected.forEach((c, i) => { if (Math.abs(c) > Math.abs(expected[largest])) largest = i; });
    const seenWith = (told) => {
      const isNegative = expected[told] < 0;
      const others = [0, 1, 2, 3].filter((i) => i !== told);
      return {
        lanes: others.map((i) => clamp(((isNegative ? -expected[i] : expected[i]) + max) >> 1, 0, max)),
        backwards: others.map((i) => falling[i] !== isNegative),
        activity,
      };
    };
    return { largest, seenWith, activity };
  }

  // The shapes.

  flip({ first }, _, isChanged) {
    this.state[first] = this.newer[first] ^ Number(isChanged);
  }

  symbol({ first, models, olds }, _, isChanged) {
    const { context } = this.form;
    const newer = this.newer[first];
    const place = olds === 1 ? context : context * olds + newer;
    this.state[first] = isChanged ? symbol(this.reader, models[0], place) : newer;
  }

  lanes({ first, models, max }, forecast, isChanged) {
    for (let i = 0; i < max.length; i++) {
      const off = isChanged ? this.turned(models[0], i, forecast) : 0;
      this.state[first + i] = within(forecast.lanes[i] + off, max[i]);
    }
    this.close(isChanged);
  }

  turn({ first, models, steps }, forecast, isChanged) {
    const off = isChanged ? this.turned(models[0], 0, forecast) : 0;
    this.state[first] = modulo(forecast.lanes[0] + off, steps);
    this.close(isChanged);
  }

  rotation({ first, models, max }, { largest, seenWith }, isChanged, isOther) {
    let told = largest;
    if (isOther) {
      const other = symbol(this.reader, models[0], this.form.context);
      told = other < largest ? other : other + 1;
    }
    this.state[first] = told;
    const forecast = seenWith(told);
    for (let i = 0; i < 3; i++) {
      const off = isChanged ? this.turned(models[1], i, forecast) : 0;
      this.state[first + 1 + i] = within(forecast.lanes[i] + off, max[1]);
    }
    this.close(isChanged);
  }

  segment(field, _, isMoved, isTurned) {
    const { first, anchor, speed, rest, models, max } = field;
    const { state, newer, form } = this;
    for (let i = 0; i < rest.length; i++) {
      state[first + i] = newer[first + i];
      state[speed.first + i] = newer[speed.first + i];
    }
    state[anchor] = newer[anchor];
    if (!isMoved && !isTurned) return this.close(false);
    const turn = isTurned ? this.velocity(field) : 0;
    this.close(isTurned);
    const isStill = rest.every((lane, i) => state[speed.first + i] === lane);
    state[anchor] = isStill ? 0 : this.anchor();
    const before = Math.max(0, (isStill ? form.tick : state[anchor]) - 1);
    for (let i = 0; i < rest.length; i++) {
      let lane = newer[first + i];
      const fit = (at) => (field.type === 'angle' ? modulo(at, field.steps) : at);
      if (!form.isEntering) {
        const velocity = state[speed.first + i] - rest[i];
        const at = along(field, i, newer, before) + way(field, i, velocity, 1);
        lane = clamp(fit(Math.floor((at + 128) / 256)), 0, max[i]);
      }
      if (isMoved) lane = within(fit(lane + this.residual(models[2], i, turn)), max[i]);
      state[first + i] = lane;
    }
    this.close(isMoved);
  }

  /** Reads a segment's velocity; how much it turned. */
  velocity({ speed, rest, models }) {
    const { state, newer } = this;
    const pace = level(rest.reduce((sum, lane, i) => sum + Math.abs(newer[speed.first + i] - lane), 0));
    if (pace !== 0 && symbol(this.reader, models[0], this.form.context) === 1) {
      rest.forEach((lane, i) => (state[speed.first + i] = lane));
      return pace;
    }
    let sum = 0;
    for (let i = 0; i < rest.length; i++) {
      const off = this.residual(models[1], i, pace);
      sum += Math.abs(off);
      state[speed.first + i] = within(newer[speed.first + i] + off, speed.max[i]);
    }
    return level(sum);
  }

  anchor() {
    const { age, tick } = this.form;
    const back = this.reader.number(bitLength(age - 1));
    if (back > tick) throw new ProtocolError('anchor');
    return tick - back;
  }

  // Residuals.

  turned(model, lane, { activity, backwards }) {
    const residual = this.residual(model, lane, activity);
    return backwards[lane] ? -residual : residual;
  }

  residual(model, lane, activity) {
    const context = ((lane * 13 + this.form.context) * 16 + activity) * 16 + this.energy;
    const told = symbol(this.reader, model, context);
    const size = (told + 1) >> 1;
    let magnitude = size;
    if (size >= 4) {
      const places = (size >> 1) - 1;
      magnitude = ((2 + (size & 1)) << places) + this.reader.number(places);
    }
    this.mean = this.isFirst ? size : (this.mean + size + 1) >> 1;
    this.isFirst = false;
    this.energy = Math.min(15, ((this.mean + 1) >> 1) + 1);
    return told & 1 ? magnitude : -magnitude;
  }

  /** Closes a group of residuals. */
  close(hadAny) {
    this.isFirst = true;
    if (!hadAny) this.energy = 0;
  }
}

const NO_FORECAST = { activity: 0 };
const NOTHING = { entities: new Map(), avatar: null };

/** Reads the snapshots of one stream ("The body of a snapshot") of a client that does not predict. */
export class SnapshotDecoder {
  /** The profile is `{ hasAvatar, capacity }`, and the origin the tick of the welcome. */
  constructor(kinds, profile, origin) {
    Object.assign(this, { kinds, profile, origin });
    this.hasTrends = kinds.some((kind) => kind.trending.length > 0);
    /** The views held, by their ticks, in ascending order ("What a client holds"). */
    this.views = new Map();
    this.newest = null;
    this.beforeNewest = null;
  }

  /** Forgets all views. The next snapshot's tick is near the newest one's nonetheless. */
  restart() {
    this.origin = this.newest ?? this.origin;
    this.views.clear();
    this.newest = null;
    this.beforeNewest = null;
  }

  /** Applies a snapshot, whole or not at all: the new view. */
  apply(body) {
    const reader = new BitReader(body);
    const header = this.readHeader(reader);
    const { tick, newer, older } = header;
    const baseline = newer === null ? NOTHING : this.held(newer);
    const trend = older === null ? null : this.held(older);
    const view = { tick, epoch: baseline.epoch, rate: baseline.rate, avatar: null, entities: null };
    if (reader.flag()) {
      view.epoch = reader.number(16);
      view.rate = reader.number(1);
    } else if (newer === null) {
      throw new ProtocolError('no room state');
    }
    // The lead of inputs: who only watches has none, but may be told one.
    if (reader.flag()) reader.number(18);
    if (this.profile.hasAvatar) view.avatar = readAvatar(reader, baseline.avatar);
    view.entities = this.readEntities(reader, header, baseline, trend);
    reader.finish();
    this.keep(view);
    return view;
  }

  readHeader(reader) {
    const { newest, beforeNewest } = this;
    const near = newest ?? this.origin;
    const header = { tick: 0, newer: null, older: null };
    if (reader.flag()) {
      const low = reader.number(4);
      if (newest === null || (newest + 1) % 16 !== low) throw new NotHeld('out of sequence');
      header.tick = newest + 1;
      header.newer = newest;
      if (this.hasTrends && reader.flag()) {
        if (beforeNewest === null) throw new NotHeld('out of sequence');
        header.older = beforeNewest;
      }
    } else {
      header.tick = nearest(reader.number(16), 16, near, true);
      if (reader.flag()) header.newer = header.tick - 1 - reader.number(6);
      if (header.newer !== null && this.hasTrends && reader.flag()) {
        header.older = header.newer - 1 - reader.number(6);
      }
      if ((header.older ?? header.newer ?? 0) < 0) throw new ProtocolError('before the first tick');
    }
    if (newest !== null && header.tick <= newest) throw new ProtocolError('not newer', 'out-of-order');
    if (Math.abs(header.tick - near) > 16384) throw new ProtocolError('far off');
    return header;
  }

  held(tick) {
    const view = this.views.get(tick);
    if (view === undefined) throw new NotHeld('unknown baseline');
    return view;
  }

  readEntities(reader, { tick, newer, older }, baseline, trend) {
    const { left, entered, stay } = this.readLists(reader, baseline);
    // "Whom to expect": the older state of an entity that has a trend.
    const olderState = (entity) => {
      const has = trend !== null && entity.told === newer && entity.toldBefore === older
        && this.kinds[entity.kind].trending.length > 0;
      return has ? trend.entities.get(entity.index).state : null;
    };
    const isExpected = (entity) => {
      const before = olderState(entity);
      return before !== null
        && this.kinds[entity.kind].trending.some((lane) => before[lane] !== entity.state[lane]);
    };
    let changed = [];
    if (stay.length > 0) {
      const surprises = new Set(reader.gaps(stay.length));
      changed = stay.filter((entity, place) => isExpected(entity) !== surprises.has(place));
    }
    const late = new Set(changed.length > 0 && reader.flag() ? reader.gaps(changed.length) : []);

    const told = new Map();
    const entering = new Form(tick, null, null);
    for (const { index, kind } of entered) {
      const plan = this.kinds[kind];
      const state = new EntityReader(reader, plan, entering, plan.initial, plan.initial).read();
      told.set(index, { index, kind, told: tick, toldBefore: null, state });
    }
    const [plain, both] = [new Form(tick, newer, null), new Form(tick, newer, older)];
    const waited = new Form(tick, Math.max(0, tick - 64), null);
    changed.forEach((entity, place) => {
      const before = late.has(place) ? null : olderState(entity);
      const form = late.has(place) ? waited : before === null ? plain : both;
      const kind = this.kinds[entity.kind];
      const state = new EntityReader(reader, kind, form, entity.state, before ?? entity.state).read();
      told.set(entity.index, { ...entity, told: tick, toldBefore: entity.told, state });
    });
    return merge(baseline.entities, left, entered, told);
  }

  /** Who left, who entered, and who stays. */
  readLists(reader, { entities }) {
    const known = [...entities.values()];
    const left = new Set(reader.flag() ? reader.gaps(known.length).map((place) => known[place].index) : []);
    const kindBits = bitLength(this.kinds.length - 1);
    const entered = (reader.flag() ? reader.gaps(this.profile.capacity) : []).map((index) => {
      const kind = reader.number(kindBits);
      if (kind >= this.kinds.length) throw new ProtocolError('unknown kind');
      if (entities.has(index) && !left.has(index)) throw new ProtocolError('enters twice');
      return { index, kind };
    });
    const stay = left.size > 0 ? known.filter(({ index }) => !left.has(index)) : known;
    if (stay.length + entered.length > 4096) throw new ProtocolError('too many');
    return { left, entered, stay };
  }

  keep(view) {
    this.beforeNewest = this.newest;
    this.newest = view.tick;
    this.views.set(view.tick, view);
    // Of an ordered transport, all but these can be dropped.
    for (const tick of this.views.keys()) {
      const isRecent = tick === this.newest || tick === this.beforeNewest;
      if (!isRecent && (tick % 8 !== 0 || tick <= this.newest - 64)) this.views.delete(tick);
    }
  }
}

/** The entities of the new view, in ascending order of their indices. */
function merge(known, left, entered, told) {
  const entities = new Map();
  let next = 0;
  const enter = (end) => {
    for (; next < entered.length && entered[next].index < end; next++) {
      entities.set(entered[next].index, told.get(entered[next].index));
    }
  };
  for (const [index, entity] of known) {
    enter(index);
    if (!left.has(index)) entities.set(index, told.get(index) ?? entity);
  }
  enter(Infinity);
  return entities;
}

/** The avatar, of a client that does not predict: the baseline's is the one expected. */
function readAvatar(reader, expected) {
  if (reader.flag()) return expected;
  const form = reader.number(2);
  if (form === 0) return null;
  if (form === 3) throw new ProtocolError('unknown form');
  const length = reader.golomb(4);
  if (length > 1024) throw new ProtocolError('avatar too long');
  const avatar = new Uint8Array(length);
  for (let at = 0; at < length; at += 4) {
    const end = Math.min(length, at + 4);
    const isTold = form === 2 || reader.flag();
    if (!isTold && (expected === null || expected.length < end)) {
      throw new ProtocolError('no expected avatar');
    }
    for (let i = at; i < end; i++) avatar[i] = isTold ? reader.number(8) : expected[i];
  }
  return avatar;
}

/** Sums up a view in 32 bits ("State check"). */
export function stateCheck({ tick, avatar, entities }) {
  const lanes = [...entities.values()].reduce((sum, { state }) => sum + 2 + state.length, 0);
  const bytes = new Uint8Array(8 + (avatar?.length ?? 0) + 4 * lanes);
  const data = new DataView(bytes.buffer);
  let at = 0;
  const put = (number) => {
    data.setUint32(at, number, true);
    at += 4;
  };
  put(tick);
  put(avatar?.length ?? 0xffffffff);
  if (avatar) bytes.set(avatar, at);
  at += avatar?.length ?? 0;
  for (const { index, kind, state } of entities.values()) {
    put(index);
    put(kind);
    state.forEach(put);
  }
  return Number(xxh64(bytes) & 0xffffffffn);
}
