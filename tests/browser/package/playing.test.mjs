// The package against a real server, over the WebSocket of node: what comes out while one plays, and what a
// frame costs.
//
//   TICKWIRE=… node --experimental-websocket --test playing.test.mjs

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect, game, wasm } from './page.mjs';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

/** As much of a document as the package looks at. */
const page = Object.assign(new EventTarget(), { hidden: false });
globalThis.document = page;
globalThis.addEventListener = () => {};
globalThis.removeEventListener = () => {};

let server;
let url;
let client;

before(async () => {
  const yard = new URL('../yard.txt', import.meta.url).pathname;
  const options = ['--listen', '127.0.0.1:0', '--npcs', '8', '--map', yard];
  const env = { ...process.env, TICKWIRE_LOG: 'error' };
  server = spawn(process.env.TICKWIRE, options, { stdio: ['ignore', 'pipe', 'inherit'], env });
  const [line] = await once(createInterface({ input: server.stdout }), 'line');
  url = line.match(/http:\S+/)[0];
  client = await connect({ game, wasm, url, name: 'Node' });
  await when(() => client.status.state === 'playing' && client.draw().avatar >= 0);
});

after(async () => {
  client.leave();
  server.kill();
  await once(server, 'exit');
});

/** Draws frames until something holds. The test's own limit is only for what never comes. */
async function when(holds) {
  while (!holds()) {
    client.draw();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('it is let in, and hears of the level and of who is there', async () => {
  assert(client.welcome.player >= 0 && client.welcome.tickMs > 16 && !client.welcome.resumed);
  assert.match(new TextDecoder().decode(client.level.bytes), /name:/);
  assert.equal(client.level.id.length, 16);
});

test('others move, and so does the own avatar', async () => {
  const { figure } = client.kinds;
  const places = new Map();
  let moved = 0;
  let travelled = 0;
  const start = { x: NaN, y: NaN };
  await when(() => {
    client.setInput({ way: [Math.sin(performance.now() / 300), 1], aim: 0, dash: true });
    const { values, start: first, end, stride, avatar } = client.draw();
    for (let row = first; row < end; row += stride) {
      if (values[row + 1] !== figure.id) continue;
      const place = `${values[row + figure.position]} ${values[row + figure.position + 1]}`;
      if (places.has(values[row]) && places.get(values[row]) !== place) moved += 1;
      places.set(values[row], place);
    }
    if (avatar >= 0) {
      const at = avatar + client.avatarFields.position;
      if (!Number.isNaN(start.x)) travelled += Math.hypot(values[at] - start.x, values[at + 1] - start.y);
      [start.x, start.y] = [values[at], values[at + 1]];
    }
    return moved > 20 && travelled > 0.5;
  });
});

test('events come, and commands are heard', async () => {
  const heard = [];
  const end = client.on('game', ({ event }) => heard.push(event));
  client.command({ Say: 'from node' });
  await when(() => heard.some((event) => event.Said?.text === 'from node'));
  end();
  const count = heard.length;
  client.command({ Say: 'again' });
  const other = [];
  client.on('game', ({ event }) => other.push(event));
  await when(() => other.some((event) => event.Said?.text === 'again'));
  assert.equal(heard.length, count, 'a handler that was taken off hears nothing');
});

test('a frame gives the same objects over the same memory, and leaves no garbage', async () => {
  const input = { way: [0, 0], aim: 0, fire: false };
  const [scene, stats] = [client.draw(), client.stats()];
  const { values } = scene;
  // Nothing comes in while these are drawn: all of it is the frames' own.
  const frames = (count) => {
    for (let frame = 0; frame < count; frame += 1) {
      input.way[0] = (frame % 3) - 1;
      client.setInput(input);
      const drawn = client.draw();
      if (drawn !== scene || drawn.values !== values) return false;
    }
    return client.stats() === stats;
  };
  assert(frames(20_000), 'another object');
  await new Promise((resolve) => setTimeout(resolve, 20));
  collect();
  const used = process.memoryUsage().heapUsed;
  assert(frames(2000), 'another object');
  const perFrame = (process.memoryUsage().heapUsed - used) / 2000;
  console.log(`${perFrame.toFixed(1)} bytes of garbage per frame`);
  // A number that leaves the module may take a dozen bytes; an object or a closure takes fifty and more.
  assert(perFrame < 400, `${perFrame} bytes of garbage per frame`);
});

test('a hidden page makes no inputs, and goes on when it is shown', async () => {
  const hide = (hidden) => {
    page.hidden = hidden;
    page.dispatchEvent(new Event('visibilitychange'));
  };
  client.setInput({ way: [1, 0] });
  hide(true);
  const { inputs, snapshots } = { ...client.stats() };
  await when(() => client.stats().snapshots > snapshots + 60);
  assert(client.stats().inputs <= inputs + 1);
  hide(false);
  const { predicted } = { ...client.stats() };
  await when(() => client.stats().predicted > predicted + 30);
  assert.equal(client.stats().resumes, 0);
});

test('a cut connection is resumed in the same player', async () => {
  const { player } = client.welcome;
  client.cut();
  await when(() => client.stats().resumes === 1 && client.status.state === 'playing');
  assert.deepEqual([client.welcome.player, client.welcome.resumed], [player, true]);
  assert.equal(client.stats().mismatches, 0);
});

test('the declarations name what there is', async () => {
  const types = await readFile(new URL('../../../assets/web/pkg/tickwire.d.ts', import.meta.url), 'utf8');
  const named = new Set([...types.matchAll(/^ {2}(\w+): number;$/gm)].map(([, name]) => name));
  for (const name of Object.keys(client.stats())) assert(named.has(name), `${name} is not declared`);
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(client));
  for (const name of methods.filter((method) => method !== 'constructor'))
    assert(new RegExp(`^ {2}${name}[(<]`, 'm').test(types), `${name} is not declared`);
});
