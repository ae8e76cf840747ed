// Pictures that are drawn once and used in each frame: glows, bodies, names.

/** Whom one plays against, when everybody is for themselves. Mint is the own colour. */
const HUES = ['#ff8a5c', '#ffc857', '#ff6f91', '#b98cff', '#6fb7ff', '#f58af0', '#ffa1a1', '#8fe36b'];
const TEAMS = [null, '#ff6b62', '#5aa9ff'];
export const OWN = '#63dcb4';

/** The colour of a player: the team's, or one of its own. */
export function colourOf(player, team, isOwn) {
  if (TEAMS[team]) return TEAMS[team];
  return isOwn ? OWN : HUES[player % HUES.length];
}

// By colour: keys are not put together, as that makes a string in each frame.
const glows = new Map();
const sparks = new Map();
const bolts = new Map();
/** By weapon, then by colour. */
const bodies = [new Map(), new Map()];
const pickups = [];
const names = new Map();
const MOST_NAMES = 200;

function picture(width, height = width) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.ceil(width), Math.ceil(height)];
  return [canvas, canvas.getContext('2d')];
}

/** A soft light. */
export function glow(colour) {
  let made = glows.get(colour);
  if (made) return made;
  const [canvas, context] = picture(128);
  const light = context.createRadialGradient(64, 64, 0, 64, 64, 64);
  light.addColorStop(0, colour);
  light.addColorStop(0.25, `${colour}90`);
  light.addColorStop(0.6, `${colour}22`);
  light.addColorStop(1, `${colour}00`);
  context.fillStyle = light;
  context.fillRect(0, 0, 128, 128);
  glows.set(colour, (made = canvas));
  return made;
}

/** A spark: small, with a white heart. */
export function spark(colour) {
  let made = sparks.get(colour);
  if (made) return made;
  const [canvas, context] = picture(48);
  const light = context.createRadialGradient(24, 24, 0, 24, 24, 24);
  light.addColorStop(0, '#ffffff');
  light.addColorStop(0.22, colour);
  light.addColorStop(1, `${colour}00`);
  context.fillStyle = light;
  context.fillRect(0, 0, 48, 48);
  sparks.set(colour, (made = canvas));
  return made;
}

/** A bolt's picture is so many tiles long and high; its head is so far from the right. */
export const BOLT_LONG = 2.25;
export const BOLT_HIGH = 0.75;
export const BOLT_HEAD = 0.4;

/** A bolt that flies to the right: a hot head and a tail that fades. */
export function bolt(colour) {
  let made = bolts.get(colour);
  if (made) return made;
  const scale = 96;
  const [canvas, context] = picture(BOLT_LONG * scale, BOLT_HIGH * scale);
  context.scale(scale, scale);
  const head = BOLT_LONG - BOLT_HEAD;
  context.translate(head, BOLT_HIGH / 2);
  const tail = context.createLinearGradient(-1.6, 0, 0, 0);
  tail.addColorStop(0, `${colour}00`);
  tail.addColorStop(0.7, `${colour}99`);
  tail.addColorStop(1, colour);
  context.fillStyle = tail;
  context.beginPath();
  context.moveTo(-1.6, 0);
  context.quadraticCurveTo(-0.5, -0.1, 0, -0.12);
  context.arc(0, 0, 0.12, -Math.PI / 2, Math.PI / 2);
  context.quadraticCurveTo(-0.5, 0.1, -1.6, 0);
  context.fill();
  const light = context.createRadialGradient(0, 0, 0, 0, 0, BOLT_HIGH / 2);
  light.addColorStop(0, colour);
  light.addColorStop(0.35, `${colour}77`);
  light.addColorStop(1, `${colour}00`);
  context.fillStyle = light;
  context.fillRect(-BOLT_HIGH / 2, -BOLT_HIGH / 2, BOLT_HIGH, BOLT_HIGH);
  context.fillStyle = '#ffffff';
  context.beginPath();
  context.ellipse(-0.12, 0, 0.22, 0.065, 0, 0, Math.PI * 2);
  context.fill();
  bolts.set(colour, (made = canvas));
  return made;
}

/** Half of a body picture's side, in tiles. */
export const BODY_REACH = 1;

/** A player seen from above who looks to the right, with a weapon: 0 throws bolts, 1 is the rail gun. */
export function body(colour, weapon) {
  const ofWeapon = bodies[weapon === 1 ? 1 : 0];
  let made = ofWeapon.get(colour);
  if (made) return made;
  const side = 192;
  const [canvas, context] = picture(side);
  context.translate(side / 2, side / 2);
  context.scale(side / 2, side / 2);
  context.lineJoin = 'round';
  // The weapon, under the shoulders.
  context.fillStyle = '#0a0f13';
  context.strokeStyle = colour;
  context.lineWidth = 0.035;
  const parts =
    weapon === 1
      ? [
          [0.1, -0.085, 0.78, 0.17],
          [0.3, -0.15, 0.22, 0.3],
        ]
      : [
          [0.2, -0.3, 0.4, 0.14],
          [0.2, 0.16, 0.4, 0.14],
        ];
  for (const [x, y, width, height] of parts) {
    context.beginPath();
    context.roundRect(x, y, width, height, 0.05);
    context.fill();
    context.stroke();
  }
  // The body: a dark shell with a lit rim, and a core in its colour.
  const shell = context.createRadialGradient(-0.12, -0.14, 0.04, 0, 0, 0.42);
  shell.addColorStop(0, '#3a4a55');
  shell.addColorStop(0.75, '#18222a');
  shell.addColorStop(1, '#0c1217');
  context.fillStyle = shell;
  context.beginPath();
  context.arc(0, 0, 0.4, 0, Math.PI * 2);
  context.fill();
  // A shimmer of its colour, so that one is told from another at a glance.
  const shimmer = context.createRadialGradient(0, 0, 0.12, 0, 0, 0.4);
  shimmer.addColorStop(0, `${colour}22`);
  shimmer.addColorStop(1, `${colour}88`);
  context.fillStyle = shimmer;
  context.fill();
  context.lineWidth = 0.065;
  context.stroke();
  const core = context.createRadialGradient(-0.04, -0.06, 0, 0, 0, 0.2);
  core.addColorStop(0, '#ffffff');
  core.addColorStop(0.45, colour);
  core.addColorStop(1, colour);
  context.fillStyle = core;
  context.beginPath();
  context.arc(0, 0, 0.17, 0, Math.PI * 2);
  context.fill();
  // The visor: which way it looks, even without a weapon in sight.
  context.strokeStyle = '#eafff7';
  context.globalAlpha = 0.85;
  context.lineWidth = 0.05;
  context.beginPath();
  context.arc(0, 0, 0.3, -0.5, 0.5);
  context.stroke();
  ofWeapon.set(colour, (made = canvas));
  return made;
}

/**
 * A name as a picture, as sharp as the display; whoever draws it keeps it. `scale` is pixels per CSS pixel.
 */
export function label(text, colour, scale) {
  const key = `${scale} ${colour} ${text}`;
  let made = names.get(key);
  if (made) return made;
  if (names.size >= MOST_NAMES) names.delete(names.keys().next().value);
  const font = `600 ${13 * scale}px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`;
  let [canvas, context] = picture(1);
  context.font = font;
  // Whatever the text is made of, its picture has a bound.
  const width = Math.min(context.measureText(text).width, 220 * scale);
  [canvas, context] = picture(width + 10 * scale, 20 * scale);
  context.font = font;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineWidth = 4 * scale;
  context.strokeStyle = 'rgb(5 8 11 / 85%)';
  context.strokeText(text, canvas.width / 2, canvas.height / 2, width);
  context.fillStyle = colour;
  context.fillText(text, canvas.width / 2, canvas.height / 2, width);
  names.set(key, (made = canvas));
  return made;
}

const HEALTH = '#ff6f7d';
const ARMOUR = '#7fc4ff';
const CLOAK = '#c9a7ff';
export const PICKUP_COLOURS = [HEALTH, ARMOUR, CLOAK];

/** What lies about: a small plate with a sign. */
export function pickup(what) {
  let made = pickups[what];
  if (made) return made;
  const [canvas, context] = picture(128);
  context.translate(64, 64);
  context.scale(64, 64);
  const colour = PICKUP_COLOURS[what] ?? '#ffffff';
  context.strokeStyle = colour;
  context.fillStyle = '#0c1217d0';
  context.lineWidth = 0.07;
  context.beginPath();
  context.roundRect(-0.6, -0.6, 1.2, 1.2, 0.3);
  context.fill();
  context.stroke();
  context.fillStyle = colour;
  context.beginPath();
  if (what === 0) {
    context.roundRect(-0.12, -0.38, 0.24, 0.76, 0.05);
    context.roundRect(-0.38, -0.12, 0.76, 0.24, 0.05);
  } else if (what === 1) {
    context.moveTo(-0.34, -0.34);
    context.lineTo(0.34, -0.34);
    context.lineTo(0.34, 0.02);
    context.quadraticCurveTo(0.3, 0.32, 0, 0.44);
    context.quadraticCurveTo(-0.3, 0.32, -0.34, 0.02);
    context.closePath();
  } else {
    context.ellipse(0, 0, 0.42, 0.24, 0, 0, Math.PI * 2);
    context.moveTo(0.16, 0);
    context.arc(0, 0, 0.16, 0, Math.PI * 2, true);
  }
  context.fill('evenodd');
  pickups[what] = made = canvas;
  return made;
}
