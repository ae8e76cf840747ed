// The picture: walkers between the snapshots, on a canvas.

import { clamp } from './bits.js';
import { components } from './schema.js';

/** How many colours the flags choose from, and how many steps of brightness health has. */
const HUES = 8;
const LIGHTS = 6;
/** Snapshots that are kept to draw between. */
const SAMPLES = 4;
/** How far in the past the picture is, in times between snapshots: room for one that is late. */
const DELAY = 1.5;
const GRID_UNITS = 500;

export class Scene {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d', { alpha: false });
    this.clear();
    const fit = () => {
      const density = window.devicePixelRatio || 1;
      canvas.width = Math.round(canvas.clientWidth * density);
      canvas.height = Math.round(canvas.clientHeight * density);
      this.density = density;
    };
    new ResizeObserver(fit).observe(canvas);
    fit();
  }

  /** Begins with another stream of snapshots; the picture stays until they come. */
  prepare(kinds, periodMicros) {
    this.samples = [];
    this.offset = null;
    this.periodMs = periodMicros / 1000;
    const fields = (kind) => ['position', 'angle', 'hp', 'flags'].map((name) => kind.field(name));
    this.fields = kinds.map(fields).map((found) => (found.every(Boolean) ? found : null));
  }

  clear() {
    this.samples = [];
    this.offset = null;
    this.fields = [];
    this.periodMs = 1;
    /** What has been seen of the world, and what is shown of it. */
    this.seen = null;
    this.camera = null;
  }

  /** Takes a view that has just come. */
  add(view, nowMs) {
    const before = this.samples.at(-1);
    this.samples.push(this.sample(view, before));
    if (this.samples.length > SAMPLES) this.samples.shift();
    this.intervalTicks = before ? clamp(view.tick - before.tick, 1, 4) : 1;
    // Snapshots that come early say what time it is; later ones were held up, and count little.
    const offset = view.tick - nowMs / this.periodMs;
    const error = offset - (this.offset ?? offset);
    if (this.offset === null || Math.abs(error) > 10) this.offset = offset;
    else this.offset += error * (error > 0 ? 0.2 : 0.02);
  }

  /** Where everybody is at the tick of a view, beside where they were in the sample before. */
  sample({ tick, entities }, before) {
    const drawn = [...entities.values()].filter(({ kind }) => this.fields[kind]);
    const count = drawn.length;
    const numbers = () => new Float32Array(count);
    const sample = {
      tick, count, from: before?.tick ?? tick - 1, places: new Map(), bucket: new Uint8Array(count),
      x: numbers(), y: numbers(), angle: numbers(), fromX: numbers(), fromY: numbers(), fromAngle: numbers(),
    };
    drawn.forEach(({ index, kind, state, told, toldBefore }, i) => {
      const [position, angle, hp, flags] = this.fields[kind];
      [sample.x[i], sample.y[i]] = components(position, state, tick);
      [sample.angle[i]] = components(angle, state, tick);
      const light = Math.round((clamp(components(hp, state, tick)[0], 0, 100) / 100) * (LIGHTS - 1));
      sample.bucket[i] = (components(flags, state, tick)[0] % HUES) * LIGHTS + light;
      sample.places.set(index, i);
      // Who enters with this snapshot is somebody else than who had the index before.
      const isNew = told === tick && toldBefore === null;
      const was = isNew ? undefined : before?.places.get(index);
      sample.fromX[i] = was === undefined ? sample.x[i] : before.x[was];
      sample.fromY[i] = was === undefined ? sample.y[i] : before.y[was];
      sample.fromAngle[i] = was === undefined ? sample.angle[i] : before.angle[was];
    });
    this.see(sample);
    return sample;
  }

  /** The world's size is not told: it is what walkers have been seen in. */
  see({ x, y, count }) {
    if (count === 0) return;
    const seen = this.seen ?? { left: x[0], right: x[0], top: y[0], bottom: y[0] };
    for (let i = 0; i < count; i++) {
      seen.left = Math.min(seen.left, x[i]);
      seen.right = Math.max(seen.right, x[i]);
      seen.top = Math.min(seen.top, y[i]);
      seen.bottom = Math.max(seen.bottom, y[i]);
    }
    this.seen = seen;
  }

  /** Draws the moment. */
  draw(nowMs) {
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = '#0d1216';
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (this.seen === null) return;
    this.moveCamera();
    this.drawGround();
    if (this.samples.length === 0) return;
    const newest = this.samples.at(-1);
    const time = nowMs / this.periodMs + this.offset - DELAY * this.intervalTicks;
    const sample = this.samples.find(({ tick }) => tick >= time) ?? newest;
    this.drawWalkers(sample, clamp((time - sample.from) / (sample.tick - sample.from), 0, 1));
  }

  moveCamera() {
    const { seen, canvas, density } = this;
    const side = Math.max(200, seen.right - seen.left, seen.bottom - seen.top) * 1.06;
    const wanted = { x: (seen.left + seen.right) / 2, y: (seen.top + seen.bottom) / 2, side };
    this.camera ??= { ...wanted };
    for (const key of Object.keys(wanted)) this.camera[key] += (wanted[key] - this.camera[key]) * 0.08;
    const scale = Math.min(canvas.width, canvas.height) / this.camera.side;
    this.scale = scale;
    this.left = canvas.width / 2 - this.camera.x * scale;
    this.top = canvas.height / 2 - this.camera.y * scale;
    this.arrow = clamp(scale * 26, 3.5 * density, 11 * density);
  }

  drawGround() {
    const { context, canvas, scale, seen, density } = this;
    context.strokeStyle = '#172027';
    context.lineWidth = density;
    context.beginPath();
    const lines = (start, length, line) => {
      const first = Math.ceil(-start / scale / GRID_UNITS) * GRID_UNITS;
      for (let at = first; at * scale + start < length; at += GRID_UNITS) {
        line(Math.round(at * scale + start));
      }
    };
    lines(this.left, canvas.width, (x) => { context.moveTo(x, 0); context.lineTo(x, canvas.height); });
    lines(this.top, canvas.height, (y) => { context.moveTo(0, y); context.lineTo(canvas.width, y); });
    context.stroke();
    context.strokeStyle = '#2d3b45';
    const [width, height] = [seen.right - seen.left, seen.bottom - seen.top];
    const [x, y] = [seen.left * scale + this.left, seen.top * scale + this.top];
    context.strokeRect(x, y, width * scale, height * scale);
  }

  /** Fills the arrows of a colour at a time, since each fill has its price. */
  drawWalkers(sample, part) {
    const { context, scale, left, top, arrow } = this;
    const paths = [];
    for (let i = 0; i < sample.count; i++) {
      const x = (sample.fromX[i] + (sample.x[i] - sample.fromX[i]) * part) * scale + left;
      const y = (sample.fromY[i] + (sample.y[i] - sample.fromY[i]) * part) * scale + top;
      // The short way round.
      const turn = sample.angle[i] - sample.fromAngle[i];
      const angle = sample.fromAngle[i] + Math.atan2(Math.sin(turn), Math.cos(turn)) * part;
      const [ahead, aside] = [Math.cos(angle) * arrow, Math.sin(angle) * arrow];
      const path = (paths[sample.bucket[i]] ??= new Path2D());
      path.moveTo(x + ahead, y + aside);
      path.lineTo(x - 0.7 * ahead - 0.6 * aside, y - 0.7 * aside + 0.6 * ahead);
      path.lineTo(x - 0.35 * ahead, y - 0.35 * aside);
      path.lineTo(x - 0.7 * ahead + 0.6 * aside, y - 0.7 * aside - 0.6 * ahead);
    }
    paths.forEach((path, bucket) => {
      context.fillStyle = COLOURS[bucket];
      context.fill(path);
    });
  }
}

const COLOURS = Array.from({ length: HUES * LIGHTS }, (_, bucket) => {
  const hue = 160 + (Math.floor(bucket / LIGHTS) * 360) / HUES;
  const light = (bucket % LIGHTS) / (LIGHTS - 1);
  return `hsl(${hue % 360} 72% ${38 + 36 * light}%)`;
});
