// A level as the page draws it: the text read again, and its edges.

import { PARTS } from './parts.js';

export const FLOOR = 0;
export const WALL = 1;
export const PIT = 2;

const GLYPHS = { '#': WALL, '~': PIT };

/** Reads the text of a level. The server has checked it; what is unknown is floor. */
export function readLevel(bytes) {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  const head = lines.findIndex((line) => line.trim() === '');
  const name =
    lines
      .slice(0, head)
      .find((line) => line.startsWith('name:'))
      ?.slice(5)
      .trim() ?? '';
  const picture = lines
    .slice(head)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  const height = picture.length;
  const width = Math.max(0, ...picture.map((line) => line.length));
  const tiles = new Uint8Array(width * height);
  picture.forEach((line, y) => {
    for (let x = 0; x < line.length; x += 1) tiles[y * width + x] = GLYPHS[line[x]] ?? FLOOR;
  });
  return new Level(name, width, height, tiles);
}

export class Level {
  constructor(name, width, height, tiles) {
    Object.assign(this, { name, width, height, tiles });
    /** Edges of walls that face the floor, in runs: `[x0, y0, x1, y1]` by the side they face. */
    this.edges = {
      north: this.#runs(WALL, 0, -1),
      south: this.#runs(WALL, 0, 1),
      west: this.#runs(WALL, -1, 0),
      east: this.#runs(WALL, 1, 0),
    };
    this.rims = {
      north: this.#runs(PIT, 0, -1),
      south: this.#runs(PIT, 0, 1),
      west: this.#runs(PIT, -1, 0),
      east: this.#runs(PIT, 1, 0),
    };
  }

  tile(x, y) {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return WALL;
    return this.tiles[y * this.width + x];
  }

  /** How far one gets from a point, along a direction of length PARTS, before a wall. All in parts. */
  freeDistance(x, y, dx, dy, most) {
    let column = (x / PARTS) | 0;
    let line = (y / PARTS) | 0;
    const stepX = dx > 0 ? 1 : -1;
    const stepY = dy > 0 ? 1 : -1;
    // Per column and line, and to the first of each.
    const eachX = dx === 0 ? Infinity : PARTS * Math.abs(PARTS / dx);
    const eachY = dy === 0 ? Infinity : PARTS * Math.abs(PARTS / dy);
    let nextX = dx === 0 ? Infinity : (dx > 0 ? column + 1 - x / PARTS : x / PARTS - column) * eachX;
    let nextY = dy === 0 ? Infinity : (dy > 0 ? line + 1 - y / PARTS : y / PARTS - line) * eachY;
    for (let reached = 0; reached < most; ) {
      if (nextX < nextY) {
        reached = nextX;
        nextX += eachX;
        column += stepX;
      } else {
        reached = nextY;
        nextY += eachY;
        line += stepY;
      }
      if (this.tile(column, line) === WALL) return reached < most ? reached | 0 : most;
    }
    return most;
  }

  /** Where tiles of one sort meet others on one side, as flat runs of `x0, y0, x1, y1`. */
  #runs(sort, dx, dy) {
    const runs = [];
    const [outer, inner] = dy !== 0 ? [this.height, this.width] : [this.width, this.height];
    for (let a = 0; a < outer; a += 1) {
      let begin = -1;
      for (let b = 0; b <= inner; b += 1) {
        const [x, y] = dy !== 0 ? [b, a] : [a, b];
        const is = b < inner && this.tile(x, y) === sort && this.tile(x + dx, y + dy) !== sort;
        if (is && begin < 0) begin = b;
        if (is || begin < 0) continue;
        const at = a + (dx + dy > 0 ? 1 : 0);
        if (dy !== 0) runs.push(begin, at, b, at);
        else runs.push(at, begin, at, b);
        begin = -1;
      }
    }
    // Whole numbers, which the walls are drawn with in each frame.
    return Int32Array.from(runs);
  }
}
