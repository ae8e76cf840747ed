// Sparks, trails and rings, in arrays that are made once.

const MOST = 700;
/** Parts of a tile: whole numbers go to the canvas as they are, others as an object each. */
const PARTS = 256;
const SHADES = 32;
/** Transparencies as objects that are made once: the string keeps the list from being one of bare numbers. */
const ALPHAS = ['', ...Array.from({ length: SHADES }, (_, shade) => (shade + 1) / SHADES)];

export class Particles {
  #next = 0;
  #x = new Float32Array(MOST);
  #y = new Float32Array(MOST);
  #vx = new Float32Array(MOST);
  #vy = new Float32Array(MOST);
  #age = new Float32Array(MOST).fill(1);
  #life = new Float32Array(MOST).fill(1);
  #size = new Float32Array(MOST);
  #drag = new Float32Array(MOST);
  #sprite = new Array(MOST).fill(null);

  /** One particle; the oldest gives way. Tiles, tiles per second, seconds. */
  add(sprite, x, y, vx, vy, life, size, drag = 3) {
    const at = this.#next;
    this.#next = (at + 1) % MOST;
    this.#sprite[at] = sprite;
    this.#x[at] = x;
    this.#y[at] = y;
    this.#vx[at] = vx;
    this.#vy[at] = vy;
    this.#age[at] = 0;
    this.#life[at] = life;
    this.#size[at] = size;
    this.#drag[at] = drag;
  }

  /** Many of them, all around or around a direction. */
  burst(sprite, x, y, count, speed, life, size, angle = 0, spread = Math.PI * 2) {
    for (let made = 0; made < count; made += 1) {
      const way = angle + (Math.random() - 0.5) * spread;
      const fast = speed * (0.25 + 0.75 * Math.random());
      const lasts = life * (0.5 + 0.5 * Math.random());
      const large = size * (0.5 + Math.random());
      this.add(sprite, x, y, Math.cos(way) * fast, Math.sin(way) * fast, lasts, large);
    }
  }

  draw(context, seconds) {
    context.save();
    context.scale(1 / PARTS, 1 / PARTS);
    let shade = 0;
    for (let at = 0; at < MOST; at += 1) {
      if (this.#age[at] >= this.#life[at]) continue;
      this.#age[at] += seconds;
      const left = 1 - this.#age[at] / this.#life[at];
      if (left <= 0) continue;
      const slower = Math.exp(-this.#drag[at] * seconds);
      this.#vx[at] *= slower;
      this.#vy[at] *= slower;
      this.#x[at] += this.#vx[at] * seconds;
      this.#y[at] += this.#vy[at] * seconds;
      const size = (this.#size[at] * (0.4 + 0.6 * left) * PARTS) | 0;
      const wanted = Math.ceil(left * SHADES) | 0;
      if (wanted !== shade) context.globalAlpha = ALPHAS[(shade = wanted)];
      const x = (this.#x[at] * PARTS) | 0;
      const y = (this.#y[at] * PARTS) | 0;
      context.drawImage(this.#sprite[at], x - size, y - size, 2 * size, 2 * size);
    }
    context.restore();
  }
}
