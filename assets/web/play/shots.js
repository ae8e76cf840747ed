// Shots as they are drawn: bolts on their way, and the beams that rail guns leave.

import { ALPHAS, along, HEADINGS, headingOf, inParts, PARTS, roll, ROTATIONS, TURN } from './parts.js';
import { bolt as boltPicture, BOLT_HEAD, BOLT_HIGH, BOLT_LONG, colourOf, OWN, spark } from './sprites.js';

const BOLT_RANGE = 24 * PARTS;
const BEAM_MS = 450;
const BEAM_SPARKS = 12;
const MOST_BOLTS = 32;
const HALF_TURN = HEADINGS / 2;
/** The picture of a bolt: its size, and where its head is in it. */
const LONG = inParts(BOLT_LONG);
const HIGH = inParts(BOLT_HIGH);
const AHEAD = inParts(BOLT_HEAD) - LONG;

export class Shots {
  #stage;
  #client;
  #bolts = [];
  #beams = [];

  constructor(stage, client) {
    this.#stage = stage;
    this.#client = client;
  }

  clear() {
    this.#bolts.length = 0;
    this.#beams.length = 0;
  }

  /** The own player shoots a bolt: it flies at once. */
  shoot(number, from, velocity) {
    const x = inParts(from[0]);
    const y = inParts(from[1]);
    const speed = Math.hypot(velocity[0], velocity[1]);
    const dx = inParts(velocity[0] / speed);
    const dy = inParts(velocity[1] / speed);
    const heading = headingOf(Math.atan2(dy, dx));
    if (this.#bolts.length >= MOST_BOLTS) this.#bolts.shift();
    const reach = this.free(x, y, dx, dy, BOLT_RANGE);
    this.#bolts.push({ number, x, y, dx, dy, heading, reach, speed: inParts(speed), age: 0 });
    this.#stage.particles.burst(
      spark(OWN),
      x + along(dx, inParts(0.6)),
      y + along(dy, inParts(0.6)),
      4,
      5,
      0.16,
      0.12,
      heading,
      163,
    );
  }

  /** An own bolt has hit. */
  landed(number) {
    const flying = this.#bolts.findIndex((bolt) => bolt.number === number);
    if (flying >= 0) this.#bolts.splice(flying, 1);
  }

  /** How far something flies before a wall. */
  free(x, y, dx, dy, most) {
    const { level } = this.#stage;
    return level ? level.freeDistance(x, y, dx, dy, most) : most;
  }

  /** A shot of the rail gun. */
  beam(x0, y0, x1, y1, heading, colour, by) {
    const { particles } = this.#stage;
    particles.burst(spark(colour), x1, y1, 14, 7, 0.4, 0.16, heading + HALF_TURN, 359);
    for (let at = 0; at < BEAM_SPARKS; at += 1) {
      const far = roll();
      const x = x0 + along(x1 - x0, far);
      const y = y0 + along(y1 - y0, far);
      particles.add(spark(colour), x, y, (roll() - 512) << 1, (roll() - 512) << 1, 0.45, 0.1);
    }
    this.#beams.push({ x0, y0, x1, y1, colour, by, age: 0 });
  }

  /** The newest beam of a player, if it is still to be seen. */
  beamOf(player) {
    return this.#beams.findLast((beam) => beam.by === player);
  }

  /** Own bolts, as they were shot, and those of others, as they are told. */
  drawBolts(rows, milliseconds) {
    this.#ownBolts(milliseconds);
    this.#othersBolts(rows);
  }

  #bolt(colour, x, y, heading) {
    const { context } = this.#stage;
    context.translate(x, y);
    context.rotate(ROTATIONS[heading]);
    context.drawImage(boltPicture(colour), AHEAD, -HIGH / 2, LONG, HIGH);
    context.rotate(ROTATIONS[(HEADINGS - heading) & (HEADINGS - 1)]);
    context.translate(-x, -y);
  }

  #ownBolts(milliseconds) {
    const bolts = this.#bolts;
    for (let at = bolts.length - 1; at >= 0; at -= 1) {
      const bolt = bolts[at];
      bolt.age += milliseconds;
      const { x, y, dx, dy, reach, heading } = bolt;
      const flown = ((bolt.age * bolt.speed) / 1000) | 0;
      if (flown < reach) {
        this.#bolt(OWN, x + along(dx, flown), y + along(dy, flown), heading);
        continue;
      }
      this.#stage.particles.burst(
        spark(OWN),
        x + along(dx, reach),
        y + along(dy, reach),
        7,
        4,
        0.3,
        0.13,
        heading + HALF_TURN,
        391,
      );
      bolts.splice(at, 1);
    }
  }

  #othersBolts({ whole, parts, end, stride }) {
    const { bolt } = this.#client.kinds;
    for (let row = 0; row < end; row += stride) {
      if (whole[row + 1] !== bolt.id) continue;
      const way = Math.atan2(parts[row + bolt.velocity + 1], parts[row + bolt.velocity]);
      this.#bolt(
        colourOf(whole[row + bolt.owner], whole[row + bolt.colour], false),
        parts[row + bolt.position],
        parts[row + bolt.position + 1],
        ((way * HEADINGS) / TURN) & (HEADINGS - 1),
      );
    }
  }

  drawBeams(milliseconds) {
    const beams = this.#beams;
    if (beams.length === 0) return;
    for (let at = beams.length - 1; at >= 0; at -= 1) {
      const beam = beams[at];
      beam.age += milliseconds;
      if (beam.age >= BEAM_MS) {
        beams.splice(at, 1);
        continue;
      }
      const left = (PARTS - (beam.age * PARTS) / BEAM_MS) | 0;
      const shade = (left * left) >> 12;
      const wide = 307 + ((717 * left) >> 10);
      this.#ray(beam, beam.colour, shade >> 2, along(wide, 717));
      this.#ray(beam, beam.colour, (shade * 205) >> 8, along(wide, 287));
      this.#ray(beam, '#ffffff', shade, along(wide, 102));
    }
    this.#stage.context.globalAlpha = 1;
  }

  #ray(beam, colour, shade, wide) {
    const { context } = this.#stage;
    context.globalAlpha = ALPHAS[shade];
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.beginPath();
    context.moveTo(beam.x0, beam.y0);
    context.lineTo(beam.x1, beam.y1);
    context.stroke();
  }
}
