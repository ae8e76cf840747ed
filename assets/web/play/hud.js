// What lies over the arena as text and bars. Each thing is touched only when it is another than before.

import { PARTS } from './parts.js';
import { bounded, named } from './text.js';
import { colourOf } from './sprites.js';

const MOST_FEED = 5;
const MOST_LINES = 8;
const FEED_MS = 6000;
const LINE_MS = 14_000;
/** How long the rail gun cools, in parts of a second. */
const RAIL_COOLDOWN = 1.2 * PARTS;
const REFUSALS = {
  Empty: 'There was nothing to be seen in that.',
  TooLong: 'That was too long.',
  TooOften: 'Not so fast: wait a moment before you say more.',
  Name: 'That name is not possible.',
  NoSuchTeam: 'There is no such team.',
  TeamIsFull: 'That team is full.',
  Spectator: 'Who watches has no say.',
};
const STREAKS = { 3: 'three in a row', 5: 'five in a row', 8: 'unstoppable' };

const of = (id) => document.getElementById(id);

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// How things are shown. These are made once: a function that is made in a frame is garbage after it.

const showVitals = (box, isThere) => box.classList.toggle('dead', !isThere);
const showHealth = (bar, health) => {
  bar.style.width = `${health}%`;
  bar.parentElement.classList.toggle('low', health <= 35);
  of('health-text').textContent = String(health);
};
const showArmour = (bar, armour) => {
  bar.style.width = `${armour}%`;
  bar.parentElement.classList.toggle('none', armour === 0);
};
const showChosen = (chip, isChosen) => chip.classList.toggle('on', isChosen);
const showOtherWeapon = (pad, weapon) => (pad.textContent = weapon === 0 ? 'Rail' : 'Bolts');
const showChip = (chip, value) => {
  chip.classList.toggle('on', value >= 1000);
  chip.querySelector('i').style.width = `${(value % 1000) * 5}%`;
};
const showClock = (clock, left) => {
  const shown = left < 0 ? -left - 1 : left;
  clock.textContent =
    left < 0 ? `Next round in ${shown}` : `${Math.floor(shown / 60)}:${String(shown % 60).padStart(2, '0')}`;
  clock.classList.toggle('late', left >= 0 && left <= 10);
};
/** Both teams' points in one number, or what is below 0: the own kills. */
const showStanding = (text, value) => {
  const kills = -1 - value;
  text.textContent =
    value >= 0 ? `Red ${value >> 16} · Blue ${value & 65535}` : kills === 1 ? '1 kill' : `${kills} kills`;
};
const showBoard = (board, isShown) => (board.hidden = !isShown);

export class Hud {
  own = -1;
  /** Scores as they are told, by player. */
  scores = new Map();
  #names = new Map();
  #shown = new Map();
  #round = { phase: 0, ends: 0, teams: false, red: 0, blue: 0, limit: 0 };
  #isBoardHeld = false;
  #winner = '';
  #boardAt = 0;
  #clockAt = 0;
  #diedAt = 0;

  clear() {
    this.#names.clear();
    this.scores.clear();
    for (const id of ['feed', 'lines']) of(id).replaceChildren();
    of('fallen').hidden = true;
    this.#winner = '';
  }

  name = (player) => this.#names.get(player) ?? named('');

  enter({ player, name }) {
    this.#names.set(player, named(name));
  }

  gone({ player }) {
    // The name stays: something may still be told of its owner.
    this.scores.delete(player);
  }

  // Feed, chat, notices.

  #who(player) {
    const who = element('b', player === this.own ? 'own' : '', this.name(player));
    who.style.color = colourOf(player, this.scores.get(player)?.team ?? 0, player === this.own);
    return who;
  }

  killed({ victim, by, weapon, streak }) {
    const line =
      by === victim
        ? element('li', '', this.#who(victim), ' fell')
        : element(
            'li',
            '',
            this.#who(by),
            element('i', weapon === 'Rail' ? 'rail' : 'bolts', element('span', 'hush', ' took out ')),
            this.#who(victim),
          );
    if (STREAKS[streak]) line.append(element('small', '', ` ${STREAKS[streak]}`));
    if (by === this.own || victim === this.own) line.classList.add('mine');
    this.#add('feed', line, MOST_FEED, FEED_MS);
    if (victim === this.own) {
      this.#diedAt = performance.now();
      const fallen = of('fallen');
      fallen.replaceChildren('Taken out by ', this.#who(by));
      fallen.hidden = false;
    }
  }

  said({ player, to_team: toTeam, text }) {
    const words = element('span', '', bounded(text, 120));
    this.#add(
      'lines',
      element('li', '', this.#who(player), toTeam ? ' (team) ' : ' ', words),
      MOST_LINES,
      LINE_MS,
    );
  }

  note(text) {
    this.#add('lines', element('li', 'note', text), MOST_LINES, LINE_MS);
  }

  refused(reason) {
    this.note(REFUSALS[reason] ?? 'That was not possible.');
  }

  #add(id, line, most, lasting) {
    const list = of(id);
    list.append(line);
    while (list.children.length > most) list.firstElementChild.remove();
    setTimeout(() => line.classList.add('old'), lasting);
    setTimeout(() => line.remove(), lasting + 600);
  }

  appeared() {
    of('fallen').hidden = true;
  }

  // The round.

  begins({ number, map }) {
    this.#winner = '';
    this.board(false);
    this.note(`Round ${number + 1} on ${bounded(map, 24)}`);
  }

  over({ winner }) {
    if (winner === 'Nobody') this.#winner = 'Nobody won.';
    else if (winner.Team) this.#winner = `${winner.Team} wins.`;
    else this.#winner = winner.Player === this.own ? 'You win!' : `${this.name(winner.Player)} wins.`;
  }

  board(isHeld) {
    this.#isBoardHeld = isHeld;
  }

  get isBoardHeld() {
    return this.#isBoardHeld;
  }

  // A frame.

  /** Writes a text or number where it belongs, if it is another. Whether it is. */
  #set(id, value, apply) {
    if (this.#shown.get(id) === value) return false;
    this.#shown.set(id, value);
    apply(of(id), value);
    return true;
  }

  frame(rows, client, now) {
    this.#read(rows, client);
    const { avatar, whole, parts } = rows;
    const fields = client.avatarFields;
    const isThere = avatar >= 0;
    this.#set('vitals', isThere, showVitals);
    if (isThere) {
      this.#set('health', whole[avatar + fields.health], showHealth);
      this.#set('armour', whole[avatar + fields.armour], showArmour);
      const weapon = whole[avatar + fields.weapon];
      const dash = parts[avatar + fields.dash_cooldown];
      // The cooldown's length, as the longest that was seen.
      this.#longestDash = Math.max(this.#longestDash, dash);
      this.#set('chip-bolts', weapon === 0, showChosen);
      this.#chip('chip-rail', weapon === 1, parts[avatar + fields.rail_cooldown], RAIL_COOLDOWN);
      this.#chip('chip-dash', dash <= 0, dash, this.#longestDash);
      this.#set('pad-weapon', weapon, showOtherWeapon);
    } else if (!of('fallen').hidden && now - this.#diedAt > 12_000) {
      of('fallen').hidden = true;
    }
    // Seconds need not be looked at in each frame.
    if (now - this.#clockAt > 100 || now < this.#clockAt) {
      this.#clockAt = now;
      this.#clock(client, rows.tick);
    }
    if (now - this.#boardAt > 250) {
      this.#boardAt = now;
      this.#drawBoard();
    }
  }

  #longestDash = PARTS / 8;

  /** How much of a cooldown is left, in twentieths. */
  #chip(id, isOn, left, most) {
    const share = left <= 0 ? 0 : left >= most ? 20 : ((left * 20 + most - 1) / most) | 0;
    this.#set(id, (isOn ? 1000 : 0) + share, showChip);
  }

  #read({ whole, end, stride }, { kinds: { score, roundState: round } }) {
    for (let row = 0; row < end; row += stride) {
      if (whole[row + 1] === score.id) {
        const player = whole[row + score.player];
        let known = this.scores.get(player);
        if (!known)
          this.scores.set(
            player,
            (known = { team: 0, kills: 0, deaths: 0, isAlive: true, isNpc: false, seen: 0 }),
          );
        known.team = whole[row + score.colour];
        known.kills = whole[row + score.kills];
        known.deaths = whole[row + score.deaths];
        known.isAlive = whole[row + score.alive] > 0;
        known.isNpc = whole[row + score.npc] > 0;
      } else if (whole[row + 1] === round.id) {
        const told = this.#round;
        told.phase = whole[row + round.phase];
        told.ends = whole[row + round.ends_low];
        told.teams = whole[row + round.teams] > 0;
        told.red = whole[row + round.red];
        told.blue = whole[row + round.blue];
        told.limit = whole[row + round.score_limit];
      }
    }
  }

  #clock(client, tick) {
    const { ends, phase, teams, red, blue } = this.#round;
    const ahead = (ends - tick) & 0xffffff;
    const seconds = ahead > 0x7fffff ? 0 : Math.ceil((ahead * (client.welcome?.tickMs ?? 16)) / 1000) | 0;
    this.#set('clock', phase === 1 ? -seconds - 1 : seconds, showClock);
    const own = this.scores.get(this.own);
    this.#set('standing', teams ? red * 65536 + blue : -1 - (own?.kills ?? 0), showStanding);
    const isShown = this.#isBoardHeld || phase === 1;
    if (this.#set('board', isShown, showBoard)) this.#boardAt = 0;
  }

  #drawBoard() {
    if (of('board').hidden) return;
    const rows = [...this.scores]
      .sort(([, a], [, b]) => b.kills - a.kills || a.deaths - b.deaths)
      .slice(0, 24);
    const key = JSON.stringify(rows.map(([player, score]) => [player, this.name(player), score]));
    this.#set('board-rows', key, (body) => {
      body.replaceChildren(
        ...rows.map(([player, { kills, deaths, isNpc, isAlive }], place) => {
          const name = element('td', '', this.#who(player));
          if (isNpc) name.append(element('small', '', ' NPC'));
          const row = element(
            'tr',
            isAlive ? '' : 'dead',
            element('td', '', String(place + 1)),
            name,
            element('td', '', String(kills)),
            element('td', '', String(deaths)),
          );
          if (player === this.own) row.classList.add('own');
          return row;
        }),
      );
    });
    this.#set(
      'board-title',
      this.#round.phase === 1 ? this.#winner || 'The round is over' : 'Scoreboard',
      (title, text) => (title.textContent = text),
    );
    of('board').classList.toggle('final', this.#round.phase === 1);
  }
}
