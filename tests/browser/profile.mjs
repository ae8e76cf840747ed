// What the arena costs a page at 32 players, by Chromium's own measures: scripting per frame, garbage per
// minute beside that of a page which only receives as many messages and drops them, and how soon after the
// click the first frame is there.
//
//   node profile.mjs TICKWIRE CHROMIUM PLAYWRIGHT SCREENSHOTS [RUNS [SECONDS]]
//
// A run measures time for so many seconds and then garbage for as many, since looking at the heap takes time
// itself; and then the garbage of the page that drops.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { DESK, World, predicted } from './harness.mjs';

const WARM_UP_TICKS = 600;
const FIRST_FRAMES = 5;
/** How long the door is looked at before the click: a glance. */
const GLANCE_MS = 1000;
const ALLOCATORS = 14;

const [runs, seconds] = process.argv.slice(6).map(Number);
const RUNS = runs || 3;
const SECONDS = seconds || 60;

const world = await World.open(process.argv.slice(2, 6));
try {
  const first = [];
  for (let time = 0; time < FIRST_FRAMES; time += 1) first.push(await firstFrame());
  first.sort((a, b) => a - b);
  const [median, worst] = [first[FIRST_FRAMES >> 1], first.at(-1)];
  say('first frame', `${median.toFixed(0)} ms after the click, ${worst.toFixed(0)} at worst (at most 1000)`);
  for (let run = 1; run <= RUNS; run += 1) {
    const { playing, perSecond, bytes } = await played();
    const dropping = await dropped(perSecond, bytes);
    const more = playing.garbage - dropping.garbage;
    console.log(`  run ${run}: 32 players, ${SECONDS} s of each`);
    say('frames', `${playing.framesPerSecond.toFixed(1)} a second`);
    say('messages', `${perSecond.toFixed(1)} a second of ${bytes} bytes`);
    say('scripting', `${playing.scriptMs.toFixed(2)} ms a frame (at most 2)`);
    say('garbage of the game', `${inMegabytes(playing.garbage)} a minute`);
    const heard = `${dropping.perSecond.toFixed(1)} messages a second`;
    say('of one that drops', `${inMegabytes(dropping.garbage)} a minute, ${heard}`);
    say('more', `${inMegabytes(more)} a minute (at most 1)`);
    console.log('    where the game leaves it, a minute:');
    for (const [name, size] of playing.allocators)
      console.log(`      ${(size / 1000).toFixed(0).padStart(5)} KB  ${name}`);
  }
} finally {
  await world.close();
}

function say(what, text) {
  console.log(`    ${what.padEnd(22)}${text}`);
}

function inMegabytes(bytes) {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

/** Milliseconds from the click on Play to a frame with the own player in it, where nobody was before. */
async function firstFrame() {
  await world.startServer('--npcs', '31');
  const page = await world.openPage(DESK);
  await page.waitForTimeout(GLANCE_MS);
  const passed = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const clicked = performance.now();
        document.getElementById('play').click();
        const look = () => {
          if (!globalThis.tickwire.play?.show.avatar.isThere) return requestAnimationFrame(look);
          // A task after the frame in which it was drawn.
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => resolve(performance.now() - clicked);
          return port2.postMessage(null);
        };
        requestAnimationFrame(look);
      }),
  );
  await page.context().close();
  return passed;
}

/** A page that plays: runs, shoots, and is shot at. */
async function played() {
  await world.startServer('--npcs', '31');
  const page = await world.newPage(DESK, 'Ann', { prepare: count });
  await page.mouse.move(900, 300);
  await page.mouse.down();
  await page.keyboard.down('KeyD');
  await predicted(page, WARM_UP_TICKS);
  const counted = () => page.evaluate(() => ({ ...globalThis.counted, at: performance.now() }));
  const before = await counted();
  const playing = { ...(await timed(page)), ...(await littered(page)) };
  const after = await counted();
  await world.picture(page, 'profile');
  await page.context().close();
  const messages = after.messages - before.messages;
  const perSecond = (messages * 1000) / (after.at - before.at);
  return { playing, perSecond, bytes: Math.round((after.bytes - before.bytes) / messages) };
}

/** Counts frames and messages within a page, and leaves nothing behind by it. */
function count(page) {
  return page.addInitScript(() => {
    const counted = (globalThis.counted = { frames: 0, messages: 0, bytes: 0 });
    const frame = () => {
      counted.frames += 1;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    const heard = ({ data }) => {
      counted.messages += 1;
      counted.bytes += data.byteLength;
    };
    globalThis.WebSocket = class extends WebSocket {
      constructor(...all) {
        super(...all);
        this.addEventListener('message', heard);
      }
    };
  });
}

/** Frames, and scripting in each. All that runs is counted, also between frames. */
async function timed(page) {
  const session = await page.context().newCDPSession(page);
  const metric = async (name) => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find((one) => one.name === name).value;
  };
  const frames = () => page.evaluate(() => globalThis.counted.frames);
  await session.send('Performance.enable');
  const [script, drawn, begun] = [await metric('ScriptDuration'), await frames(), performance.now()];
  await page.waitForTimeout(SECONDS * 1000);
  const scriptSeconds = (await metric('ScriptDuration')) - script;
  const count = (await frames()) - drawn;
  return {
    framesPerSecond: (count * 1000) / (performance.now() - begun),
    scriptMs: (scriptSeconds * 1000) / count,
  };
}

/** What a page leaves for the collector, by who made it: bytes per minute. */
async function littered(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  await session.send('HeapProfiler.startSampling', {
    samplingInterval: 1024,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  const begun = performance.now();
  await page.waitForTimeout(SECONDS * 1000);
  const { profile } = await session.send('HeapProfiler.stopSampling');
  const minutes = (performance.now() - begun) / 60_000;
  const byName = new Map();
  let total = 0;
  const visit = ({ callFrame, selfSize, children }) => {
    total += selfSize;
    const file = callFrame.url.split('/').pop();
    const name = `${callFrame.functionName || '(no name)'} ${file}:${callFrame.lineNumber + 1}`;
    byName.set(name, (byName.get(name) ?? 0) + selfSize / minutes);
    children.forEach(visit);
  };
  visit(profile.head);
  const allocators = [...byName].sort(([, a], [, b]) => b - a).slice(0, ALLOCATORS);
  return { garbage: total / minutes, allocators };
}

/**
 * The garbage of a page that gets as many messages of that size and drops them. It takes each message out of
 * its event, since what nobody takes is not received; it draws nothing, and asks for no frames.
 */
async function dropped(perSecond, bytes) {
  const text = `<!doctype html><title>Drops</title><script>
    globalThis.received = 0;
    const socket = new WebSocket('ws://' + location.host);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (event) => {
      if (event.data.byteLength > 0) globalThis.received += 1;
    };
  </script>`;
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(text));
  const timers = [];
  server.on('upgrade', ({ headers }, socket) => {
    // RFC 6455, sections 4.2.2 and 5.2.
    const key = headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    const length = bytes < 126 ? [bytes] : [126, bytes >> 8, bytes & 255];
    const frame = Buffer.concat([Buffer.from([0x82, ...length]), Buffer.alloc(bytes)]);
    // Timers have whole milliseconds: each sends what is due by now.
    const begun = performance.now();
    let sent = 0;
    const send = () => {
      for (; sent < ((performance.now() - begun) * perSecond) / 1000; sent += 1) socket.write(frame);
    };
    timers.push(setInterval(send, 500 / perSecond));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const page = await world.watchedPage(DESK);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => globalThis.received > 100);
  const received = () => page.evaluate(() => [globalThis.received, performance.now()]);
  const [before, from] = await received();
  const result = await littered(page);
  const [after, until] = await received();
  await page.context().close();
  timers.forEach(clearInterval);
  server.close();
  return { ...result, perSecond: ((after - before) * 1000) / (until - from) };
}
