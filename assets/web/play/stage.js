// The canvas: its size, the camera, and what is drawn in which order.

import { drawFloor, drawRock, drawTops, ROCK_TILES } from './layers.js';
import { Particles } from './particles.js';
import { ALPHAS, PARTS, roll } from './parts.js';

/** Tiles that are shown at most, along the longer and the shorter side: all of that is replicated. */
const LONG = 32;
const SHORT = 18;
/** How much nearer the tops of walls are than their feet, in parts. */
const LEAN = 1075;
/** Tiles of rock around the level: more than is ever shown. */
const BEYOND = 32;
/** How far the camera leaves the own player. */
const INWARD = 3 * PARTS;
/** How far the strongest shake goes. */
const SHAKE = (0.35 * PARTS) | 0;
export class Stage {
  particles = new Particles();
  /** Pixels of the display per CSS pixel, and per tile. */
  density = 1;
  perTile = 40;
  /** Where it looks, in parts of a tile. */
  x = 0;
  y = 0;
  /** How much it shakes, and how red the edges are, from 0 to PARTS. */
  shake = 0;
  pain = 0;
  /** Another number whenever sizes are others: pictures for sizes are made anew then. */
  sized = 0;

  #canvas;
  #context;
  #level = null;
  #floor = null;
  #tops = null;
  #madeFor = 0;
  #vignette = null;
  #beyond = null;
  #offsetX = 0;
  #offsetY = 0;
  /** Half of what is shown, in parts. */
  #halfX = 0;
  #halfY = 0;
  /** Pixels: per part, per part of the tops, to the middle. The string is there as in `parts.js`. */
  #scales = [1, 1, 0, 0, ''];

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: false });
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  get context() {
    return this.#context;
  }

  get level() {
    return this.#level;
  }

  setLevel(level) {
    this.#level = level;
    this.#madeFor = 0;
    [this.x, this.y] = [(level.width / 2) * PARTS, (level.height / 2) * PARTS];
  }

  /** Looks at a point; near the edge of the level a little to the inside, as far as others are told there. */
  lookAt(x, y) {
    if (!this.#level) return;
    this.x = inward(x, this.#halfX, this.#level.width * PARTS);
    this.y = inward(y, this.#halfY, this.#level.height * PARTS);
  }

  /** Begins a frame: everything up to what moves. From here on a part of a tile is a unit. */
  begin(milliseconds) {
    const context = this.#context;
    this.#layers();
    this.shake = Math.max(0, this.shake - ((milliseconds * 5) >> 1));
    this.pain = Math.max(0, this.pain - ((milliseconds * 13) >> 3));
    const strength = (((this.shake * this.shake) >> 10) * SHAKE) >> 10;
    this.#offsetX = this.x + (((roll() - 512) * strength) >> 10);
    this.#offsetY = this.y + (((roll() - 512) * strength) >> 10);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = 'source-over';
    context.fillStyle = '#0e161c';
    context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#look(0);
    if (this.#floor) this.#layer(this.#floor);
  }

  #layer(picture) {
    const { width, height } = this.#level;
    this.#context.drawImage(picture, 0, 0, width * PARTS, height * PARTS);
  }

  /** What lies above all that moves: walls, and the dark at the edges. */
  walls() {
    if (!this.#tops) return;
    const { edges } = this.#level;
    this.#look(0);
    this.#faces(edges.south, 0, '#2c404d');
    this.#faces(edges.north, 1, '#18242d');
    this.#faces(edges.west, 2, '#213240');
    this.#faces(edges.east, 3, '#1d2c38');
    this.#look(1);
    this.#rock();
    this.#layer(this.#tops);
    this.#look(0);
  }

  end() {
    const context = this.#context;
    const { width, height } = this.#canvas;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.#vignette;
    context.fillRect(0, 0, width, height);
    if (this.pain > 0) {
      context.globalAlpha = ALPHAS[this.pain >> 2];
      context.drawImage(this.#painted(), 0, 0, width, height);
      context.globalAlpha = 1;
    }
  }

  /** Parts from here on; `which` is 0 for the floor, and 1 for the tops of walls. */
  #look(which) {
    const scales = this.#scales;
    this.#context.setTransform(scales[which], 0, 0, scales[which], scales[2], scales[3]);
    this.#context.translate(-this.#offsetX, -this.#offsetY);
  }

  /**
   * The sides of walls that the camera sees, from their feet to their tops. They face `way`: south, north,
   * west, east.
   */
  #faces(runs, way, colour) {
    const context = this.#context;
    const cx = this.#offsetX;
    const cy = this.#offsetY;
    const reachX = this.#halfX + PARTS;
    const reachY = this.#halfY + PARTS;
    context.fillStyle = colour;
    context.beginPath();
    for (let at = 0; at < runs.length; at += 4) {
      const x0 = runs[at] * PARTS;
      const y0 = runs[at + 1] * PARTS;
      const x1 = runs[at + 2] * PARTS;
      const y1 = runs[at + 3] * PARTS;
      const faces = way === 0 ? y0 < cy : way === 1 ? y0 > cy : way === 2 ? x0 > cx : x0 < cx;
      if (!faces || x1 < cx - reachX || x0 > cx + reachX || y1 < cy - reachY || y0 > cy + reachY) continue;
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      context.lineTo(cx + (((x1 - cx) * LEAN) >> 10), cy + (((y1 - cy) * LEAN) >> 10));
      context.lineTo(cx + (((x0 - cx) * LEAN) >> 10), cy + (((y0 - cy) * LEAN) >> 10));
      context.closePath();
    }
    context.fill();
  }

  /** The rock that the level is cut into: beyond its edge there is no more to see. */
  #rock() {
    const context = this.#context;
    const { width, height } = this.#level;
    if (!this.#beyond) {
      this.#beyond = context.createPattern(drawRock(), 'repeat');
      this.#beyond.setTransform(new DOMMatrix().scale((ROCK_TILES * PARTS) / 256));
    }
    context.fillStyle = this.#beyond;
    context.beginPath();
    context.rect(
      -BEYOND * PARTS,
      -BEYOND * PARTS,
      (width + 2 * BEYOND) * PARTS,
      (height + 2 * BEYOND) * PARTS,
    );
    context.rect(0, 0, width * PARTS, height * PARTS);
    context.fill('evenodd');
  }

  #layers() {
    if (!this.#level || this.#madeFor === this.perTile) return;
    this.#madeFor = this.perTile;
    this.#floor = drawFloor(this.#level, this.perTile);
    this.#tops = drawTops(this.#level, this.perTile);
  }

  #painting = null;
  #painted() {
    if (this.#painting) return this.#painting;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [256, 256];
    const context = canvas.getContext('2d');
    const red = context.createRadialGradient(128, 128, 70, 128, 128, 180);
    red.addColorStop(0, 'rgb(255 60 60 / 0%)');
    red.addColorStop(0.55, 'rgb(255 60 60 / 6%)');
    red.addColorStop(1, 'rgb(255 50 60 / 46%)');
    context.fillStyle = red;
    context.fillRect(0, 0, 256, 256);
    this.#painting = canvas;
    return canvas;
  }

  #resize() {
    const canvas = this.#canvas;
    this.density = Math.min(globalThis.devicePixelRatio || 1, 2.5);
    const [wide, high] = [canvas.clientWidth || innerWidth, canvas.clientHeight || innerHeight];
    const width = Math.max(1, Math.round(wide * this.density));
    const height = Math.max(1, Math.round(high * this.density));
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const [across, down] = width >= height ? [LONG, SHORT] : [SHORT, LONG];
    this.perTile = Math.max(width / across, height / down);
    this.sized += 1;
    this.#halfX = ((width / 2 / this.perTile) * PARTS) | 0;
    this.#halfY = ((height / 2 / this.perTile) * PARTS) | 0;
    const scale = this.perTile / PARTS;
    this.#scales = [scale, (scale * LEAN) / PARTS, width / 2, height / 2, ''];
    const dark = this.#context.createRadialGradient(
      width / 2,
      height / 2,
      Math.min(width, height) * 0.35,
      width / 2,
      height / 2,
      Math.hypot(width, height) * 0.56,
    );
    dark.addColorStop(0, 'rgb(3 6 9 / 0%)');
    dark.addColorStop(1, 'rgb(3 6 9 / 46%)');
    this.#vignette = dark;
  }
}

/** Where the camera is for a player who is there. */
function inward(at, half, size) {
  const outside = Math.max(0, half - at - PARTS) - Math.max(0, at + half - size - PARTS);
  return at + Math.min(INWARD, Math.max(-INWARD, outside));
}
