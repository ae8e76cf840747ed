// The scene in whole numbers.

import { PARTS } from './parts.js';

/** A copy of the scene's numbers. The loop that makes it handles all fractions of a frame. */
export class Rows {
  /** The numbers without their fractions: kinds, players, what is counted. Rows begin at 0. */
  whole = new Int32Array(0);
  /** The same numbers times PARTS: places, velocities, angles, times. */
  parts = this.whole;
  end = 0;
  stride = 0;
  /** Where the own avatar's numbers are, or -1. */
  avatar = -1;
  /** The time that is shown, in ticks; the lower 24 bits. */
  tick = 0;

  #avatarLength = 0;

  read(scene, avatarFields) {
    const { start, stride, values, avatar } = scene;
    const end = scene.end - start;
    if (avatar >= 0 && this.#avatarLength === 0) {
      // The widest field is a vector.
      this.#avatarLength = Math.max(...Object.values(avatarFields)) + 2;
    }
    const length = end + this.#avatarLength;
    if (this.whole.length < length) {
      this.whole = new Int32Array(2 * length);
      this.parts = new Int32Array(2 * length);
    }
    this.end = end;
    this.stride = stride;
    this.avatar = avatar >= 0 ? end : -1;
    this.tick = scene.tick & 0xffffff;
    this.#copy(values, start, 0, end);
    if (avatar >= 0) this.#copy(values, avatar, end, length);
  }

  #copy(values, from, begin, end) {
    const { whole, parts } = this;
    for (let at = begin; at < end; at += 1) {
      const value = values[from + at - begin];
      whole[at] = value;
      parts[at] = value * PARTS;
    }
  }
}
