// What a frame of the arena costs a page at 32 players, by Chromium's own measures: scripting per frame, and
// garbage per minute beyond that of a page which only receives as many messages and drops them.
//
//   node profile.mjs TICKWIRE CHROMIUM PLAYWRIGHT SCREENSHOTS

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { DESK, World, predicted } from './harness.mjs';

const WARM_UP_TICKS = 600;
const SECONDS = 20;

const world = await World.open(process.argv.slice(2));
try {
  await world.startServer('--npcs', '31');
  const page = await world.newPage(DESK, 'Ann', { prepare: countFrames });
  await page.mouse.move(900, 300);
  await page.mouse.down();
  await page.keyboard.down('KeyD');
  await predicted(page, WARM_UP_TICKS);
  const counted = () => page.evaluate(() => ({ ...tickwire.play.client.stats() }));
  const [before, begun] = [await counted(), performance.now()];
  const playing = await measured(page);
  const [after, seconds] = [await counted(), (performance.now() - begun) / 1000];
  await world.picture(page, 'profile');
  await page.context().close();
  const count = after.snapshots - before.snapshots;
  const perSecond = count / seconds;
  const bytes = Math.round((after.bytesReceived - before.bytesReceived) / count);
  const dropping = await dropped(perSecond, bytes);
  const garbage = (playing.garbagePerMinute - dropping.garbagePerMinute) / 1e6;
  console.log(`    players                     32`);
  console.log(`    frames per second           ${(playing.frames / playing.seconds).toFixed(1)}`);
  console.log(`    snapshots                   ${perSecond.toFixed(1)} a second of ${bytes} bytes`);
  console.log(`    scripting per frame         ${playing.scriptMs.toFixed(2)} ms (at most 2)`);
  console.log(`    garbage of the game         ${(playing.garbagePerMinute / 1e6).toFixed(2)} MB a minute`);
  console.log(`    garbage of one that drops   ${(dropping.garbagePerMinute / 1e6).toFixed(2)} MB a minute`);
  console.log(`    more garbage                ${garbage.toFixed(2)} MB a minute (at most 1)`);
  console.log('    where it comes from, in bytes per frame:');
  for (const [name, size] of playing.allocators)
    console.log(`      ${(size / playing.frames).toFixed(0).padStart(6)}  ${name}`);
} finally {
  await world.close();
}

function countFrames(page) {
  return page.addInitScript(() => {
    globalThis.framesDrawn = 0;
    const count = () => {
      globalThis.framesDrawn += 1;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  });
}

/** Scripting, frames and garbage over a while. */
async function measured(page) {
  const session = await page.context().newCDPSession(page);
  const metric = async (name) => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find((one) => one.name === name).value;
  };
  const frames = () => page.evaluate(() => globalThis.framesDrawn);
  await session.send('Performance.enable');
  const [script, drawn, begun] = [await metric('ScriptDuration'), await frames(), performance.now()];
  await page.waitForTimeout(SECONDS * 1000);
  const scriptSeconds = (await metric('ScriptDuration')) - script;
  const count = (await frames()) - drawn;
  const seconds = (performance.now() - begun) / 1000;
  // Sampling costs time of its own, so it comes after.
  await session.send('HeapProfiler.enable');
  await session.send('HeapProfiler.startSampling', {
    samplingInterval: 1024,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  const [sampledFrom, sampledAt] = [await frames(), performance.now()];
  await page.waitForTimeout(SECONDS * 1000);
  const { profile } = await session.send('HeapProfiler.stopSampling');
  const sampledFrames = (await frames()) - sampledFrom;
  const minutes = (performance.now() - sampledAt) / 60_000;
  const byName = new Map();
  let total = 0;
  const visit = ({ callFrame, selfSize, children }) => {
    total += selfSize;
    const file = callFrame.url.split('/').pop();
    const name = `${callFrame.functionName || '(no name)'} ${file}:${callFrame.lineNumber + 1}`;
    byName.set(name, (byName.get(name) ?? 0) + selfSize);
    children.forEach(visit);
  };
  visit(profile.head);
  const allocators = [...byName].sort(([, a], [, b]) => b - a).slice(0, 14);
  return {
    seconds,
    frames: count,
    scriptMs: (scriptSeconds * 1000) / count,
    garbagePerMinute: total / minutes,
    allocators: allocators.map(([name, size]) => [name, (size * count) / sampledFrames]),
  };
}

/** The same of a page that gets as many messages of that size, and drops them. */
async function dropped(perSecond, bytes) {
  const text = `<!doctype html><title>Drops</title><script>
    const socket = new WebSocket('ws://' + location.host);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = () => {};
    const frame = () => requestAnimationFrame(frame);
    frame();
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
    timers.push(setInterval(() => socket.write(frame), 1000 / perSecond));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const page = await world.watchedPage(DESK);
  await countFrames(page);
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  const result = await measured(page);
  await page.context().close();
  timers.forEach(clearInterval);
  server.close();
  return result;
}
