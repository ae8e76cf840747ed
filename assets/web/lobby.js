// The live list of games and rooms.

const INTERVAL_MS = 2000;
const TIMEOUT_MS = 5000;

const list = document.querySelector('#games');
const status = document.querySelector('#status');
/** What is shown: it is made anew only when it is another, so that the keyboard's focus stays. */
let shown = '';

const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
document.querySelector('#address').textContent = `${scheme}://${location.host}/play`;

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function roomRow(room) {
  const { id, game, players, capacity } = room;
  const meter = element('progress', '');
  Object.assign(meter, { max: Math.max(1, capacity), value: players });
  meter.setAttribute('aria-label', `${players} of ${capacity} places taken`);
  const count = element('span', 'count', element('b', '', String(players)), ` of ${capacity} places`);
  const row = element('li', 'room', element('span', 'name', `Room ${id}`), meter, count);
  if (game === 'swarm') {
    const watch = element('a', 'watch', 'Watch');
    watch.href = `/spectator?room=${id}`;
    watch.setAttribute('aria-label', `Watch room ${id} of ${game}`);
    row.append(watch);
  }
  return row;
}

function gameBlock(game, rooms) {
  const people = rooms.reduce((sum, { players }) => sum + players, 0);
  const here = ['nobody here', '1 person here'][people] ?? `${people} people here`;
  const title = element('h3', '', game, element('span', 'note', here));
  const content = rooms.length > 0
    ? element('ul', 'rooms', ...rooms.map(roomRow))
    : element('p', 'empty', 'No room is open. Whoever comes first opens one.');
  return element('article', 'game', title, content);
}

/** Shows the list; the same one as before is left alone. */
function show(games, rooms) {
  const next = JSON.stringify([games, rooms]);
  if (next === shown) return;
  shown = next;
  const focused = document.activeElement?.getAttribute('href');
  rooms.sort((a, b) => a.id - b.id);
  list.replaceChildren(...games.map((game) => gameBlock(game, rooms.filter((room) => room.game === game))));
  if (focused) list.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

async function read(path) {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

/** A text that did not change is not announced again. */
function say(text, isLive) {
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle('on', isLive);
}

async function refresh() {
  try {
    if (!document.hidden) {
      const [games, rooms] = await Promise.all([read('/games'), read('/rooms')]);
      show(games, rooms);
      say('Live', true);
    }
  } catch {
    say('The server does not answer', false);
  }
  setTimeout(refresh, INTERVAL_MS);
}

refresh();
