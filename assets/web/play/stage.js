// The canvas: its size, the camera, and what is drawn in which order.

import { drawFloor, drawRock, drawTops, ROCK_TILES } from './layers.js';
import { Particles } from './particles.js';

/** Tiles that are shown at most, along the longer and the shorter side: all of that is replicated. */
const LONG = 32;
const SHORT = 18;
/** How much nearer the tops of walls are than their feet. */
const LEAN = 1.05;
/** Tiles of rock around the level: more than is ever shown. */
const BEYOND = 32;
/** Parts of a tile: whole numbers go to the canvas as they are, others as an object each. */
const PARTS = 256;
/** How far the camera leaves the own player. */
const INWARD = 3;
const SIDES = [
  ['south', '#22323c'],
  ['north', '#16212a'],
  ['west', '#1b2932'],
  ['east', '#182530'],
];

export class Stage {
  particles = new Particles();
  /** Pixels of the display per CSS pixel, and per tile. */
  density = 1;
  perTile = 40;
  x = 0;
  y = 0;
  shake = 0;
  /** How red the edges are, from 0 to 1. */
  pain = 0;

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
    [this.x, this.y] = [level.width / 2, level.height / 2];
  }

  /** Looks at a point; near the edge of the level a little to the inside, as far as others are told there. */
  lookAt(x, y) {
    if (!this.#level) return;
    this.x = this.#inward(x, this.#canvas.width / 2 / this.perTile, this.#level.width);
    this.y = this.#inward(y, this.#canvas.height / 2 / this.perTile, this.#level.height);
  }

  #inward(at, half, size) {
    const outside = Math.max(0, half - at - 1) - Math.max(0, at + half - size - 1);
    return at + Math.min(INWARD, Math.max(-INWARD, outside));
  }

  /** A point of the page in tiles. */
  toWorld(pageX, pageY) {
    const scale = this.density / this.perTile;
    return [
      (pageX * this.density - this.#canvas.width / 2) / this.perTile + this.x,
      pageY * scale - this.#canvas.height / 2 / this.perTile + this.y,
    ];
  }

  /** Begins a frame: everything up to what moves. From here on a tile is a unit. */
  begin(seconds) {
    const context = this.#context;
    const { width, height } = this.#canvas;
    this.#layers();
    this.shake = Math.max(0, this.shake - seconds * 2.5);
    this.pain = Math.max(0, this.pain - seconds * 1.6);
    const strength = this.shake * this.shake * 0.35;
    this.#offsetX = this.x + (Math.random() - 0.5) * strength;
    this.#offsetY = this.y + (Math.random() - 0.5) * strength;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalCompositeOperation = 'source-over';
    context.fillStyle = '#0e161c';
    context.fillRect(0, 0, width, height);
    this.#look(1);
    if (this.#floor) context.drawImage(this.#floor, 0, 0, this.#level.width, this.#level.height);
  }

  /** What lies above all that moves: walls, and the dark at the edges. */
  walls() {
    const context = this.#context;
    if (!this.#tops) return;
    this.#look(1);
    for (const [side, colour] of SIDES) this.#faces(side, colour);
    this.#look(LEAN);
    this.#rock();
    context.drawImage(this.#tops, 0, 0, this.#level.width, this.#level.height);
    this.#look(1);
  }

  end() {
    const context = this.#context;
    const { width, height } = this.#canvas;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.#vignette;
    context.fillRect(0, 0, width, height);
    if (this.pain > 0) {
      context.globalAlpha = this.pain;
      context.drawImage(this.#painted(), 0, 0, width, height);
      context.globalAlpha = 1;
    }
  }

  #look(lean) {
    const scale = this.perTile * lean;
    const { width, height } = this.#canvas;
    this.#context.setTransform(
      scale,
      0,
      0,
      scale,
      width / 2 - this.#offsetX * scale,
      height / 2 - this.#offsetY * scale,
    );
  }

  /** The sides of walls that the camera sees, from their feet to their tops. */
  #faces(side, colour) {
    const context = this.#context;
    const runs = this.#level.edges[side];
    const cx = this.#offsetX;
    const cy = this.#offsetY;
    const reachX = this.#canvas.width / 2 / this.perTile + 1;
    const reachY = this.#canvas.height / 2 / this.perTile + 1;
    context.save();
    context.scale(1 / PARTS, 1 / PARTS);
    context.fillStyle = colour;
    context.beginPath();
    for (let at = 0; at < runs.length; at += 4) {
      const x0 = runs[at];
      const y0 = runs[at + 1];
      const x1 = runs[at + 2];
      const y1 = runs[at + 3];
      const faces =
        side === 'south' ? y0 < cy : side === 'north' ? y0 > cy : side === 'east' ? x0 < cx : x0 > cx;
      if (!faces || x1 < cx - reachX || x0 > cx + reachX || y1 < cy - reachY || y0 > cy + reachY) continue;
      context.moveTo((x0 * PARTS) | 0, (y0 * PARTS) | 0);
      context.lineTo((x1 * PARTS) | 0, (y1 * PARTS) | 0);
      context.lineTo(((cx + (x1 - cx) * LEAN) * PARTS) | 0, ((cy + (y1 - cy) * LEAN) * PARTS) | 0);
      context.lineTo(((cx + (x0 - cx) * LEAN) * PARTS) | 0, ((cy + (y0 - cy) * LEAN) * PARTS) | 0);
      context.closePath();
    }
    context.fill();
    context.restore();
  }

  /** The rock that the level is cut into: beyond its edge there is no more to see. */
  #rock() {
    const context = this.#context;
    const { width, height } = this.#level;
    if (!this.#beyond) {
      this.#beyond = context.createPattern(drawRock(), 'repeat');
      this.#beyond.setTransform(new DOMMatrix().scale(ROCK_TILES / 256));
    }
    context.fillStyle = this.#beyond;
    context.beginPath();
    context.rect(-BEYOND, -BEYOND, width + 2 * BEYOND, height + 2 * BEYOND);
    context.rect(0, 0, width, height);
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
    const dark = this.#context.createRadialGradient(
      width / 2,
      height / 2,
      Math.min(width, height) * 0.35,
      width / 2,
      height / 2,
      Math.hypot(width, height) * 0.56,
    );
    dark.addColorStop(0, 'rgb(3 6 9 / 0%)');
    dark.addColorStop(1, 'rgb(3 6 9 / 58%)');
    this.#vignette = dark;
  }
}
