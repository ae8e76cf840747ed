// What does not move, drawn once per level and scale: the floor, and the tops of the walls.

import { PIT, WALL } from './level.js';

/** Pixels of a layer; a larger level is drawn a little less sharp. */
const MOST_PIXELS = 14e6;
const MOST_SIDE = 8192;

/** A number from 0 to 1 that belongs to a tile. */
function noise(x, y) {
  let bits = Math.imul(x + 101, 374761393) ^ Math.imul(y + 59, 668265263);
  bits = Math.imul(bits ^ (bits >>> 13), 1274126177);
  return ((bits ^ (bits >>> 16)) >>> 0) / 4294967296;
}

function layer(level, perTile) {
  const most = Math.min(
    MOST_SIDE / Math.max(level.width, level.height),
    Math.sqrt(MOST_PIXELS / (level.width * level.height)),
  );
  const scale = Math.max(8, Math.floor(Math.min(perTile, most)));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [level.width * scale, level.height * scale];
  const context = canvas.getContext('2d');
  context.scale(scale, scale);
  return [canvas, context];
}

function each(level, sort, act) {
  for (let y = 0; y < level.height; y += 1) {
    for (let x = 0; x < level.width; x += 1) if (level.tile(x, y) === sort) act(x, y);
  }
}

/** A strip of shade or light along edges, to the side that they face. */
function strips(context, runs, dx, dy, depth, colour) {
  for (let at = 0; at < runs.length; at += 4) {
    const [x0, y0, x1, y1] = runs.subarray(at, at + 4);
    const shade = context.createLinearGradient(x0, y0, x0 + dx * depth, y0 + dy * depth);
    shade.addColorStop(0, colour);
    shade.addColorStop(1, 'rgb(0 0 0 / 0%)');
    context.fillStyle = shade;
    context.fillRect(
      Math.min(x0, x0 + dx * depth),
      Math.min(y0, y0 + dy * depth),
      x1 - x0 + Math.abs(dx) * depth,
      y1 - y0 + Math.abs(dy) * depth,
    );
  }
}

function lines(context, sides, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  for (const runs of Object.values(sides)) {
    for (let at = 0; at < runs.length; at += 4) {
      context.moveTo(runs[at], runs[at + 1]);
      context.lineTo(runs[at + 2], runs[at + 3]);
    }
  }
  context.stroke();
}

export function drawFloor(level, perTile) {
  const [canvas, context] = layer(level, perTile);
  const ground = context.createRadialGradient(
    level.width / 2,
    level.height / 2,
    0,
    level.width / 2,
    level.height / 2,
    Math.hypot(level.width, level.height) / 2,
  );
  ground.addColorStop(0, '#283945');
  ground.addColorStop(1, '#1d2a34');
  context.fillStyle = ground;
  context.fillRect(0, 0, level.width, level.height);
  for (let y = 0; y < level.height; y += 1) {
    for (let x = 0; x < level.width; x += 1) {
      const shade = noise(x, y);
      context.fillStyle =
        shade > 0.5 ? `rgb(150 200 220 / ${(shade - 0.5) * 7}%)` : `rgb(0 0 0 / ${(0.5 - shade) * 18}%)`;
      context.fillRect(x + 0.02, y + 0.02, 0.96, 0.96);
      if (noise(x + 500, y) > 0.965) {
        context.strokeStyle = 'rgb(140 190 205 / 10%)';
        context.lineWidth = 0.04;
        context.strokeRect(x + 0.22, y + 0.22, 0.56, 0.56);
      }
    }
  }
  context.lineWidth = 0.035;
  context.strokeStyle = 'rgb(4 8 11 / 45%)';
  context.beginPath();
  for (let x = 0; x <= level.width; x += 2) (context.moveTo(x, 0), context.lineTo(x, level.height));
  for (let y = 0; y <= level.height; y += 2) (context.moveTo(0, y), context.lineTo(level.width, y));
  context.stroke();
  context.fillStyle = 'rgb(140 210 220 / 26%)';
  for (let y = 4; y < level.height; y += 4) {
    for (let x = 4; x < level.width; x += 4) {
      context.fillRect(x - 0.16, y - 0.02, 0.32, 0.04);
      context.fillRect(x - 0.02, y - 0.16, 0.04, 0.32);
    }
  }
  drawPits(context, level);
  // The light comes from the upper left: shadows lie below and to the right of walls.
  const { north, south, west, east } = level.edges;
  strips(context, south, 0, 1, 1.1, 'rgb(0 0 0 / 58%)');
  strips(context, east, 1, 0, 0.9, 'rgb(0 0 0 / 46%)');
  strips(context, north, 0, -1, 0.4, 'rgb(0 0 0 / 30%)');
  strips(context, west, -1, 0, 0.4, 'rgb(0 0 0 / 30%)');
  drawLight(context, level);
  return canvas;
}

/** Colours of the parts of a level, so that one knows where one is: red, green and blue. */
const POOLS = ['64 190 180', '120 110 230', '230 150 70', '210 80 130', '70 140 230'];
const POOL_TILES = 11;

/** The colour of the part of the level that a tile is in. */
function poolOf(x, y) {
  const [column, line] = [Math.floor(x / POOL_TILES), Math.floor(y / POOL_TILES)];
  return POOLS[(column * 2 + line * 3) % POOLS.length];
}

function pool(context, x, y, reach, colour, percent) {
  const light = context.createRadialGradient(x, y, 0, x, y, reach);
  light.addColorStop(0, `rgb(${colour} / ${percent}%)`);
  light.addColorStop(0.45, `rgb(${colour} / ${percent * 0.45}%)`);
  light.addColorStop(1, `rgb(${colour} / 0%)`);
  context.fillStyle = light;
  context.fillRect(x - reach, y - reach, 2 * reach, 2 * reach);
}

/** Whether there is a lamp on a wall: few have one. */
const hasLamp = (x, y) => noise(x + 9, y + 90) < 0.065;

/** Pixels per tile of a picture of light: it is soft, and drawn larger in one go. */
const LIGHT_PIXELS = 6;

/** Soft coloured light over the parts of the floor, and what the lamps on the walls shed beside them. */
function drawLight(context, level) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [level.width * LIGHT_PIXELS, level.height * LIGHT_PIXELS];
  const light = canvas.getContext('2d');
  light.scale(LIGHT_PIXELS, LIGHT_PIXELS);
  light.globalCompositeOperation = 'lighter';
  for (let y = POOL_TILES / 2; y < level.height; y += POOL_TILES) {
    for (let x = POOL_TILES / 2; x < level.width; x += POOL_TILES)
      pool(light, x, y, POOL_TILES * 0.8, poolOf(x, y), 11);
  }
  each(level, WALL, (x, y) => {
    if (hasLamp(x, y)) pool(light, x + 0.5, y + 0.5, 3.2, poolOf(x, y), 22);
  });
  context.globalCompositeOperation = 'lighter';
  context.drawImage(canvas, 0, 0, level.width, level.height);
  context.globalCompositeOperation = 'source-over';
}

function drawPits(context, level) {
  each(level, PIT, (x, y) => {
    context.fillStyle = '#04070a';
    context.fillRect(x, y, 1.01, 1.01);
    // Beams far below.
    context.fillStyle = 'rgb(70 150 170 / 10%)';
    context.fillRect(x + 0.45, y, 0.1, 1.01);
    if (y % 2 === 0) context.fillRect(x, y + 0.45, 1.01, 0.1);
  });
  const { north, south, west, east } = level.rims;
  strips(context, north, 0, 1, 0.9, 'rgb(46 70 84 / 85%)');
  strips(context, west, 1, 0, 0.6, 'rgb(30 48 58 / 80%)');
  strips(context, south, 0, -1, 0.25, 'rgb(0 0 0 / 80%)');
  strips(context, east, -1, 0, 0.25, 'rgb(0 0 0 / 80%)');
  lines(context, level.rims, 'rgb(255 178 84 / 26%)', 0.3);
  lines(context, level.rims, 'rgb(255 190 110 / 85%)', 0.05);
}

/** The side of the picture of rock, in tiles; it has 256 pixels, and repeats. */
export const ROCK_TILES = 8;

export function drawRock() {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [256, 256];
  const context = canvas.getContext('2d');
  context.scale(256 / ROCK_TILES, 256 / ROCK_TILES);
  for (let y = 0; y < ROCK_TILES; y += 1) {
    for (let x = 0; x < ROCK_TILES; x += 1) {
      const shade = 14 + 3 * noise(x + 71, y + 13);
      context.fillStyle = `rgb(${shade} ${shade * 1.4} ${shade * 1.7})`;
      context.fillRect(x, y, 1, 1);
      context.fillStyle = 'rgb(0 0 0 / 16%)';
      if (noise(x + 3, y + 40) > 0.75) context.fillRect(x + 0.16, y + 0.16, 0.68, 0.68);
    }
  }
  return canvas;
}

export function drawTops(level, perTile) {
  const [canvas, context] = layer(level, perTile);
  each(level, WALL, (x, y) => {
    const shade = 49 + 7 * noise(x + 31, y + 7);
    context.fillStyle = `rgb(${shade} ${shade * 1.34} ${shade * 1.56})`;
    context.fillRect(x, y, 1.01, 1.01);
    context.fillStyle = 'rgb(0 0 0 / 14%)';
    if (noise(x + 9, y + 90) > 0.7) context.fillRect(x + 0.2, y + 0.2, 0.6, 0.6);
  });
  each(level, WALL, (x, y) => {
    if (!hasLamp(x, y)) return;
    const colour = poolOf(x, y);
    context.globalCompositeOperation = 'lighter';
    pool(context, x + 0.5, y + 0.5, 1.3, colour, 30);
    pool(context, x + 0.5, y + 0.5, 0.28, colour, 70);
    context.globalCompositeOperation = 'source-over';
  });
  const { north, south, west, east } = level.edges;
  strips(context, north, 0, 1, 0.5, 'rgb(160 215 230 / 20%)');
  strips(context, west, 1, 0, 0.5, 'rgb(160 215 230 / 14%)');
  strips(context, south, 0, -1, 0.4, 'rgb(0 0 0 / 26%)');
  strips(context, east, -1, 0, 0.4, 'rgb(0 0 0 / 26%)');
  lines(context, level.edges, 'rgb(170 222 234 / 80%)', 0.07);
  return canvas;
}
