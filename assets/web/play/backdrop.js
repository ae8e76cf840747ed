// What is behind the door: a part of an arena in which lights walk about. Nobody plays there.

import { readLevel } from './level.js';
import { PARTS } from './parts.js';
import { body, BODY_REACH, colourOf, glow } from './sprites.js';

const HALL = `name: Backdrop

################################################
#..............................................#
#...####..........#####.........####...........#
#...#.............#...............#......~~....#
#...#....~~.......#......##.......#......~~....#
#........~~..............##....................#
#...............####................######.....#
#..##.................~~~~.................#...#
#...#....#............~~~~....###..........#...#
#...#....#####..................#....##........#
#..............................#.....##...###..#
#......##............##.....................#..#
#......##...###......#..........####........#..#
#.............#......#.............#...........#
#...~~....................##...................#
#...~~.......####.........##.........~~~..###..#
#...............#....................~~~.......#
#..............................................#
################################################
`;
const WALKERS = 9;
const TURN = Math.PI * 2;

export class Backdrop {
  #stage;
  #isShown = false;
  #level = readLevel(new TextEncoder().encode(HALL));

  constructor(stage) {
    this.#stage = stage;
  }

  show() {
    if (this.#isShown) return;
    this.#isShown = true;
    this.#stage.setLevel(this.#level);
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const frame = (now) => {
      if (!this.#isShown) return;
      this.#draw(now / 1000);
      if (!isStill) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  hide() {
    this.#isShown = false;
  }

  #draw(seconds) {
    const stage = this.#stage;
    const { context } = stage;
    const { width, height } = this.#level;
    stage.lookAt(
      (PARTS * width * (0.5 + 0.16 * Math.sin(seconds * 0.05))) | 0,
      (PARTS * height * (0.5 + 0.1 * Math.cos(seconds * 0.037))) | 0,
    );
    stage.begin(16);
    for (let walker = 0; walker < WALKERS; walker += 1) {
      const phase = seconds * (0.11 + 0.013 * walker) + walker * 2.4;
      const x = PARTS * width * (0.5 + 0.42 * Math.sin(phase + walker));
      const y = PARTS * height * (0.5 + 0.4 * Math.sin(phase * 1.31));
      const colour = colourOf(walker, 0, walker === 0);
      context.globalCompositeOperation = 'lighter';
      context.globalAlpha = 0.4;
      context.drawImage(glow(colour), x - 3 * PARTS, y - 3 * PARTS, 6 * PARTS, 6 * PARTS);
      context.globalCompositeOperation = 'source-over';
      context.globalAlpha = 1;
      const way = Math.atan2(0.52 * Math.cos(phase * 1.31) * height, 0.42 * Math.cos(phase + walker) * width);
      context.translate(x, y);
      context.rotate(way % TURN);
      context.drawImage(
        body(colour, walker % 2),
        -BODY_REACH * PARTS,
        -BODY_REACH * PARTS,
        2 * BODY_REACH * PARTS,
        2 * BODY_REACH * PARTS,
      );
      context.rotate(-way % TURN);
      context.translate(-x, -y);
    }
    stage.walls();
    stage.end();
  }
}
