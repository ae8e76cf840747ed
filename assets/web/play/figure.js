// A player as it is drawn: from above, with all that is to be known of it.

import {
  ALPHAS,
  along,
  COSINES,
  HEADINGS,
  inParts,
  PARTS,
  ROTATIONS,
  SHADES,
  SINES,
  TURN,
  wave,
} from './parts.js';
import { body, BODY_REACH, glow } from './sprites.js';

/** Health is told in tenths. */
export const FULL = 10;
/** How long a hit flashes. */
export const FLASH_MS = 200;
export const RAIL_RANGE = 30 * PARTS;

const BODY_SIDE = 2 * BODY_REACH * PARTS;
const QUARTER = HEADINGS / 4;
const SHADOW_X = inParts(0.12);
const SHADOW_Y = inParts(0.18);
const SHADOW_WIDE = inParts(0.46);
const SHADOW_HIGH = inParts(0.4);
const ARMOUR_RING = inParts(0.52);
const SHIELD_RING = inParts(0.66);
const SHIELD_PULSE = inParts(0.04);
const HEALTH_RING = inParts(0.6);
const FLASH_REACH = inParts(0.44);
const THIN = inParts(0.05);
const BAR = inParts(0.08);
const BAR_SHADE = inParts(0.1);
const MUZZLE = inParts(0.8);

/** What is remembered of a player between frames. */
export class Known {
  player = -1;
  x = 0;
  y = 0;
  team = 0;
  health = FULL;
  /** How long it still flashes, in milliseconds. */
  flash = 0;
  /** The frame that it was seen in. */
  frame = 0;
  /** The picture of its name, what it shows, and its size. */
  label = null;
  name = '';
  colour = '';
  sized = -1;
  labelWide = 0;
  labelHigh = 0;
}

/** A light of so many of SHADES. */
export function light(context, colour, x, y, reach, shade) {
  context.globalAlpha = ALPHAS[shade];
  context.drawImage(glow(colour), x - reach, y - reach, 2 * reach, 2 * reach);
}

/** Draws players. */
export class Figures {
  #stage;

  constructor(stage) {
    this.#stage = stage;
  }

  /** Full health is not shown. `aim` is a heading, `charge` is of PARTS. */
  draw(colour, known, aim, weapon, health, isCloaked, isProtected, isArmoured, charge, clock) {
    const { context } = this.#stage;
    const { x, y, flash } = known;
    context.globalAlpha = ALPHAS[isCloaked ? 31 : 128];
    context.fillStyle = '#000000';
    context.beginPath();
    context.ellipse(x + SHADOW_X, y + SHADOW_Y, SHADOW_WIDE, SHADOW_HIGH, 0, 0, TURN);
    context.fill();
    if (charge > 0) this.#charging(colour, x, y, aim, charge);
    context.globalAlpha = ALPHAS[isCloaked ? 72 : SHADES];
    context.translate(x, y);
    context.rotate(ROTATIONS[aim]);
    context.drawImage(body(colour, weapon), -BODY_SIDE / 2, -BODY_SIDE / 2, BODY_SIDE, BODY_SIDE);
    context.rotate(ROTATIONS[(HEADINGS - aim) & (HEADINGS - 1)]);
    if (isArmoured) this.#ring('#a9d6ff', ARMOUR_RING, THIN, 230, 0);
    if (isProtected) {
      const pulse = wave(clock, 1504, SHIELD_PULSE, 0);
      this.#ring('#ffffff', SHIELD_RING + pulse, THIN, 192, 0);
    }
    if (health < FULL) {
      this.#ring('#000000', HEALTH_RING, BAR_SHADE, 128, 0);
      if (health > 0) {
        const left = health > 5 ? '#8fe36b' : health > 2 ? '#ffc857' : '#ff5b5b';
        context.rotate(ROTATIONS[HEADINGS - QUARTER]);
        this.#ring(left, HEALTH_RING, BAR, SHADES, ((health * HEADINGS) / FULL) | 0);
        context.rotate(ROTATIONS[QUARTER]);
      }
    }
    if (flash > 0) {
      context.globalAlpha = ALPHAS[((flash * SHADES) / FLASH_MS) | 0];
      context.fillStyle = '#ffffff';
      context.beginPath();
      context.arc(0, 0, FLASH_REACH, 0, TURN);
      context.fill();
    }
    context.translate(-x, -y);
    context.globalAlpha = 1;
  }

  /** The line of the rail gun, for whoever stands in it. */
  #charging(colour, x, y, aim, charge) {
    const { context, level } = this.#stage;
    const dx = COSINES[aim];
    const dy = SINES[aim];
    const reach = level ? level.freeDistance(x, y, dx, dy, RAIL_RANGE) : PARTS;
    context.strokeStyle = colour;
    context.globalAlpha = ALPHAS[31 + along(102, charge)];
    context.lineWidth = THIN;
    context.beginPath();
    context.moveTo(x + along(dx, MUZZLE), y + along(dy, MUZZLE));
    context.lineTo(x + along(dx, reach), y + along(dy, reach));
    context.stroke();
    context.globalCompositeOperation = 'lighter';
    const end = MUZZLE + THIN;
    light(context, colour, x + along(dx, end), y + along(dy, end), 307 + along(819, charge), charge >> 2);
    context.globalCompositeOperation = 'source-over';
  }

  /** A ring up to a heading; a whole one for heading 0. */
  #ring(colour, radius, width, shade, until) {
    const { context } = this.#stage;
    context.globalAlpha = ALPHAS[shade];
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    if (until === 0) context.arc(0, 0, radius, 0, TURN);
    else context.arc(0, 0, radius, 0, ROTATIONS[until]);
    context.stroke();
  }
}
