// The arena as it is drawn: who and what is there, and what shots, hits and deaths leave behind.

import { body, BODY_REACH, colourOf, glow, label, OWN, pickup, PICKUP_COLOURS, spark } from './sprites.js';

const BOLT_RANGE = 24;
const BEAM_SECONDS = 0.45;
const FLOAT_SECONDS = 0.9;
const MOST_BOLTS = 32;
const RAIL_SECONDS = 0.4;
const RAIL_RANGE = 30;
const TURN = Math.PI * 2;

export class Show {
  /** The own player, or -1. */
  own = -1;
  /** Where the own player is drawn; where it was, while it is dead. */
  avatar = { isThere: false, x: 0, y: 0 };

  #stage;
  #client;
  #names;
  /** What is remembered of players between frames, by id. */
  #known = new Map();
  #bolts = [];
  #beams = [];
  #floats = [];
  #clock = 0;
  #frame = 0;
  #labels = [];

  constructor(stage, client, names) {
    [this.#stage, this.#client, this.#names] = [stage, client, names];
  }

  /** Another world: nothing of before is in it. */
  clear() {
    for (const list of [this.#bolts, this.#beams, this.#floats]) list.length = 0;
    this.#known.clear();
  }

  // What happened.

  effect({ Dash: dash, Rail: rail, Bolt: bolt }) {
    const { particles, level } = this.#stage;
    if (dash) {
      particles.burst(
        spark(OWN),
        ...dash.from,
        16,
        6,
        0.45,
        0.16,
        Math.atan2(-dash.way[1], -dash.way[0]),
        1.2,
      );
    }
    if (bolt) {
      const [[x, y], [vx, vy]] = [bolt.from, bolt.velocity];
      const speed = Math.hypot(vx, vy);
      const reach = level ? level.freeDistance(x, y, vx / speed, vy / speed, BOLT_RANGE) : BOLT_RANGE;
      if (this.#bolts.length >= MOST_BOLTS) this.#bolts.shift();
      this.#bolts.push({ number: bolt.number, x, y, vx, vy, flown: 0, reach, speed });
      particles.burst(
        spark(OWN),
        x + (vx / speed) * 0.6,
        y + (vy / speed) * 0.6,
        4,
        5,
        0.16,
        0.12,
        Math.atan2(vy, vx),
        1,
      );
    }
    if (rail) {
      const [[x, y], [dx, dy]] = [rail.from, rail.way];
      const reach = level ? level.freeDistance(x, y, dx, dy, RAIL_RANGE) : RAIL_RANGE;
      this.#beam(x, y, x + dx * reach, y + dy * reach, OWN, this.own);
      this.#stage.shake = Math.max(this.#stage.shake, 0.45);
    }
  }

  rail({ by, from, to, victim }) {
    const own = by === this.own ? this.#beams.findLast((beam) => beam.by === by) : undefined;
    if (own) [own.x1, own.y1] = victim === null ? [own.x1, own.y1] : to;
    else this.#beam(...from, ...to, this.#colour(by), by);
    if (victim !== null) this.#stage.particles.burst(spark(this.#colour(victim)), ...to, 26, 8, 0.6, 0.2);
  }

  hit({ victim, by, number, damage, at, weapon }) {
    if (by === this.own && weapon === 'Bolts') {
      const flying = this.#bolts.findIndex((bolt) => bolt.number === number);
      if (flying >= 0) this.#bolts.splice(flying, 1);
    }
    const known = this.#known.get(victim);
    if (known) known.flash = 1;
    this.#stage.particles.burst(spark(damage > 0 ? '#ffd9a0' : '#9fd4ff'), ...at, 10, 6, 0.35, 0.14);
    if (victim === this.own) {
      this.#stage.pain = Math.min(1, this.#stage.pain + 0.25 + damage / 90);
      this.#stage.shake = Math.min(1, this.#stage.shake + 0.2 + damage / 110);
    }
    if (by === this.own)
      this.#float(damage > 0 ? String(damage) : 'no', at[0], at[1], damage > 50 ? 1.5 : 1.15);
  }

  killed({ victim }) {
    const known = this.#known.get(victim);
    const [x, y] =
      victim === this.own ? [this.avatar.x, this.avatar.y] : known ? [known.x, known.y] : [NaN, NaN];
    if (Number.isNaN(x) || (known && this.#frame - known.frame > 90 && victim !== this.own)) return;
    const colour = victim === this.own ? OWN : this.#colour(victim);
    const { particles } = this.#stage;
    particles.add(glow(colour), x, y, 0, 0, 0.5, 3.4);
    particles.burst(spark(colour), x, y, 46, 9, 0.9, 0.26);
    particles.burst(spark('#ffffff'), x, y, 14, 12, 0.4, 0.16);
    if (victim === this.own) this.#stage.shake = 1;
  }

  taken({ what, at }) {
    const place = ['Health', 'Armour', 'Cloak'].indexOf(what);
    this.#stage.particles.burst(spark(PICKUP_COLOURS[place] ?? '#ffffff'), ...at, 18, 4, 0.6, 0.16);
  }

  spawned({ at }) {
    this.#stage.particles.add(glow(OWN), ...at, 0, 0, 0.7, 3);
    this.#stage.particles.burst(spark(OWN), ...at, 24, 5, 0.7, 0.16);
    this.#stage.pain = 0;
  }

  #beam(x0, y0, x1, y1, colour, by) {
    this.#beams.push({ x0, y0, x1, y1, colour, by, age: 0 });
    const way = Math.atan2(y0 - y1, x0 - x1);
    this.#stage.particles.burst(spark(colour), x1, y1, 14, 7, 0.4, 0.16, way, 2.2);
    for (let at = 0; at < 12; at += 1) {
      const along = Math.random();
      this.#stage.particles.add(
        spark(colour),
        x0 + (x1 - x0) * along,
        y0 + (y1 - y0) * along,
        (Math.random() - 0.5) * 1.4,
        (Math.random() - 0.5) * 1.4,
        0.5 * Math.random() + 0.2,
        0.1,
      );
    }
  }

  #float(text, x, y, size) {
    this.#floats.push({ text, x: x + (Math.random() - 0.5) * 0.4, y, size, age: 0 });
  }

  #colour(player) {
    return colourOf(player, this.#known.get(player)?.team ?? 0, player === this.own);
  }

  // A frame.

  draw(scene, seconds, server) {
    this.#clock += seconds;
    this.#frame += 1;
    this.#labels.length = 0;
    const { context } = this.#stage;
    this.#follow(scene);
    this.#stage.begin(seconds);
    this.#pickups(scene);
    context.globalCompositeOperation = 'lighter';
    this.#lights(scene);
    this.#ownBolts(seconds);
    this.#othersBolts(scene);
    this.#stage.particles.draw(context, seconds);
    this.#drawBeams(seconds);
    context.globalCompositeOperation = 'source-over';
    this.#figures(scene, seconds);
    this.#ownFigure(scene, seconds);
    server?.();
    this.#stage.walls();
    this.#names_();
    this.#drawFloats(seconds);
    this.#stage.end();
  }

  #follow(scene) {
    const { avatar } = this;
    avatar.isThere = scene.avatar >= 0;
    if (avatar.isThere) {
      const place = scene.avatar + this.#client.avatarFields.position;
      [avatar.x, avatar.y] = [scene.values[place], scene.values[place + 1]];
      this.#stage.lookAt(avatar.x, avatar.y);
    }
  }

  /** Without an own player the camera goes where something is to be seen. */
  watch(scene, seconds) {
    const { figure } = this.#client.kinds;
    let [x, y, count] = [0, 0, 0];
    for (let row = scene.start; row < scene.end; row += scene.stride) {
      if (scene.values[row + 1] !== figure.id) continue;
      x += scene.values[row + figure.position];
      y += scene.values[row + figure.position + 1];
      count += 1;
    }
    if (count === 0) return;
    const share = 1 - Math.exp(-seconds * 0.8);
    this.#stage.x += (x / count - this.#stage.x) * share;
    this.#stage.y += (y / count - this.#stage.y) * share;
  }

  #pickups({ values, start, end, stride }) {
    const { pickup: kind } = this.#client.kinds;
    const { context } = this.#stage;
    for (let row = start; row < end; row += stride) {
      if (values[row + 1] !== kind.id) continue;
      const [x, y] = [values[row + kind.position], values[row + kind.position + 1]];
      const isThere = values[row + kind.present] > 0.5;
      const bob = isThere ? 0.06 * Math.sin(this.#clock * 2.6 + x) : 0;
      context.globalAlpha = isThere ? 1 : 0.16;
      context.drawImage(pickup(values[row + kind.what]), x - 0.42, y - 0.42 + bob, 0.84, 0.84);
    }
    context.globalAlpha = 1;
  }

  #light(colour, x, y, reach, strength) {
    const { context } = this.#stage;
    context.globalAlpha = strength;
    context.drawImage(glow(colour), x - reach, y - reach, 2 * reach, 2 * reach);
  }

  #lights({ values, start, end, stride, avatar }) {
    const { figure, pickup: thing } = this.#client.kinds;
    for (let row = start; row < end; row += stride) {
      const kind = values[row + 1];
      if (kind === thing.id && values[row + thing.present] > 0.5) {
        const pulse = 0.3 + 0.08 * Math.sin(this.#clock * 2.6 + row);
        this.#light(
          PICKUP_COLOURS[values[row + thing.what]],
          values[row + thing.position],
          values[row + thing.position + 1],
          1.5,
          pulse,
        );
      } else if (kind === figure.id) {
        const colour = colourOf(values[row + figure.player], values[row + figure.colour], false);
        const strength = values[row + figure.cloaked] > 0.5 ? 0.08 : 0.34;
        this.#light(colour, values[row + figure.position], values[row + figure.position + 1], 2.2, strength);
      }
    }
    if (avatar >= 0)
      (this.#light('#9fe8d0', this.avatar.x, this.avatar.y, 7, 0.2),
        this.#light(OWN, this.avatar.x, this.avatar.y, 2.4, 0.36));
    this.#stage.context.globalAlpha = 1;
  }

  #bolt(colour, x, y, vx, vy) {
    const { context } = this.#stage;
    const speed = Math.hypot(vx, vy) || 1;
    const [dx, dy] = [vx / speed, vy / speed];
    context.strokeStyle = colour;
    context.lineCap = 'round';
    context.globalAlpha = 0.35;
    context.lineWidth = 0.2;
    context.beginPath();
    context.moveTo(x - dx * 1.1, y - dy * 1.1);
    context.lineTo(x, y);
    context.stroke();
    context.globalAlpha = 1;
    context.lineWidth = 0.11;
    context.strokeStyle = '#ffffff';
    context.beginPath();
    context.moveTo(x - dx * 0.35, y - dy * 0.35);
    context.lineTo(x, y);
    context.stroke();
    context.drawImage(glow(colour), x - 0.75, y - 0.75, 1.5, 1.5);
  }

  #ownBolts(seconds) {
    const bolts = this.#bolts;
    for (let at = bolts.length - 1; at >= 0; at -= 1) {
      const bolt = bolts[at];
      bolt.flown += bolt.speed * seconds;
      if (bolt.flown >= bolt.reach) {
        const share = bolt.reach / bolt.speed;
        const way = Math.atan2(-bolt.vy, -bolt.vx);
        this.#stage.particles.burst(
          spark(OWN),
          bolt.x + bolt.vx * share,
          bolt.y + bolt.vy * share,
          7,
          4,
          0.3,
          0.13,
          way,
          2.4,
        );
        bolts.splice(at, 1);
        continue;
      }
      const time = bolt.flown / bolt.speed;
      this.#bolt(OWN, bolt.x + bolt.vx * time, bolt.y + bolt.vy * time, bolt.vx, bolt.vy);
    }
  }

  #othersBolts({ values, start, end, stride }) {
    const { bolt } = this.#client.kinds;
    for (let row = start; row < end; row += stride) {
      if (values[row + 1] !== bolt.id) continue;
      const colour = colourOf(values[row + bolt.owner], values[row + bolt.colour], false);
      this.#bolt(
        colour,
        values[row + bolt.position],
        values[row + bolt.position + 1],
        values[row + bolt.velocity],
        values[row + bolt.velocity + 1],
      );
    }
  }

  #drawBeams(seconds) {
    const { context } = this.#stage;
    for (let at = this.#beams.length - 1; at >= 0; at -= 1) {
      const beam = this.#beams[at];
      beam.age += seconds / BEAM_SECONDS;
      if (beam.age >= 1) {
        this.#beams.splice(at, 1);
        continue;
      }
      const left = 1 - beam.age;
      for (const [width, colour, alpha] of [
        [0.7, beam.colour, 0.25],
        [0.28, beam.colour, 0.8],
        [0.1, '#ffffff', 1],
      ]) {
        context.globalAlpha = alpha * left * left;
        context.strokeStyle = colour;
        context.lineWidth = width * (0.3 + 0.7 * left);
        context.beginPath();
        context.moveTo(beam.x0, beam.y0);
        context.lineTo(beam.x1, beam.y1);
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }

  #know(player) {
    let known = this.#known.get(player);
    if (!known) this.#known.set(player, (known = { x: 0, y: 0, team: 0, health: 1, flash: 0, frame: 0 }));
    return known;
  }

  #figures({ values, start, end, stride }, seconds) {
    const { figure } = this.#client.kinds;
    for (let row = start; row < end; row += stride) {
      if (values[row + 1] !== figure.id) continue;
      const player = values[row + figure.player];
      const known = this.#know(player);
      const health = values[row + figure.vitality] / 10;
      if (this.#frame - known.frame < 30 && health < known.health) known.flash = 1;
      known.x = values[row + figure.position];
      known.y = values[row + figure.position + 1];
      known.team = values[row + figure.colour];
      known.health = health;
      known.frame = this.#frame;
      known.flash = Math.max(0, known.flash - seconds * 5);
      const [vx, vy] = [values[row + figure.velocity], values[row + figure.velocity + 1]];
      const colour = colourOf(player, known.team, false);
      if (vx * vx + vy * vy > 150) this.#trail(colour, known.x, known.y);
      const isCloaked = values[row + figure.cloaked] > 0.5;
      this.#figure(
        colour,
        known.x,
        known.y,
        values[row + figure.aim],
        values[row + figure.weapon],
        health,
        isCloaked,
        values[row + figure.protected] > 0.5,
        values[row + figure.armoured] > 0.5,
        values[row + figure.charging] > 0.5 ? 0.6 + 0.4 * Math.sin(this.#clock * 40) : 0,
        known.flash,
      );
      if (!isCloaked) this.#labels.push(known.x, known.y, player, colour);
    }
  }

  #ownFigure(scene, seconds) {
    const known = this.#know(this.own);
    known.flash = Math.max(0, known.flash - seconds * 5);
    if (scene.avatar < 0) return;
    const fields = this.#client.avatarFields;
    const at = (name) => scene.values[scene.avatar + fields[name]];
    if (at('dash') > 0) this.#trail(OWN, this.avatar.x, this.avatar.y);
    const colour = colourOf(this.own, this.ownTeam ?? 0, true);
    this.#figure(
      colour,
      this.avatar.x,
      this.avatar.y,
      at('aim'),
      at('weapon'),
      -1,
      at('cloak') > 0,
      at('protection') > 0,
      at('armour') > 0,
      at('charge') / RAIL_SECONDS,
      known.flash,
    );
  }

  #trail(colour, x, y) {
    this.#stage.particles.add(glow(colour), x, y, 0, 0, 0.3, 0.75);
  }

  /** A player; `health` below 0 is not shown. */
  #figure(colour, x, y, aim, weapon, health, isCloaked, isProtected, isArmoured, charge, flash) {
    const { context } = this.#stage;
    context.globalAlpha = isCloaked ? 0.12 : 0.5;
    context.fillStyle = '#000000';
    context.beginPath();
    context.ellipse(x + 0.12, y + 0.18, 0.46, 0.4, 0, 0, TURN);
    context.fill();
    context.globalAlpha = isCloaked ? 0.28 : 1;
    if (charge > 0) {
      // The line of the rail gun, for whoever stands in it.
      context.strokeStyle = colour;
      context.globalAlpha = 0.12 + 0.4 * charge;
      context.lineWidth = 0.05;
      context.beginPath();
      context.moveTo(x + Math.cos(aim) * 0.8, y + Math.sin(aim) * 0.8);
      const reach = this.#stage.level?.freeDistance(x, y, Math.cos(aim), Math.sin(aim), RAIL_RANGE) ?? 1;
      context.lineTo(x + Math.cos(aim) * reach, y + Math.sin(aim) * reach);
      context.stroke();
      context.globalCompositeOperation = 'lighter';
      this.#light(colour, x + Math.cos(aim) * 0.85, y + Math.sin(aim) * 0.85, 0.3 + 0.8 * charge, charge);
      context.globalCompositeOperation = 'source-over';
      context.globalAlpha = isCloaked ? 0.28 : 1;
    }
    context.translate(x, y);
    context.rotate(aim);
    context.drawImage(body(colour, weapon), -BODY_REACH, -BODY_REACH, 2 * BODY_REACH, 2 * BODY_REACH);
    context.rotate(-aim);
    if (isArmoured) this.#ring('#a9d6ff', 0.52, 0.05, 0.9, 0, TURN);
    if (isProtected) this.#ring('#ffffff', 0.66 + 0.04 * Math.sin(this.#clock * 9), 0.05, 0.75, 0, TURN);
    if (health >= 0 && health < 1) {
      const quarter = -Math.PI / 2;
      this.#ring('#000000', 0.6, 0.1, 0.5, 0, TURN);
      this.#ring(
        health > 0.5 ? '#8fe36b' : health > 0.25 ? '#ffc857' : '#ff5b5b',
        0.6,
        0.08,
        1,
        quarter,
        quarter + TURN * health,
      );
    }
    if (flash > 0) {
      context.globalAlpha = flash;
      context.fillStyle = '#ffffff';
      context.beginPath();
      context.arc(0, 0, 0.44, 0, TURN);
      context.fill();
    }
    context.translate(-x, -y);
    context.globalAlpha = 1;
  }

  #ring(colour, radius, width, alpha, from, to) {
    const { context } = this.#stage;
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(0, 0, radius, from, to);
    context.stroke();
  }

  #names_() {
    const { context, density, perTile } = this.#stage;
    const labels = this.#labels;
    for (let at = 0; at < labels.length; at += 4) {
      const picture = label(this.#names(labels[at + 2]), labels[at + 3], density);
      const [width, height] = [picture.width / perTile, picture.height / perTile];
      context.drawImage(picture, labels[at] - width / 2, labels[at + 1] - 0.72 - height, width, height);
    }
  }

  #drawFloats(seconds) {
    const { context, density, perTile } = this.#stage;
    for (let at = this.#floats.length - 1; at >= 0; at -= 1) {
      const float = this.#floats[at];
      float.age += seconds / FLOAT_SECONDS;
      if (float.age >= 1) {
        this.#floats.splice(at, 1);
        continue;
      }
      const picture = label(float.text, float.text === 'no' ? '#9fd4ff' : '#ffe29a', density);
      const size = (float.size * (1 + 0.25 * Math.max(0, 1 - float.age * 6))) / perTile;
      context.globalAlpha = Math.min(1, 2 * (1 - float.age));
      context.drawImage(
        picture,
        float.x - (picture.width * size) / 2,
        float.y - 0.9 - 1.1 * float.age,
        picture.width * size,
        picture.height * size,
      );
    }
    context.globalAlpha = 1;
  }
}
