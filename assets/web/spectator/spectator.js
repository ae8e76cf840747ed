// The page of spectators: the connection and how it comes back, the figures, and the rhythm of the picture.

import { PATH, SUBPROTOCOL, Spectator, endOf } from './protocol.js';
import { Scene } from './scene.js';

const GAME = 'swarm';
const PING_MS = 1000;
/** The server is heard at least each second; when it is silent for so long, the connection counts as lost. */
const SILENCE_MS = 4000;
/** First every half second, then exponentially. */
const RETRY_MS = 500;
const STEADY_RETRIES = 20;
const MOST_RETRY_MS = 30000;

const query = new URLSearchParams(location.search);
const wantsChecks = query.has('verify');
const wantedRoom = /^\d{1,9}$/.test(query.get('room') ?? '') ? Number(query.get('room')) : null;

const find = (id) => document.getElementById(id);
const scene = new Scene(find('world'));
find('address').textContent = location.origin.replace('http', 'ws');
/** Snapshots and bytes since the last time that they were shown; the others over all connections. */
const figures = { snapshots: 0, bytes: 0, since: performance.now(), equal: 0, unequal: 0, restarts: 0 };
let spectator = null;
let socket = null;
let resume = null;
let attempts = 0;
let heardMs = 0;
let retry = null;
/** What the server said about the end before it closed: this counts more than the code. */
let farewell = null;

function connect() {
  retry = null;
  farewell = null;
  heardMs = performance.now();
  say('Connecting', '');
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const opened = new WebSocket(`${scheme}://${location.host}${PATH}`, SUBPROTOCOL);
  opened.binaryType = 'arraybuffer';
  const send = (bytes) => {
    if (opened.readyState === WebSocket.OPEN) opened.send(bytes);
  };
  const now = () => performance.now();
  const name = 'Spectator';
  spectator = new Spectator({ game: GAME, name, room: wantedRoom, wantsChecks, resume, send, now });
  socket = opened;
  opened.onopen = () => spectator.start();
  opened.onmessage = ({ data }) => {
    if (opened === socket) receive(data);
  };
  opened.onclose = ({ code }) => {
    if (opened === socket) lost(farewell ?? endOf(code));
  };
}

function receive(data) {
  heardMs = performance.now();
  try {
    if (typeof data === 'string') throw Object.assign(new Error('text'), { end: 'text-frame' });
    handle(spectator.handle(new Uint8Array(data)), data.byteLength);
  } catch (error) {
    console.error(error);
    const [code, reason] = Spectator.closing(error);
    farewell = { ...endOf(code), words: error.message };
    socket.close(code, reason);
  }
}

function handle(event, length) {
  switch (event?.type) {
    case 'ready':
      scene.prepare(event.kinds, spectator.welcome.periodMicros);
      break;
    case 'snapshot':
      attempts = 0;
      resume = spectator.resume;
      figures.snapshots += 1;
      figures.bytes += length;
      scene.add(event.view, performance.now());
      find('nobody').hidden = event.view.entities.size > 0;
      say('Watching', 'on');
      hideNotice();
      break;
    case 'check':
      figures[event.isEqual ? 'equal' : 'unequal'] += 1;
      break;
    case 'restart':
      figures.restarts += 1;
      break;
    case 'refusal':
      farewell = event.refusal;
      break;
    case 'notice':
      if (event.notice.kind === 'going away') farewell = event.notice;
      break;
  }
}

/** The connection has ended: tells why, and when it is tried again. */
function lost(end) {
  socket = null;
  const wasRefused = end.code >= 4100;
  if (end.back !== 'resume') resume = null;
  const detail = [end.words, end.versions && `It speaks ${end.versions.lowest} to ${end.versions.highest}.`];
  const text = detail.filter(Boolean).join(' ');
  if (end.back === 'never') {
    say(end.text, 'off');
    showNotice(end.text, text);
    return;
  }
  attempts += 1;
  const growth = 2 ** Math.max(0, attempts - STEADY_RETRIES);
  const steady = attempts <= STEADY_RETRIES ? RETRY_MS : Math.min(MOST_RETRY_MS, RETRY_MS * growth);
  // With jitter, or everybody comes back at the same moment.
  const delay = Math.max(attempts <= STEADY_RETRIES ? steady : RETRY_MS + Math.random() * steady,
    end.after * (1 + Math.random() / 2));
  retry = { at: performance.now() + delay, title: wasRefused ? end.text : 'Connection lost', text, end };
  // This is what is read out; the count-down is not.
  say(retry.title, 'off');
  countDown();
}

function countDown() {
  if (retry === null) return;
  const left = retry.at - performance.now();
  if (left <= 0) {
    connect();
    return;
  }
  const about = retry.end.code === 1006 || retry.end.code >= 4100 ? '' : `${retry.end.text} `;
  const seconds = left < 1000 ? (Math.ceil(left / 100) / 10).toFixed(1) : String(Math.ceil(left / 1000));
  showNotice(`${retry.title.replace(/\.$/, '')}, back in ${seconds} s`, about + retry.text);
  setTimeout(countDown, left < 1200 ? 100 : 250);
}

function showNotice(title, text) {
  find('notice-title').textContent = title;
  find('notice-text').textContent = text;
  find('notice').hidden = false;
}

function hideNotice() {
  find('notice').hidden = true;
}

function say(text, kind) {
  const state = find('state');
  if (state.textContent !== text) state.textContent = text;
  state.className = `live ${kind}`;
}

function put(id, text) {
  const place = find(id);
  if (place.textContent !== text) place.textContent = text;
}

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Each second: the figures, a ping, and whether the server is still there. */
function everySecond() {
  const now = performance.now();
  const seconds = (now - figures.since) / 1000;
  const { snapshots, bytes } = figures;
  Object.assign(figures, { snapshots: 0, bytes: 0, since: now });
  put('rate', (snapshots / seconds).toFixed(1));
  put('bytes', snapshots > 0 ? grouped.format(bytes / snapshots) : '–');
  if (spectator?.rttMicros != null) put('rtt', `${(spectator.rttMicros / 1000).toFixed(1)} ms`);
  put('restarts', String(figures.restarts));
  put('equal', grouped.format(figures.equal));
  put('unequal', grouped.format(figures.unequal));
  find('unequal').classList.toggle('bad', figures.unequal > 0);
  if (socket === null) return;
  spectator.ping();
  if (now - heardMs > SILENCE_MS) {
    // The close of a connection that is broken can take minutes: it is not waited for.
    const silent = socket;
    lost(endOf(1006));
    silent.close();
  }
}

function frame(nowMs) {
  scene.draw(nowMs);
  const view = spectator?.view;
  if (view) {
    put('entities', grouped.format(view.entities.size));
    put('tick', grouped.format(view.tick));
  }
  requestAnimationFrame(frame);
}

find('again').addEventListener('click', () => {
  if (socket === null) connect();
});
// Who closes the page leaves at once, and is not waited for.
window.addEventListener('pagehide', () => {
  const leaving = socket;
  socket = null;
  resume = null;
  spectator?.leave();
  leaving?.close(1000, 'left');
});
// A page that comes back from the browser's cache has no connection any more.
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted) connect();
});
for (const element of document.querySelectorAll('.verify')) element.hidden = !wantsChecks;
setInterval(everySecond, PING_MS);
requestAnimationFrame(frame);
connect();
