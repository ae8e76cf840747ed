// Watches a swarm with the decoder of the page of spectators, and compares each snapshot with the server's
// sum.
//
//   node spectator.mjs ws://ADDRESS SNAPSHOTS
//
// Prints a line for each snapshot that was compared and then, as JSON, what was counted. On its way it
// loses its views and has to be told everything anew, and it breaks its connection and goes on with the token.

import { PATH, SUBPROTOCOL, Spectator } from '../../assets/web/spectator/protocol.js';

const [address, wanted] = [process.argv[2], Number(process.argv[3])];
const counted = { equal: 0, unequal: 0, restarts: 0, resumed: 0, entered: 0, left: 0, changed: 0, events: 0 };
let before = null;

// Only for a server that says nothing: a slow one is waited for.
const silence = setTimeout(() => fail(new Error('nothing was heard for a minute')), 60_000);

function fail(error) {
  console.error(error);
  process.exit(1);
}

function compare({ entities }) {
  for (const [index, entity] of entities) {
    const known = before?.get(index);
    if (known === undefined) counted.entered += 1;
    else if (known.state !== entity.state) counted.changed += 1;
  }
  for (const index of before?.keys() ?? []) counted.left += entities.has(index) ? 0 : 1;
  before = entities;
}

function watch(resume) {
  const socket = new WebSocket(address + PATH, SUBPROTOCOL);
  socket.binaryType = 'arraybuffer';
  const send = (bytes) => socket.send(bytes);
  const now = () => performance.now();
  const spectator = new Spectator({ game: 'swarm', name: 'Spectator', wantsChecks: true, resume, send, now });
  socket.onopen = () => spectator.start();
  socket.onerror = ({ message, error }) => fail(error ?? new Error(message));
  socket.onclose = ({ code, reason }) => fail(new Error(`closed as ${code} ${reason}`));
  socket.onmessage = ({ data }) => {
    silence.refresh();
    try {
      act(spectator.handle(new Uint8Array(data)), spectator, socket);
    } catch (error) {
      fail(error);
    }
  };
}

function act(event, spectator, socket) {
  if (event?.type === 'refusal') fail(new Error(event.refusal.text));
  if (event?.type === 'welcome') counted.resumed += Number(event.welcome.resumed);
  if (event?.type === 'events') counted.events += event.events.length;
  if (event?.type === 'snapshot') compare(event.view);
  if (event?.type === 'restart') counted.restarts += 1;
  if (event?.type !== 'check') return;
  counted[event.isEqual ? 'equal' : 'unequal'] += 1;
  const seen = counted.equal + counted.unequal;
  console.log(seen);
  if (seen % 20 === 0) spectator.ping();
  if (seen === Math.floor(wanted / 3)) {
    // As if its views were lost: the next snapshot cannot be read, and the spectator asks for everything anew.
    spectator.decoder.restart();
    before = null;
  } else if (seen === Math.floor((wanted * 2) / 3)) {
    socket.onclose = null;
    socket.onmessage = null;
    socket.close();
    before = null;
    watch(spectator.resume);
  } else if (seen === wanted) {
    const rttMicros = Math.round(spectator.rttMicros);
    console.log(JSON.stringify({ ...counted, rttMicros }));
    process.exit(0);
  }
}

watch(null);
