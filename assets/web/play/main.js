// The page: from the door into the arena, and what happens on the way.

import { connect, load } from '../pkg/tickwire.js';
import { Backdrop } from './backdrop.js';
import { Controls } from './controls.js';
import { Hud } from './hud.js';
import { readLevel } from './level.js';
import { NetGraph } from './netgraph.js';
import { PARTS } from './parts.js';
import { Rows } from './rows.js';
import { Show } from './show.js';
import { Stage } from './stage.js';
import { named } from './text.js';

const of = (id) => document.getElementById(id);
const NAMES = [
  'Ash',
  'Birch',
  'Cobalt',
  'Dune',
  'Ember',
  'Flint',
  'Garnet',
  'Heron',
  'Indigo',
  'Jasper',
  'Kestrel',
  'Larch',
  'Merlin',
  'Nova',
  'Onyx',
  'Pike',
  'Quartz',
  'Raven',
  'Slate',
  'Thorn',
  'Umber',
  'Vesper',
  'Wren',
  'Zephyr',
];

/** What a page says of an end that it does not come back from. */
const ENDINGS = {
  'room-full': ['The room is full', 'Try again in a moment, or take another room.'],
  'game-refused': [
    'The room is full',
    'The game did not let you in. Try again in a moment, or take another room.',
  ],
  'wrong-version': [
    'This page is of another version',
    'The server speaks another version. Load the page again.',
  ],
  'wrong-schema': [
    'This page is of another version',
    'The server has another version of the game. Load the page again.',
  ],
  'draining-refused': ['The server is closing', 'It takes nobody in now. It will be back in a moment.'],
  'unknown-room': ['There is no such room', 'The link is old, or the match is over.'],
  'name-refused': ['That name is not allowed', 'Please choose another one.'],
  kicked: ['You were removed', 'Somebody removed you from the room.'],
  replaced: ['You play elsewhere', 'The game goes on in another window.'],
  'room-closed': ['The match is over', 'Its room has closed.'],
  idle: ['You were away', 'Nothing came from you for long.'],
};

const stage = new Stage(of('stage'));
const backdrop = new Backdrop(stage);
const hud = new Hud();
const controls = new Controls(of('stage'), act);
/** The game under way: `{ client, show, graph }`. */
let play = null;
/** Rises with each game, so that what belongs to an older one is known. */
let round = 0;

// The door.

function remembered() {
  try {
    return localStorage.getItem('tickwire-name');
  } catch {
    return null;
  }
}

of('name').value =
  remembered() ?? `${NAMES[Math.floor(Math.random() * NAMES.length)]}${Math.floor(Math.random() * 90 + 10)}`;
const wantedRoom = new URLSearchParams(location.hash.slice(1)).get('room') ?? '';
if (wantedRoom) of('lead').textContent = 'You are invited to a private room.';

of('join').addEventListener('submit', (event) => {
  event.preventDefault();
  join(new URLSearchParams(location.hash.slice(1)).get('room') ?? '');
});
of('private').addEventListener('click', () => join('private'));
of('watch').addEventListener('click', () => join('', true));
of('resume').addEventListener('click', () => door(false));
of('quit').addEventListener('click', () => quit());
of('lost-leave').addEventListener('click', () => quit());
of('share').addEventListener('click', share);
for (const [id, action] of [
  ['open-menu', 'menu'],
  ['open-chat', 'chat'],
  ['open-score', 'score-toggle'],
]) {
  of(id).addEventListener('click', () => act(action));
}
document.body.classList.toggle('touch', matchMedia('(pointer: coarse)').matches);
controls.isTouch = document.body.classList.contains('touch');

const missing =
  typeof WebAssembly !== 'object' ? 'WebAssembly' : typeof WebSocket !== 'function' ? 'WebSocket' : '';
if (missing) {
  complain(
    `This browser has no ${missing}, which the game needs. A current Firefox, Chrome or Safari has it.`,
  );
  of('join').hidden = true;
  document.body.classList.add('lacks');
}

/** The game's module, under way since the door is open. */
let fetching = null;
function fetched() {
  fetching ??= import('../pkg/arena.js').then(async (game) => (await load(game), game));
  // What failed is fetched anew by the next who wants it.
  fetching.catch(() => (fetching = null));
  return fetching;
}

function complain(text) {
  of('error').textContent = text;
  of('error').hidden = text === '';
}

function door(isOpen) {
  of('door').hidden = !isOpen;
  controls.enabled = !isOpen && play !== null;
  of('join').hidden = play !== null || missing !== '';
  of('back').hidden = play === null;
  if (isOpen) controls.release();
  (isOpen ? of(play ? 'resume' : 'play') : document.activeElement)?.[isOpen ? 'focus' : 'blur']?.();
}

async function join(room, spectator = false) {
  const name = named(of('name').value);
  try {
    localStorage.setItem('tickwire-name', of('name').value);
  } catch {
    // It is not remembered then.
  }
  complain('');
  of('play').disabled = true;
  try {
    const game = await fetched();
    const client = await connect({ game, name, room, spectator });
    begin(client);
  } catch (error) {
    complain(`The game cannot start: ${error.message ?? error}`);
  }
  of('play').disabled = false;
}

function begin(client) {
  backdrop.hide();
  round += 1;
  const mine = round;
  hud.clear();
  const show = new Show(stage, client, hud.name);
  play = { client, show, graph: new NetGraph(client) };
  client.on('welcomed', (welcome) => welcomed(welcome, show));
  client.on('level', ({ bytes }) => {
    stage.setLevel(readLevel(bytes));
    show.clear();
  });
  client.on('effect', (effect) => show.effect(effect));
  client.on('game', ({ event }) => happened(event, show));
  client.on(
    'notice',
    ({ kind }) => kind === 'draining' && hud.note('The server is about to move this match.'),
  );
  client.on('status', (status) => mine === round && stands(status));
  client.on('ended', ({ reason, text }) => mine === round && ended(reason, text));
  door(false);
  stands(client.status);
  let before = performance.now() | 0;
  const frame = (now) => {
    if (mine !== round) return;
    draw(now, (now | 0) - before);
    before = now | 0;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

function welcomed({ player, code, resumed }, show) {
  if (!resumed) {
    hud.clear();
    show.clear();
  }
  [hud.own, show.own] = [player, player];
  // Who is not let in has no health and no score.
  of('hud').hidden = false;
  if (code) {
    history.replaceState(null, '', `#room=${code}`);
    if (!resumed) hud.note('This room is private. The menu has its link.');
  }
  of('share').hidden = false;
}

function share() {
  const { room, code } = play?.client.welcome ?? {};
  const link = `${location.origin}/#room=${code ?? room}`;
  const say = (text) => (of('share-text').textContent = text);
  if (navigator.clipboard)
    navigator.clipboard.writeText(link).then(
      () => say('Copied.'),
      () => say(link),
    );
  else say(link);
}

function quit() {
  round += 1;
  play?.client.leave();
  play = null;
  of('hud').hidden = true;
  of('lost').hidden = true;
  of('board').hidden = true;
  history.replaceState(null, '', location.pathname);
  document.body.classList.remove('away');
  backdrop.show();
  door(true);
  listRooms();
}

// What is told.

/** What an event of the game leads to, by its name. Made once: there are many events. */
const HAPPENINGS = {
  Roster: (told) => told.forEach((entry) => hud.enter(entry)),
  Named: (told) => hud.enter(told),
  Left: (told) => hud.gone(told),
  Spawned: (told, show) => (show.spawned(told), hud.appeared()),
  Rail: (told, show) => show.rail(told),
  Hit: (told, show) => show.hit(told),
  Killed: (told, show) => (show.killed(told), hud.killed(told)),
  Taken: (told, show) => show.taken(told),
  Said: (told) => hud.said(told),
  Refused: (told) => hud.refused(told),
  RoundBegins: (told) => hud.begins(told),
  RoundOver: (told) => hud.over(told),
};

function happened(event, show) {
  if (typeof event === 'string') HAPPENINGS[event]?.(null, show);
  else for (const type in event) HAPPENINGS[type]?.(event[type], show);
}

function stands({ state, until, end }) {
  const isLost =
    state === 'reconnecting' || state === 'waiting' || state === 'connecting' || state === 'loading';
  of('lost').hidden = !isLost;
  document.body.classList.toggle('away', state === 'reconnecting' || state === 'waiting');
  const [title, text] = {
    connecting: ['Connecting', ''],
    loading: ['Loading the level', ''],
    reconnecting: ['Connection lost.', 'Coming back…'],
    waiting: [ENDINGS[end?.name] ? `${ENDINGS[end.name][0]}.` : (end?.text ?? 'Connection lost.'), ''],
  }[state] ?? ['', ''];
  of('lost-title').textContent = title;
  of('lost-text').textContent = text;
  waits = state === 'waiting' ? until : 0;
  waited = -1;
}

let waits = 0;
let waited = -1;
function countDown(now) {
  if (waits === 0) return;
  const left = Math.max(0, Math.ceil((waits - now) / 1000));
  if (left === waited) return;
  waited = left;
  of('lost-text').textContent = left > 0 ? `Back in ${left} s…` : 'Coming back…';
}

function ended(reason, text) {
  const [title, words] = ENDINGS[reason] ?? ['The game has ended', ''];
  const isOwn = reason === 'left';
  quit();
  if (!isOwn) complain(`${title}. ${text ? cut(text) : words}`);
}

/** What a server says of an end, bounded. */
const cut = (text) => [...text].slice(0, 120).join('');

// A frame.

const rows = new Rows();
const server = () => play.graph.drawServer(stage.context);

function draw(now, passed) {
  const { client, show, graph } = play;
  const milliseconds = Math.max(0, Math.min(passed, 100));
  const clock = now | 0;
  if (controls.enabled) {
    // Sixteenths of a pixel of the page.
    const scale = (16 * stage.perTile) / stage.density / PARTS;
    const x = ((show.x - stage.x) * scale + innerWidth * 8) | 0;
    const y = ((show.y - stage.y) * scale + innerHeight * 8) | 0;
    client.setInput(controls.read(x, y));
  } else {
    controls.wanted.way[0] = controls.wanted.way[1] = 0;
    controls.wanted.fire = controls.wanted.dash = false;
    controls.wanted.weapon = 0;
    client.setInput(controls.wanted);
  }
  rows.read(client.draw(now), client.avatarFields);
  countDown(now);
  // Until there is a level, what was behind the door stays: to draw would only keep the level waiting.
  if (!client.level) return;
  hud.frame(rows, client, clock);
  if (rows.avatar >= 0) {
    controls.holds(rows.whole[rows.avatar + client.avatarFields.weapon]);
    show.ownTeam = hud.scores.get(show.own)?.team ?? 0;
  } else if (show.own < 0 || !hud.scores.has(show.own)) {
    show.watch(rows, milliseconds);
  }
  show.draw(rows, milliseconds, clock, graph.drawsServer && graph.isOpen ? server : null);
  graph.draw(now, passed);
}

// Keys.

function act(action) {
  if (!play) return;
  if (action === 'score') hud.board(true);
  if (action === 'score-off') hud.board(false);
  if (action === 'score-toggle') hud.board(!hud.isBoardHeld);
  if (action === 'net') play.graph.toggle();
  if (action === 'menu') {
    if (!of('say').hidden) closeChat();
    else door(of('door').hidden);
  }
  if (action === 'chat') {
    of('say').hidden = false;
    of('words').focus();
    controls.release();
  }
}

function closeChat() {
  of('say').hidden = true;
  of('words').value = '';
  of('words').blur();
}

of('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = of('words').value.trim();
  closeChat();
  if (!text || !play) return;
  try {
    play.client.command({ Say: text });
  } catch {
    hud.note('That could not be said: there is no connection.');
  }
});
of('words').addEventListener('keydown', ({ key }) => key === 'Escape' && closeChat());

// Rooms to choose from.

const ROOMS_MS = 3000;
/** The list on show: it is made anew only when it is another, so that the keyboard's focus stays. */
let listed = '';

async function listRooms() {
  let arenas = [];
  try {
    const rooms = await (await fetch('/rooms', { cache: 'no-store' })).json();
    arenas = rooms.filter(({ game }) => game === 'arena').slice(0, 6);
  } catch {
    // Without the server there is no list either.
  }
  const key = JSON.stringify(arenas);
  if (key === listed) return;
  listed = key;
  const focused = document.activeElement?.dataset?.room;
  of('rooms').replaceChildren(
    ...arenas.map(({ id, players, capacity }) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'plain';
      button.dataset.room = id;
      button.textContent = `Room ${id} · ${players} of ${capacity}`;
      button.disabled = players >= capacity;
      button.addEventListener('click', () => join(String(id)));
      const row = document.createElement('li');
      row.append(button);
      return row;
    }),
  );
  if (focused) of('rooms').querySelector(`[data-room="${CSS.escape(focused)}"]`)?.focus();
  of('rooms-section').hidden = arenas.length === 0;
}

setInterval(() => play === null && !document.hidden && listRooms(), ROOMS_MS);

backdrop.show();
door(true);
listRooms();
// While the player looks at the door, the game is fetched.
if (!missing) fetched().catch(() => {});

/** For tests and the curious. */
globalThis.tickwire = {
  get play() {
    return play;
  },
  stage,
  hud,
  controls,
};
