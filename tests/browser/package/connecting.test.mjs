// The package without a server: how it connects, comes back, gives up, and leaves.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { FakePage, connect, game } from './page.mjs';

let page;
beforeEach(() => (page = new FakePage()));
afterEach(() => page.close());

test('it opens a socket to where it is told, and says hello when that is open', async () => {
  const { client } = await page.connect({ name: 'Ann' });
  assert.equal(page.sockets.length, 1);
  const [socket] = page.sockets;
  assert.equal(socket.address, 'ws://games.example:7777/play');
  assert.equal(socket.subprotocol, 'tickwire.1');
  assert.equal(socket.binaryType, 'arraybuffer');
  assert.equal(client.status.state, 'connecting');
  assert.equal(socket.sent.length, 0);
  socket.opens();
  assert.equal(socket.sent.length, 1);
  assert(new TextDecoder('latin1').decode(socket.sent[0]).includes('Ann'));
  client.leave();
});

test('over https the socket is encrypted too', async () => {
  const { client } = await page.connect({ url: 'https://games.example/' });
  assert.equal(page.sockets[0].address, 'wss://games.example/play');
  client.leave();
});

test('what nobody answers is tried again: often at first, then in growing random intervals', async () => {
  const { client } = await page.connect();
  const opened = [];
  for (let seen = 0; page.now < 300_000; page.pass(10)) {
    for (; seen < page.sockets.length; seen += 1) {
      opened.push(page.now);
      page.sockets[seen].ends(1006);
    }
  }
  const eager = opened.filter((at) => at < 11_000).length;
  assert(eager >= 15 && eager <= 22, `${eager} attempts in ten seconds`);
  const gaps = opened.slice(1).map((at, place) => at - opened[place]);
  const later = gaps.slice(30);
  assert(later.length > 3 && later.length < 100, `${later.length} attempts later`);
  assert(Math.max(...later) > 3000 && Math.max(...gaps) <= 30_100, `${Math.max(...gaps)} ms`);
  assert(new Set(later).size > later.length / 2, 'the intervals are random');
  assert.equal(client.status.state, 'connecting');
  client.leave();
});

test('a refusal that may pass is waited for, and says until when', async () => {
  const { client, told } = await page.connect();
  page.sockets[0].opens();
  page.sockets[0].ends(4100);
  assert.equal(client.status.state, 'waiting');
  assert.equal(client.status.end.name, 'room-full');
  const wait = client.status.until - page.now;
  assert(wait >= 5000 && wait <= 7500, `${wait} ms`);
  page.pass(4900);
  assert.equal(page.sockets.length, 1);
  page.pass(wait - 4900 + 10);
  assert.equal(page.sockets.length, 2);
  assert(told.some(([type, value]) => type === 'disconnected' && value.reason === 'room-full'));
  client.leave();
});

test('an end that is for ever is told by its name, and nothing comes after it', async () => {
  for (const [code, name] of [
    [4103, 'wrong-version'],
    [4104, 'wrong-schema'],
    [4107, 'banned'],
    [4003, 'kicked'],
  ]) {
    const { client, told } = await page.connect();
    const socket = page.sockets.at(-1);
    const before = page.sockets.length;
    socket.opens();
    socket.ends(code);
    assert.equal(client.status.state, 'ended');
    assert.equal(client.status.end.name, name);
    assert(client.status.end.text.length > 10);
    const ends = told.filter(([type]) => type === 'ended');
    assert.deepEqual(
      ends.map(([, { code: ended, reason }]) => [ended, reason]),
      [[code, name]],
    );
    page.pass(60_000);
    assert.equal(page.sockets.length, before);
    assert.throws(() => client.command({ Say: 'too late' }));
    client.leave();
  }
});

test('a server that breaks the protocol is left', async () => {
  const { client } = await page.connect();
  const [socket] = page.sockets;
  socket.opens();
  socket.says(Uint8Array.of(255, 1, 2, 3));
  assert(socket.closedWith !== null);
  assert.notEqual(client.status.state, 'playing');
  client.leave();
});

test('who leaves is gone: no socket, no timer, no listener, and nothing is told any more', async () => {
  const { client, told } = await page.connect();
  const [socket] = page.sockets;
  socket.opens();
  assert(page.listeners > 0);
  client.leave();
  assert.equal(socket.closedWith, 1000);
  assert.equal(page.listeners, 0);
  assert.equal(client.status.state, 'ended');
  assert.equal(client.status.end.name, 'left');
  const count = told.length;
  page.pass(120_000);
  assert.equal(page.timers, 0);
  assert.equal(page.sockets.length, 1);
  assert.equal(told.length, count);
  client.leave();
});

test('what is wrong in the call is said at once', async () => {
  await assert.rejects(page.connect({ room: 'the red one' }), /neither a room's number nor the code/);
  for (const missing of ['WebSocket', 'WebAssembly']) {
    const before = Object.getOwnPropertyDescriptor(globalThis, missing);
    Object.defineProperty(globalThis, missing, { value: undefined, configurable: true });
    await assert.rejects(connect({ game, url: 'http://games.example' }), new RegExp(`no ${missing}`));
    Object.defineProperty(globalThis, missing, before);
  }
});

test('an input is taken as it is, and refused where it cannot be', async () => {
  const { client } = await page.connect();
  assert.equal(client.setInput({ way: [0.5, -0.5], aim: 1, fire: true }), true);
  assert.equal(client.setInput({ way: { x: 1, y: 0 } }), true);
  assert.equal(client.setInput({ way: [7, 0] }), false);
  assert.equal(client.setInput({ way: [NaN, 0] }), false);
  assert.equal(client.setInput({ way: [0, 0] }), true);
  assert.throws(() => client.command({ Dance: true }));
  assert.throws(() => client.command({ Say: 'before there is a session' }));
  client.leave();
});

test('before there is anything to draw, drawing draws nothing', async () => {
  const { client } = await page.connect();
  const scene = client.draw();
  assert.deepEqual([scene.count, scene.avatar, scene.end - scene.start], [0, -1, 0]);
  assert.equal(client.draw(), scene);
  assert(Object.keys(client.kinds).includes('figure'));
  const stats = client.stats();
  assert(Number.isNaN(stats.rttMs) && stats.snapshots === 0);
  client.leave();
});
