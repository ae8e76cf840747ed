// Sparks, trails and rings, in arrays that are made once.

import { ALPHAS, COSINES, HEADINGS, PARTS, roll, SHADES, SINES } from './parts.js';

const MOST = 700;
/** How fast they come to rest. */
const DRAG = 3;

export class Particles {
  #next = 0;
  #x = new Float32Array(MOST);
  #y = new Float32Array(MOST);
  #vx = new Float32Array(MOST);
  #vy = new Float32Array(MOST);
  #age = new Float32Array(MOST).fill(1);
  #life = new Float32Array(MOST).fill(1);
  #size = new Float32Array(MOST);
  #sprite = new Array(MOST).fill(null);

  /** One particle; the oldest gives way. Parts of a tile, and parts per second; seconds; tiles. */
  add(sprite, x, y, vx, vy, life, size) {
    const at = this.#next;
    this.#next = (at + 1) % MOST;
    this.#sprite[at] = sprite;
    this.#x[at] = x;
    this.#y[at] = y;
    this.#vx[at] = vx;
    this.#vy[at] = vy;
    this.#age[at] = 0;
    this.#life[at] = life;
    this.#size[at] = size * PARTS;
  }

  /** Many of them, all around or around a heading. Tiles per second, seconds, tiles, parts of a turn. */
  burst(sprite, x, y, count, speed, life, size, heading = 0, spread = HEADINGS) {
    for (let made = 0; made < count; made += 1) {
      const at = this.#next;
      const way = (heading + (((roll() - 512) * spread) >> 10)) & (HEADINGS - 1);
      // The cosines are in parts of a tile.
      const fast = speed * (0.25 + (0.75 / PARTS) * roll());
      this.#next = (at + 1) % MOST;
      this.#sprite[at] = sprite;
      this.#x[at] = x;
      this.#y[at] = y;
      this.#vx[at] = COSINES[way] * fast;
      this.#vy[at] = SINES[way] * fast;
      this.#age[at] = 0;
      this.#life[at] = life * (0.5 + (0.5 / PARTS) * roll());
      this.#size[at] = size * (0.5 * PARTS + roll());
    }
  }

  draw(context, milliseconds) {
    const seconds = milliseconds / 1000;
    const slower = Math.exp(-DRAG * seconds);
    const age = this.#age;
    const life = this.#life;
    let shade = -1;
    for (let at = 0; at < MOST; at += 1) {
      if (age[at] >= life[at]) continue;
      age[at] += seconds;
      const left = 1 - age[at] / life[at];
      if (left <= 0) continue;
      this.#vx[at] *= slower;
      this.#vy[at] *= slower;
      this.#x[at] += this.#vx[at] * seconds;
      this.#y[at] += this.#vy[at] * seconds;
      const size = (this.#size[at] * (0.4 + 0.6 * left)) | 0;
      // Every eighth shade does: it is set less often then.
      const wanted = (((left * (SHADES / 8)) | 0) + 1) * 8;
      if (wanted !== shade) context.globalAlpha = ALPHAS[(shade = wanted)];
      const x = this.#x[at] | 0;
      const y = this.#y[at] | 0;
      context.drawImage(this.#sprite[at], x - size, y - size, 2 * size, 2 * size);
    }
    context.globalAlpha = 1;
  }
}
