// The schema, and the entropy tables that follow from it: what a client needs before it can read a snapshot.
// Written from docs/PROTOCOL.md, whose sections the comments name. No DOM in here.

import { BitReader, ProtocolError, bitLength, clamp, modulo, prefixCode } from './bits.js';

/** Reads the list of kinds out of a message ("schema (`89`)"). */
export function readKinds(reader) {
  const axis = () => ({ min: reader.f64(), step: reader.f64(), max: reader.signed() });
  const quantization = [
    () => ({ type: 'bool', max: [1] }),
    () => {
      const min = reader.signed();
      return { type: 'int', min, max: [reader.signed() - min] };
    },
    () => ({ type: 'enum', max: [reader.list(256, () => reader.text()).length - 1] }),
    () => {
      const axes = reader.list(3, axis);
      return { type: 'ranged', axes, max: axes.map((one) => one.max) };
    },
    () => {
      const steps = reader.signed();
      return { type: 'angle', steps, max: [steps - 1] };
    },
    () => {
      const max = 2 ** reader.u8() - 1;
      return { type: 'quat', max: [3, max, max, max] };
    },
  ];
  const field = () => {
    const name = reader.text();
    const values = quantization[reader.choice(6)]();
    const predictor = reader.choice(3);
    const velocity = predictor === 2 ? reader.u8() : null;
    reader.f32(); // The tolerance is the server's alone.
    const initial = reader.list(4, () => reader.f64());
    return { name, ...values, linear: predictor === 1, velocity, initial };
  };
  return reader.list(64, () => ({ name: reader.text(), fields: reader.list(32, field) }));
}

/** A kind of entity, with all that reading one needs: "The schema" and "Entropy tables". */
export class Kind {
  constructor({ name, fields }, periodMicros) {
    Object.assign(this, { name, fields });
    this.laneCount = 0;
    for (const field of fields) {
      field.first = this.laneCount;
      this.laneCount += field.max.length;
      if (field.velocity !== null) field.anchor = this.laneCount++;
    }
    const segments = fields.filter((field) => field.velocity !== null);
    for (const field of segments) prepareSegment(field, fields[field.velocity], periodMicros);
    this.initial = new Array(this.laneCount).fill(0);
    const begin = (first, lanes) => lanes.forEach((lane, i) => (this.initial[first + i] = lane));
    for (const field of fields) begin(field.first, initialLanes(field));
    for (const { speed, rest } of segments) begin(speed.first, rest);
    /** The lanes of `Linear` fields: who has some may have a trend. */
    this.trending = fields.filter((field) => field.linear)
      .flatMap((field) => field.max.map((_, i) => field.first + i));
    // A velocity is coded with its segment.
    const velocities = new Set(segments.map((field) => field.speed));
    this.coded = fields.filter((field) => !velocities.has(field));
    let bits = 0;
    for (const field of this.coded) {
      giveShape(field);
      field.bit = bits;
      bits += field.shape === 'segment' || field.shape === 'rotation' ? 2 : 1;
    }
    this.masks = [];
    for (let bit = 0; bit < bits; bit += 6) this.masks.push(model(2 ** Math.min(6, bits - bit), 208));
  }

  field(name) {
    return this.fields.find((field) => field.name === name);
  }
}

/** The numbers of a segment's axes: rest lanes and rates ("Segments"). */
function prepareSegment(field, speed, periodMicros) {
  if (field.type !== 'ranged' && field.type !== 'angle' || speed?.type !== 'ranged'
    || speed.max.length !== field.max.length) {
    throw new ProtocolError('a segment without its velocity');
  }
  const zero = ({ min, step, max }) => {
    const lane = Math.floor((0 - min) / step + 0.5);
    return lane >= 0 && lane <= max ? lane : 0;
  };
  field.speed = speed;
  field.rest = speed.axes.map(zero);
  field.rates = speed.axes.map((axis, i) => {
    const positionStep = field.type === 'angle' ? (2 * Math.PI) / field.steps : field.axes[i].step;
    const stepsPerSecond = axis.step / positionStep;
    return Math.floor(((stepsPerSecond * periodMicros) / 1000000) * 4294967296 + 0.5);
  });
  // Doubles are exact up to 2^53, which is enough for all but extreme schemas.
  field.isWide = field.rates.map((rate, i) => speed.max[i] * rate * 128 >= 2 ** 52);
}

/** The way of a velocity over so many ticks, in 256ths of a step of the position ("Segments"). */
export function way(field, axis, velocity, ticks) {
  const span = Math.min(ticks, 128);
  if (field.isWide[axis]) {
    const product = BigInt(velocity) * BigInt(field.rates[axis]) * BigInt(span);
    return Number((product + (1n << 23n)) >> 24n);
  }
  return Math.floor((velocity * field.rates[axis] * span + 2 ** 23) / 2 ** 24);
}

/** Where an axis of a segment is at a tick, in 256ths of a step. */
export function along(field, axis, state, tick) {
  const velocity = state[field.speed.first + axis] - field.rest[axis];
  const ticks = Math.max(0, tick - state[field.anchor]);
  return 256 * state[field.first + axis] + way(field, axis, velocity, ticks);
}

/** The components of a field at a tick, as they are shown ("The schema", "Segments"). */
export function components(field, state, tick) {
  return laneComponents(field, field.max.map((max, axis) => {
    if (field.velocity === null) return state[field.first + axis];
    const at = along(field, axis, state, tick);
    return (field.type === 'angle' ? modulo(at, 256 * field.steps) : clamp(at, 0, 256 * max)) / 256;
  }));
}

function laneComponents(field, lanes) {
  if (field.type === 'ranged') return lanes.map((lane, i) => field.axes[i].min + lane * field.axes[i].step);
  if (field.type === 'int') return [field.min + lanes[0]];
  if (field.type === 'angle') {
    const angle = (lanes[0] / field.steps) * 2 * Math.PI;
    return [angle > Math.PI ? angle - 2 * Math.PI : angle];
  }
  if (field.type !== 'quat') return lanes;
  const [largest, ...three] = lanes;
  let small = three.map((lane) => ((lane * 2) / field.max[1] - 1) / Math.SQRT2);
  const sum = small.reduce((total, c) => total + c * c, 0);
  if (sum >= 1) small = small.map((c) => c / Math.sqrt(sum));
  small.splice(largest, 0, sum >= 1 ? 0 : Math.sqrt(1 - sum));
  return small;
}

/** The lanes of a field's default, by the column "Component to lane". */
function initialLanes(field) {
  const { type, initial, max } = field;
  const nearestLane = ({ min, step }, i) => Math.floor((initial[i] - min) / step + 0.5);
  if (type === 'ranged') return field.axes.map(nearestLane);
  if (type === 'int') return [initial[0] - field.min];
  if (type === 'angle') {
    const remainder = initial[0] % (2 * Math.PI);
    const within = remainder < 0 ? remainder + 2 * Math.PI : remainder;
    return [Math.floor((within / (2 * Math.PI)) * field.steps + 0.5) % field.steps];
  }
  if (type !== 'quat') return initial;
  const length = Math.hypot(...initial);
  const unit = initial.map((c) => c / length);
  let largest = 0;
  unit.forEach((c, i) => { if (Math.abs(c) > Math.abs(unit[largest])) largest = i; });
  const sign = Math.sign(unit[largest]);
  const lane = (c) => clamp(Math.floor((c * sign * Math.SQRT2 + 1) * 0.5 * max[1] + 0.5), 0, max[1]);
  return [largest, ...unit.filter((_, i) => i !== largest).map(lane)];
}

/** The class of a magnitude ("The delta of one entity"). */
function magnitudeClass(magnitude) {
  if (magnitude < 4) return magnitude;
  const log = bitLength(magnitude) - 1;
  return 2 * log + ((magnitude >> (log - 1)) & 1);
}

const model = (symbols, contexts) => ({ symbols, contexts, codes: [], map: null });
const residualModel = (largest, lanes) => model(2 * magnitudeClass(largest) + 1, lanes * 3328);

/** A field's shape and its models ("Entropy tables"). */
function giveShape(field) {
  const { type, max, speed } = field;
  if (field.velocity !== null) {
    const farthest = type === 'angle' ? ((field.steps - 1) >> 1) + 1 : Math.max(...max);
    field.shape = 'segment';
    field.models = [
      model(2, 13), residualModel(Math.max(...speed.max), max.length), residualModel(farthest, max.length),
    ];
  } else if (type === 'quat') {
    field.shape = 'rotation';
    field.models = [model(3, 13), residualModel(max[1], 3)];
  } else if (type === 'angle') {
    field.shape = 'turn';
    field.models = [residualModel(field.steps >> 1, 1)];
  } else if (type === 'enum' || (type === 'int' && !field.linear && max[0] < 16)) {
    field.shape = 'symbol';
    field.olds = max[0] < 16 ? max[0] + 1 : 1;
    field.models = [model(max[0] + 1, 13 * field.olds)];
  } else if (type === 'bool') {
    field.shape = 'flip';
    field.models = [];
  } else {
    field.shape = 'lanes';
    field.models = [residualModel(Math.max(...max), max.length)];
  }
}

/** Reads the codes of all models ("Entropy tables", "Bytes"). */
export function readTables(kinds, bytes) {
  const reader = new BitReader(bytes);
  const models = kinds.flatMap((kind) => [...kind.masks, ...kind.coded.flatMap((field) => field.models)]);
  for (const one of models) {
    const lengths = () => Array.from({ length: one.symbols }, () => reader.number(4));
    one.codes = Array.from({ length: reader.number(4) + 1 }, () => prefixCode(lengths()));
    one.map = new Uint8Array(one.contexts);
    for (let context = 0; context < one.contexts;) {
      const code = reader.number(4);
      const end = context + reader.golomb(2) + 1;
      if (code >= one.codes.length || end > one.contexts) throw new ProtocolError('tables of another shape');
      one.map.fill(code, context, end);
      context = end;
    }
  }
  reader.finish();
}
