// Plays the arena in headless Chromium against the real server, and looks whether the page keeps its
// promises.
//
//   node arena.mjs TICKWIRE CHROMIUM PLAYWRIGHT SCREENSHOTS
//
// TICKWIRE is the server's binary, PLAYWRIGHT the folder of playwright-core. Prints what it measured; fails
// with the first promise that is not kept.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [binary, chromiumPath, playwrightPath, screenshots] = process.argv.slice(2);
const { chromium } = (await import(pathToFileURL(join(playwrightPath, 'index.js')).href)).default;

/** Only for what never comes: a slow machine is waited for. */
const PATIENCE_MS = 60_000;
const DESK = { viewport: { width: 1280, height: 800 } };
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
};
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const port = await freePort();
const address = `http://127.0.0.1:${port}`;
const profile = await mkdtemp(join(tmpdir(), 'tickwire-browser-'));
await mkdir(screenshots, { recursive: true });
// A level so small that everybody sees everybody.
const yard = fileURLToPath(new URL('yard.txt', import.meta.url));
let server = await start('--npcs', '0', '--map', yard);
const browser = await chromium.launch({ executablePath: chromiumPath, args: FLAGS });
/** What pages complained of. */
const complaints = [];

try {
  await thePackageLoadsQuickly();
  const [ann, bob] = await Promise.all([newPage(DESK, 'Ann'), newPage(DESK, 'Bob')]);
  await twoSeeEachOtherMove(ann, bob);
  await nothingIsCorrected(ann);
  await textIsInert(ann, bob);
  await aCutConnectionIsResumed(ann);
  await aHiddenTabComesBack(ann);
  await aPageOfAnotherOriginPlays();
  await thePhoneFits();
  assert.deepEqual(complaints, [], 'pages complained');
  await aRestartedServerIsJoinedAgain(ann);
  await pictures(ann);
} finally {
  await browser.close();
  server.kill();
  await rm(profile, { recursive: true, force: true });
}

// The behaviours.

async function thePackageLoadsQuickly() {
  const page = await openPage(DESK);
  await page.screenshot({ path: join(screenshots, 'door.png') });
  const begun = Date.now();
  await page.click('#play');
  await playing(page);
  await page.waitForFunction(() => tickwire.play.show.avatar.isThere, null, { timeout: PATIENCE_MS });
  const firstFrameMs = Date.now() - begun;
  const { bytes, shift } = await page.evaluate(() => ({
    bytes: performance
      .getEntriesByType('resource')
      .concat(performance.getEntriesByType('navigation'))
      .reduce((sum, { transferSize }) => sum + transferSize, 0),
    shift: globalThis.layoutShift,
  }));
  console.log(
    JSON.stringify({ clickToFirstFrameMs: firstFrameMs, transferBytes: bytes, layoutShift: shift }),
  );
  assert(bytes < 300_000, `${bytes} bytes were fetched`);
  assert(shift < 0.01, `the page shifted by ${shift}`);
  await page.context().close();
}

async function twoSeeEachOtherMove(ann, bob) {
  for (const [mover, watcher] of [
    [ann, bob],
    [bob, ann],
  ]) {
    const player = await mover.evaluate(() => tickwire.play.client.welcome.player);
    const before = await seen(watcher, player);
    // Towards the middle, where nothing is in the way.
    const keys = [before[0] < 10 ? 'KeyD' : 'KeyA', before[1] < 5 ? 'KeyS' : 'KeyW'];
    for (const key of keys) await mover.keyboard.down(key);
    await watcher.waitForFunction(
      ([id, from]) => {
        const now = globalThis.whereIs(id);
        return now && from && Math.hypot(now[0] - from[0], now[1] - from[1]) > 0.7;
      },
      [player, before],
      { timeout: PATIENCE_MS },
    );
    for (const key of keys) await mover.keyboard.up(key);
  }
}

/** Where a page shows another player, once it does: they may have to come closer first. */
async function seen(page, player) {
  const handle = await page.waitForFunction((id) => globalThis.whereIs(id), player, { timeout: PATIENCE_MS });
  return handle.jsonValue();
}

async function nothingIsCorrected(page) {
  const before = await page.evaluate(() => ({ ...tickwire.play.client.stats() }));
  const keys = ['KeyW', 'KeyD', 'KeyS', 'KeyA'];
  for (let turn = 0; turn < 8; turn += 1) {
    const key = keys[turn % 4];
    await page.keyboard.down(key);
    if (turn % 3 === 0) await page.keyboard.press('Space');
    await predicted(page, 50);
    await page.keyboard.up(key);
  }
  const after = await page.evaluate(() => ({ ...tickwire.play.client.stats() }));
  const of = (name) => after[name] - before[name];
  const counted = Object.fromEntries(
    ['predicted', 'corrections', 'interfered', 'mismatches', 'inputsHeld', 'inputsNeutral'].map((name) => [
      name,
      of(name),
    ]),
  );
  console.log(JSON.stringify(counted));
  assert(counted.predicted >= 400);
  assert.equal(counted.interfered + counted.mismatches, 0);
  // Where the machine was too slow for an input, the server took another one, and that is to be corrected.
  if (counted.inputsHeld + counted.inputsNeutral === 0) assert.equal(counted.corrections, 0);
}

/** Waits until so many more avatars were predicted and confirmed. */
async function predicted(page, count) {
  await page.waitForFunction(
    (wanted) => {
      globalThis.predictedFrom ??= tickwire.play.client.stats().predicted;
      if (tickwire.play.client.stats().predicted - globalThis.predictedFrom < wanted) return false;
      globalThis.predictedFrom = undefined;
      return true;
    },
    count,
    { timeout: PATIENCE_MS },
  );
}

async function textIsInert(ann, bob) {
  const said = `<img src=x onerror=alert(1)>\u202Edrow\u0007 e${'\u0301'.repeat(60)}`;
  await ann.evaluate((Say) => tickwire.play.client.command({ Say }), said);
  const line = bob.locator('#lines li').last();
  await line.waitFor({ timeout: PATIENCE_MS });
  const { text, elements } = await line.evaluate((item) => ({
    text: item.textContent,
    elements: [...item.querySelectorAll('*')].map(({ localName }) => localName),
  }));
  assert(
    elements.every((name) => name === 'b' || name === 'span'),
    `${elements}`,
  );
  assert(!/[\u0000-\u001f\u202a-\u202e]/u.test(text), JSON.stringify(text));
  assert(!/\p{M}{3}/u.test(text), JSON.stringify(text));
  assert(text.includes('<img'), text);
}

async function aCutConnectionIsResumed(page) {
  const before = await page.evaluate(() => tickwire.play.client.welcome.player);
  await page.evaluate(() => {
    globalThis.wasLost = false;
    tickwire.play.client.on('status', ({ state }) => (globalThis.wasLost ||= state === 'reconnecting'));
    tickwire.play.client.cut();
  });
  await page.waitForFunction(
    () =>
      globalThis.wasLost &&
      tickwire.play.client.status.state === 'playing' &&
      tickwire.play.client.stats().resumes === 1,
    null,
    { timeout: PATIENCE_MS },
  );
  const { player, resumed } = await page.evaluate(() => tickwire.play.client.welcome);
  assert.deepEqual([player, resumed], [before, true]);
}

async function aHiddenTabComesBack(page) {
  const before = await page.evaluate(() => tickwire.play.client.welcome.player);
  const hide = (isHidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  await page.keyboard.down('KeyD');
  await hide(true);
  const inputs = await page.evaluate(() => tickwire.play.client.stats().inputs);
  await page.waitForFunction(
    (from) => tickwire.play.client.stats().snapshots > from + 150,
    await page.evaluate(() => tickwire.play.client.stats().snapshots),
    { timeout: PATIENCE_MS },
  );
  const made = (await page.evaluate(() => tickwire.play.client.stats().inputs)) - inputs;
  assert(made <= 1, `${made} inputs were made behind the player's back`);
  await hide(false);
  await page.keyboard.up('KeyD');
  await predicted(page, 60);
  assert.equal(await page.evaluate(() => tickwire.play.client.welcome.player), before);
}

async function aPageOfAnotherOriginPlays() {
  const text = `<!doctype html><title>Elsewhere</title><script type="module">
    import { connect } from '${address}/web/pkg/tickwire.js';
    import * as game from '${address}/web/pkg/arena.js';
    globalThis.client = await connect({ game, url: '${address}', name: 'Elsewhere' });
    const frame = () => { globalThis.scene = { ...client.draw() }; requestAnimationFrame(frame); };
    frame();
  </script>`;
  const elsewhere = createServer((_, response) => response.setHeader('content-type', 'text/html').end(text));
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const page = await watched(await (await browser.newContext(DESK)).newPage());
  await page.goto(`http://localhost:${elsewhere.address().port}/`);
  await page.waitForFunction(() => globalThis.scene?.avatar >= 0 && scene.count > 0, null, {
    timeout: PATIENCE_MS,
  });
  await page.context().close();
  elsewhere.close();

  const example = await watched(await (await browser.newContext(DESK)).newPage());
  await example.goto(`${address}/web/example/index.html`);
  await example.waitForFunction(() => document.querySelector('#state').textContent === 'playing', null, {
    timeout: PATIENCE_MS,
  });
  await example.context().close();
}

async function thePhoneFits() {
  const page = await openPage(PHONE);
  await page.screenshot({ path: join(screenshots, 'phone-door.png') });
  const fits = () =>
    page.evaluate(
      () =>
        document.documentElement.scrollWidth <= innerWidth &&
        document.querySelector('.card').getBoundingClientRect().right <= innerWidth,
    );
  assert(await fits(), 'the door is wider than the phone');
  await page.tap('#play');
  await playing(page);
  const from = await page.waitForFunction(
    () => tickwire.play.show.avatar.isThere && { ...tickwire.play.show.avatar },
    null,
    { timeout: PATIENCE_MS },
  );
  // A thumb that pulls the left stick.
  const touch = (type, x, y) =>
    page.evaluate(
      ([name, clientX, clientY]) => {
        document
          .querySelector('#stage')
          .dispatchEvent(
            new PointerEvent(name, {
              pointerId: 7,
              pointerType: 'touch',
              clientX,
              clientY,
              bubbles: true,
              isPrimary: true,
            }),
          );
      },
      [type, x, y],
    );
  await touch('pointerdown', 90, 620);
  for (const [x, y] of [
    [60, 60],
    [-60, 60],
    [60, -60],
    [-60, -60],
  ]) {
    await touch('pointermove', 90 + x, 620 + y);
    await predicted(page, 30);
  }
  const { x, y } = await from.jsonValue();
  const now = await page.evaluate(() => ({ ...tickwire.play.show.avatar }));
  assert(Math.hypot(now.x - x, now.y - y) > 0.05, 'the thumb moved nobody');
  assert(await page.locator('#pad-dash').isVisible());
  await page.context().close();
}

async function aRestartedServerIsJoinedAgain(page) {
  server.kill('SIGKILL');
  await once(server, 'exit');
  await page.waitForFunction(() => tickwire.play.client.status.state !== 'playing', null, {
    timeout: PATIENCE_MS,
  });
  await page.locator('#lost').waitFor({ state: 'visible', timeout: PATIENCE_MS });
  await page.screenshot({ path: join(screenshots, 'lost.png') });
  // With NPCs this time, for the pictures.
  server = await start('--npcs', '9');
  await playing(page);
  const { resumed } = await page.evaluate(() => tickwire.play.client.welcome);
  assert.equal(resumed, false);
}

async function pictures(ann) {
  await predicted(ann, 240);
  await ann.mouse.move(900, 300);
  await ann.mouse.down();
  await predicted(ann, 60);
  await ann.screenshot({ path: join(screenshots, 'desk.png') });
  await ann.keyboard.press('KeyN');
  await predicted(ann, 120);
  await ann.check('#net-server');
  await predicted(ann, 20);
  await ann.screenshot({ path: join(screenshots, 'net-graph.png') });
  await ann.uncheck('#net-server');
  await ann.mouse.up();
  await ann.keyboard.press('KeyN');
  await ann.evaluate(() => document.activeElement.blur());
  await ann.keyboard.down('Tab');
  await ann.locator('#board').waitFor({ state: 'visible', timeout: PATIENCE_MS });
  await predicted(ann, 30);
  await ann.screenshot({ path: join(screenshots, 'scoreboard.png') });
  await ann.keyboard.up('Tab');
  const page = await openPage(PHONE);
  await page.tap('#play');
  await playing(page);
  await page.waitForFunction(() => tickwire.play.show.avatar.isThere, null, { timeout: PATIENCE_MS });
  await predicted(page, 120);
  await page.screenshot({ path: join(screenshots, 'phone.png') });
  await page.context().close();
}

// What they are made of.

async function newPage(settings, name) {
  const page = await openPage(settings);
  await page.fill('#name', name);
  await page.click('#play');
  await playing(page);
  await page.waitForFunction(() => tickwire.play.show.avatar.isThere, null, { timeout: PATIENCE_MS });
  return page;
}

async function openPage(settings) {
  const page = await watched(await (await browser.newContext(settings)).newPage());
  await page.addInitScript(() => {
    globalThis.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.layoutShift += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
    /** Where the newest snapshot has a player. */
    globalThis.whereIs = (player) => {
      const { client } = tickwire.play;
      const { values, start, end, stride } = client.drawServer();
      const { figure } = client.kinds;
      for (let row = start; row < end; row += stride) {
        if (values[row + 1] !== figure.id || values[row + figure.player] !== player) continue;
        return [values[row + figure.position], values[row + figure.position + 1]];
      }
      return null;
    };
  });
  await page.goto(address);
  return page;
}

function watched(page) {
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  return page;
}

async function playing(page) {
  await page.waitForFunction(() => globalThis.tickwire?.play?.client.status.state === 'playing', null, {
    timeout: PATIENCE_MS,
  });
}

async function start(...options) {
  const process = spawn(binary, ['--listen', `127.0.0.1:${port}`, ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  for (let tries = 0; ; tries += 1) {
    const answer = await fetch(`${address}/health`).catch(() => null);
    if (answer?.ok) return process;
    assert(tries < 600 && process.exitCode === null, 'the server does not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort() {
  const probe = createSocket().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address();
  probe.close();
  await once(probe, 'close');
  return free;
}
