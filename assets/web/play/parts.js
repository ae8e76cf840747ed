// Numbers that a frame can draw with and leave nothing behind.
//
// A fraction that is handed to the canvas becomes an object, and garbage; a whole number does not. So what is
// drawn is in whole parts of a tile, directions are whole parts of a turn, and the fractions that the canvas
// does want come from lists that are made once.

/** Parts of a tile. */
export const PARTS = 1024;
/** Tiles as parts. */
export const inParts = (tiles) => Math.round(tiles * PARTS);

/** A way of so many parts along an axis of a direction of length PARTS. */
export const along = (axis, way) => (axis * way) >> 10;

/** Directions that are told apart. A power of two: a direction and `HEADINGS - 1` is one of them. */
export const HEADINGS = 1024;
/** Steps from invisible to opaque. */
export const SHADES = 256;

export const TURN = Math.PI * 2;

/** The string keeps the list from being one of bare numbers, which become objects whenever they are read. */
const kept = (count, make) => [...Array.from({ length: count }, (_, at) => make(at)), ''];

/** What `globalAlpha` is set to, by shade from 0 to SHADES. */
export const ALPHAS = kept(SHADES + 1, (shade) => shade / SHADES);
/** What a context is rotated by, by heading. */
export const ROTATIONS = kept(HEADINGS, (heading) => (heading / HEADINGS) * TURN);
/** Unit vectors by heading, in parts of a tile. */
export const COSINES = new Int32Array(HEADINGS).map((_, way) => Math.round(Math.cos(ROTATIONS[way]) * PARTS));
export const SINES = new Int32Array(HEADINGS).map((_, way) => Math.round(Math.sin(ROTATIONS[way]) * PARTS));

/** The heading of an angle. */
export const headingOf = (angle) => Math.round((angle / TURN) * HEADINGS) & (HEADINGS - 1);

/** The heading of an angle that is in parts of a radian. */
export const headingOfParts = (angle) => ((angle * 10430 + 32768) >> 16) & (HEADINGS - 1);

/**
 * A wave from -`height` to `height`. `speed` is radians per second times 167, and a multiple of 8: then it is
 * seamless where the time wraps.
 */
export const wave = (milliseconds, speed, height, phase) =>
  (SINES[((((milliseconds & 0x1ffff) * speed) >> 10) + phase) & (HEADINGS - 1)] * height) >> 10;

/** Chance, from a list that goes round: `Math.random` makes an object each time. */
const ROLLS = Int32Array.from({ length: 4096 }, () => Math.floor(Math.random() * PARTS));
let rolled = 0;

/** A number from 0 to PARTS - 1. */
export function roll() {
  rolled = (rolled + 1) & 4095;
  return ROLLS[rolled];
}
