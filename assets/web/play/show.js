// The arena as it is drawn: who and what is there, and what shots, hits and deaths leave behind.

import { Figures, FLASH_MS, FULL, Known, light, RAIL_RANGE } from './figure.js';
import {
  ALPHAS,
  along,
  HEADINGS,
  headingOf,
  headingOfParts,
  inParts,
  PARTS,
  roll,
  SHADES,
  wave,
} from './parts.js';
import { Shots } from './shots.js';
import { colourOf, glow, label, OWN, pickup, PICKUP_COLOURS, spark } from './sprites.js';

const FLOAT_MS = 900;
/** Parts of a second that the rail gun is charged for. */
const RAIL_CHARGE = inParts(0.4);
const NAME_ABOVE = inParts(0.72);
const FLOAT_ABOVE = inParts(0.9);
const FLOAT_RISES = inParts(1.1);
const PICKUP_REACH = inParts(0.42);
const PICKUP_BOB = inParts(0.06);
const PICKUP_LIGHT = inParts(1.5);
const FIGURE_LIGHT = inParts(2.2);
const OWN_LIGHT = inParts(2.4);
const ROOM_LIGHT = inParts(7);
/** Above this a figure is dashing: tiles per second, squared. */
const DASHING = 150;

export class Show {
  /** The own player, or -1. */
  own = -1;
  /** Where the own player is drawn, in parts; where it was, while it is dead. */
  x = 0;
  y = 0;
  /** The own player's team. */
  ownTeam = 0;
  #isThere = false;

  #stage;
  #client;
  #names;
  /** What is remembered of players between frames, by id. */
  #known = new Map();
  #shots;
  #painter;
  #floats = [];
  /** Pictures of damage done, by how much it is. */
  #damages = [];
  #damagesSized = -1;
  #clock = 0;
  #frame = 0;
  /** Whose names are to be drawn in this frame: as many as are counted. */
  #named = [];
  #namedCount = 0;

  constructor(stage, client, names) {
    [this.#stage, this.#client, this.#names] = [stage, client, names];
    this.#shots = new Shots(stage, client);
    this.#painter = new Figures(stage);
  }

  /** The own player, in tiles. */
  get avatar() {
    return { isThere: this.#isThere, x: this.x / PARTS, y: this.y / PARTS };
  }

  /** Another world: nothing of before is in it. */
  clear() {
    this.#shots.clear();
    this.#floats.length = 0;
    this.#known.clear();
  }

  // What happened.

  effect({ Dash: dash, Rail: rail, Bolt: bolt }) {
    if (dash) {
      const { from, way } = dash;
      this.#burst(spark(OWN), from, 16, 6, 0.45, 0.16, headingOf(Math.atan2(-way[1], -way[0])), 196);
    }
    if (bolt) this.#shots.shoot(bolt.number, bolt.from, bolt.velocity);
    if (rail) {
      const x = inParts(rail.from[0]);
      const y = inParts(rail.from[1]);
      const dx = inParts(rail.way[0]);
      const dy = inParts(rail.way[1]);
      const reach = this.#shots.free(x, y, dx, dy, RAIL_RANGE);
      const heading = headingOf(Math.atan2(dy, dx));
      this.#shots.beam(x, y, x + along(dx, reach), y + along(dy, reach), heading, OWN, this.own);
      this.#stage.shake = Math.max(this.#stage.shake, inParts(0.45));
    }
  }

  rail({ by, from, to, victim }) {
    const x1 = inParts(to[0]);
    const y1 = inParts(to[1]);
    const own = by === this.own ? this.#shots.beamOf(by) : undefined;
    if (own) {
      if (victim !== null) {
        own.x1 = x1;
        own.y1 = y1;
      }
    } else {
      const heading = headingOf(Math.atan2(to[1] - from[1], to[0] - from[0]));
      this.#shots.beam(inParts(from[0]), inParts(from[1]), x1, y1, heading, this.#colour(by), by);
    }
    if (victim !== null) this.#burst(spark(this.#colour(victim)), to, 26, 8, 0.6, 0.2);
  }

  hit({ victim, by, number, damage, at, weapon }) {
    if (by === this.own && weapon === 'Bolts') this.#shots.landed(number);
    const known = this.#known.get(victim);
    if (known) known.flash = FLASH_MS;
    this.#burst(spark(damage > 0 ? '#ffd9a0' : '#9fd4ff'), at, 10, 6, 0.35, 0.14);
    if (victim === this.own) {
      this.#stage.pain = Math.min(PARTS, this.#stage.pain + inParts(0.25) + inParts(damage / 90));
      this.#stage.shake = Math.min(PARTS, this.#stage.shake + inParts(0.2 + damage / 110));
    }
    if (by === this.own) this.#float(damage, at[0], at[1], damage > 50 ? 1.5 : 1.15);
  }

  killed({ victim }) {
    const isOwn = victim === this.own;
    const known = this.#known.get(victim);
    if (!isOwn && (!known || this.#frame - known.frame > 90)) return;
    const x = isOwn ? this.x : known.x;
    const y = isOwn ? this.y : known.y;
    const colour = isOwn ? OWN : this.#colour(victim);
    const { particles } = this.#stage;
    particles.add(glow(colour), x, y, 0, 0, 0.5, 3.4);
    particles.burst(spark(colour), x, y, 46, 9, 0.9, 0.26);
    particles.burst(spark('#ffffff'), x, y, 14, 12, 0.4, 0.16);
    if (isOwn) this.#stage.shake = PARTS;
  }

  taken({ what, at }) {
    const place = ['Health', 'Armour', 'Cloak'].indexOf(what);
    this.#burst(spark(PICKUP_COLOURS[place] ?? '#ffffff'), at, 18, 4, 0.6, 0.16);
  }

  spawned({ at }) {
    this.#stage.particles.add(glow(OWN), inParts(at[0]), inParts(at[1]), 0, 0, 0.7, 3);
    this.#burst(spark(OWN), at, 24, 5, 0.7, 0.16);
    this.#stage.pain = 0;
  }

  #burst(sprite, at, count, speed, life, size, heading = 0, spread = HEADINGS) {
    const { particles } = this.#stage;
    particles.burst(sprite, inParts(at[0]), inParts(at[1]), count, speed, life, size, heading, spread);
  }

  #float(damage, x, y, size) {
    this.#floats.push({
      damage,
      x: inParts(x) + ((((roll() - 512) * 2) / 5) | 0),
      y: inParts(y),
      size: inParts(size),
      age: 0,
    });
  }

  /** The number as a picture; the pictures are kept, since the same damage is done again and again. */
  #damagePicture(damage) {
    const { density, sized } = this.#stage;
    if (this.#damagesSized !== sized) this.#damages.length = 0;
    this.#damagesSized = sized;
    return (this.#damages[damage] ??=
      damage > 0 ? label(String(damage), '#ffe29a', density) : label('no', '#9fd4ff', density));
  }

  #colour(player) {
    return colourOf(player, this.#known.get(player)?.team ?? 0, player === this.own);
  }

  // A frame. From here on there are whole numbers only.

  draw(rows, milliseconds, clock, server) {
    this.#clock = clock;
    this.#frame += 1;
    this.#namedCount = 0;
    const { context } = this.#stage;
    this.#follow(rows);
    this.#stage.begin(milliseconds);
    this.#pickups(rows);
    context.globalCompositeOperation = 'lighter';
    this.#lights(rows);
    this.#shots.drawBolts(rows, milliseconds);
    this.#stage.particles.draw(context, milliseconds);
    this.#shots.drawBeams(milliseconds);
    context.globalCompositeOperation = 'source-over';
    this.#figures(rows, milliseconds);
    this.#ownFigure(rows, milliseconds);
    server?.();
    this.#stage.walls();
    this.#names_();
    this.#drawFloats(milliseconds);
    this.#stage.end();
  }

  #follow({ avatar, parts }) {
    this.#isThere = avatar >= 0;
    if (avatar < 0) return;
    const place = avatar + this.#client.avatarFields.position;
    this.x = parts[place];
    this.y = parts[place + 1];
    this.#stage.lookAt(this.x, this.y);
  }

  /** Without an own player the camera goes where something is to be seen. */
  watch({ whole, parts, end, stride }, milliseconds) {
    const { figure } = this.#client.kinds;
    let x = 0;
    let y = 0;
    let count = 0;
    for (let row = 0; row < end; row += stride) {
      if (whole[row + 1] !== figure.id) continue;
      x += parts[row + figure.position];
      y += parts[row + figure.position + 1];
      count += 1;
    }
    if (count === 0) return;
    const share = 1 - Math.exp(-milliseconds * 0.0008);
    this.#stage.x += Math.round((x / count - this.#stage.x) * share);
    this.#stage.y += Math.round((y / count - this.#stage.y) * share);
  }

  #pickups({ whole, parts, end, stride }) {
    const { pickup: kind } = this.#client.kinds;
    const { context } = this.#stage;
    for (let row = 0; row < end; row += stride) {
      if (whole[row + 1] !== kind.id) continue;
      const x = parts[row + kind.position];
      const y = parts[row + kind.position + 1];
      const isThere = whole[row + kind.present] > 0;
      const bob = isThere ? wave(this.#clock, 432, PICKUP_BOB, along(163, x)) : 0;
      context.globalAlpha = ALPHAS[isThere ? SHADES : 41];
      context.drawImage(
        pickup(whole[row + kind.what]),
        x - PICKUP_REACH,
        y - PICKUP_REACH + bob,
        2 * PICKUP_REACH,
        2 * PICKUP_REACH,
      );
    }
    context.globalAlpha = 1;
  }

  #lights({ whole, parts, end, stride, avatar }) {
    const { figure, pickup: thing } = this.#client.kinds;
    const { context } = this.#stage;
    for (let row = 0; row < end; row += stride) {
      const kind = whole[row + 1];
      if (kind === thing.id && whole[row + thing.present] > 0) {
        const pulse = 77 + wave(this.#clock, 432, 20, row * 160);
        const colour = PICKUP_COLOURS[whole[row + thing.what]];
        const place = row + thing.position;
        light(context, colour, parts[place], parts[place + 1], PICKUP_LIGHT, pulse);
      } else if (kind === figure.id) {
        const colour = colourOf(whole[row + figure.player], whole[row + figure.colour], false);
        const shade = whole[row + figure.cloaked] > 0 ? 20 : 87;
        const place = row + figure.position;
        light(context, colour, parts[place], parts[place + 1], FIGURE_LIGHT, shade);
      }
    }
    if (avatar >= 0) {
      light(context, '#9fe8d0', this.x, this.y, ROOM_LIGHT, 51);
      light(context, OWN, this.x, this.y, OWN_LIGHT, 92);
    }
    context.globalAlpha = 1;
  }

  #know(player) {
    let known = this.#known.get(player);
    if (!known) this.#known.set(player, (known = new Known()));
    return known;
  }

  #figures({ whole, parts, end, stride }, milliseconds) {
    const { figure } = this.#client.kinds;
    for (let row = 0; row < end; row += stride) {
      if (whole[row + 1] !== figure.id) continue;
      const player = whole[row + figure.player];
      const known = this.#know(player);
      const health = whole[row + figure.vitality];
      if (this.#frame - known.frame < 30 && health < known.health) known.flash = FLASH_MS;
      known.player = player;
      known.x = parts[row + figure.position];
      known.y = parts[row + figure.position + 1];
      known.team = whole[row + figure.colour];
      known.health = health;
      known.frame = this.#frame;
      known.flash = Math.max(0, known.flash - milliseconds);
      const vx = parts[row + figure.velocity] >> 5;
      const vy = parts[row + figure.velocity + 1] >> 5;
      const colour = colourOf(player, known.team, false);
      if (vx * vx + vy * vy > DASHING * 1024) this.#trail(colour, known.x, known.y);
      const isCloaked = whole[row + figure.cloaked] > 0;
      const isCharging = whole[row + figure.charging] > 0;
      this.#painter.draw(
        colour,
        known,
        headingOfParts(parts[row + figure.aim]),
        whole[row + figure.weapon],
        health,
        isCloaked,
        whole[row + figure.protected] > 0,
        whole[row + figure.armoured] > 0,
        isCharging ? 614 + wave(this.#clock, 6680, 409, 0) : 0,
        this.#clock,
      );
      if (!isCloaked) {
        this.#named[this.#namedCount] = known;
        this.#namedCount += 1;
      }
    }
  }

  #ownFigure({ whole, parts, avatar }, milliseconds) {
    const known = this.#know(this.own);
    known.flash = Math.max(0, known.flash - milliseconds);
    if (avatar < 0) return;
    const fields = this.#client.avatarFields;
    known.x = this.x;
    known.y = this.y;
    if (parts[avatar + fields.dash] > 0) this.#trail(OWN, this.x, this.y);
    this.#painter.draw(
      colourOf(this.own, this.ownTeam, true),
      known,
      headingOfParts(parts[avatar + fields.aim]),
      whole[avatar + fields.weapon],
      FULL,
      parts[avatar + fields.cloak] > 0,
      parts[avatar + fields.protection] > 0,
      parts[avatar + fields.armour] > 0,
      Math.min(PARTS, ((parts[avatar + fields.charge] * PARTS) / RAIL_CHARGE) | 0),
      this.#clock,
    );
  }

  #trail(colour, x, y) {
    this.#stage.particles.add(glow(colour), x, y, 0, 0, 0.3, 0.75);
  }

  #names_() {
    const { context, density, perTile, sized } = this.#stage;
    for (let at = 0; at < this.#namedCount; at += 1) {
      const known = this.#named[at];
      const name = this.#names(known.player);
      const colour = colourOf(known.player, known.team, false);
      if (known.name !== name || known.colour !== colour || known.sized !== sized) {
        known.name = name;
        known.colour = colour;
        known.sized = sized;
        known.label = label(name, colour, density);
        known.labelWide = inParts(known.label.width / perTile);
        known.labelHigh = inParts(known.label.height / perTile);
      }
      const { labelWide: wide, labelHigh: high } = known;
      context.drawImage(known.label, known.x - (wide >> 1), known.y - NAME_ABOVE - high, wide, high);
    }
  }

  #drawFloats(milliseconds) {
    const floats = this.#floats;
    if (floats.length === 0) return;
    const { context, perTile } = this.#stage;
    for (let at = floats.length - 1; at >= 0; at -= 1) {
      const float = floats[at];
      float.age += milliseconds;
      if (float.age >= FLOAT_MS) {
        // Their order is nothing.
        floats[at] = floats.at(-1);
        floats.pop();
        continue;
      }
      const picture = this.#damagePicture(float.damage);
      const age = ((float.age * PARTS) / FLOAT_MS) | 0;
      const size = float.size + ((float.size * Math.max(0, PARTS - age * 6)) >> 12);
      const wide = ((picture.width * size) / perTile) | 0;
      const high = ((picture.height * size) / perTile) | 0;
      context.globalAlpha = ALPHAS[Math.min(SHADES, (PARTS - age) >> 1)];
      const above = FLOAT_ABOVE + along(FLOAT_RISES, age);
      context.drawImage(picture, float.x - (wide >> 1), float.y - above, wide, high);
    }
    context.globalAlpha = 1;
  }
}
