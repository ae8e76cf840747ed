// A page plays: it loads fast, sees others, predicts right, and so does a page of another origin.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { DESK, PHONE, YARD, isThere, playerOf, predicted, statsOf, until } from './harness.mjs';

/** What the page needs is little, and nothing moves while it comes. */
export async function thePageLoads(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const page = await world.openPage(DESK);
  const begun = performance.now();
  await page.click('#play');
  await isThere(page);
  const clickToFirstFrameMs = Math.round(performance.now() - begun);
  const { bytes, shift } = await page.evaluate(() => ({
    bytes: performance
      .getEntriesByType('resource')
      .concat(performance.getEntriesByType('navigation'))
      .reduce((sum, { transferSize }) => sum + transferSize, 0),
    shift: globalThis.layoutShift,
  }));
  console.log(`    ${clickToFirstFrameMs} ms from the click to the first frame, ${bytes} bytes fetched`);
  assert(bytes > 50_000 && bytes < 300_000, `${bytes} bytes were fetched`);
  assert(shift < 0.01, `the page shifted by ${shift}`);
  await world.closePage(page);
}

/** Whoever has a slow line sees the door grow, and what is there already stays where it is. */
export async function nothingMovesWhileThePageComes(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  // So that there is a room to list.
  const player = await world.newPage(DESK, 'Ann');
  const text = await (await fetch(`${world.address}/`)).text();
  const half = text.indexOf('id="play"');
  /** The answer that waits until its first half has been drawn. */
  let unfinished;
  const slowly = createServer(async ({ url }, response) => {
    try {
      const answer = await fetch(world.address + url);
      const type = answer.headers.get('content-type') ?? 'text/plain';
      response.writeHead(answer.status, { 'content-type': type });
      const body = Buffer.from(await answer.arrayBuffer());
      if (url !== '/') return response.end(body);
      response.write(text.slice(0, half));
      unfinished = response;
    } catch {
      response.destroy();
    }
  });
  slowly.listen(0, '127.0.0.1');
  await once(slowly, 'listening');
  const at = `http://127.0.0.1:${slowly.address().port}/`;
  const low = { viewport: { width: 1280, height: 620 } };
  for (const settings of [DESK, low, PHONE]) {
    const page = await world.openPage(settings, { at, until: 'commit', prepare: recordPlaces });
    await until(page, () => performance.getEntriesByName('first-contentful-paint').length > 0);
    for (let begin = half; begin < text.length; begin += 1000) {
      unfinished.write(text.slice(begin, begin + 1000));
      // Not the next part before this one may have been drawn.
      await page.evaluate(drawn);
    }
    unfinished.end();
    await until(page, () => document.querySelector('#rooms button'));
    await page.evaluate(drawn);
    // Each part has had one place, from when it was there first.
    const places = await page.evaluate(() => globalThis.places);
    assert(places.h1.length > 0 && places['#play'].length > 0);
    for (const [part, of] of Object.entries(places)) assert.equal(of.length, 1, `${part} was at ${of}`);
    await world.closePage(page);
  }
  slowly.close();
  slowly.closeAllConnections();
  await world.closePage(player);
}

/** Runs within a page: a frame has been drawn, and the next one begun. */
const drawn = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));

/** Notes, in each frame, where parts of the door are. */
const recordPlaces = (page) =>
  page.addInitScript(() => {
    globalThis.places = { h1: [], '#name': [], '#play': [], '.keys': [] };
    const look = () => {
      for (const [part, places] of Object.entries(globalThis.places)) {
        const { x, y } = document.querySelector(part)?.getBoundingClientRect() ?? {};
        const place = `${x} ${y}`;
        if (x !== undefined && place !== places.at(-1)) places.push(place);
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });

export async function twoPagesSeeEachOtherMove(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const pages = await Promise.all([world.newPage(DESK, 'Ann'), world.newPage(DESK, 'Bob')]);
  for (const [mover, watcher] of [pages, pages.toReversed()]) {
    const player = await playerOf(mover);
    const before = await until(watcher, (id) => globalThis.whereIs(id), player);
    // Towards the middle, where nothing is in the way.
    const keys = [before[0] < 10 ? 'KeyD' : 'KeyA', before[1] < 5 ? 'KeyS' : 'KeyW'];
    for (const key of keys) await mover.keyboard.down(key);
    await until(
      watcher,
      ([id, from]) => {
        const now = globalThis.whereIs(id);
        return now && Math.hypot(now[0] - from[0], now[1] - from[1]) > 0.7;
      },
      [player, before],
    );
    for (const key of keys) await mover.keyboard.up(key);
  }
  for (const page of pages) await world.closePage(page);
}

/** Ticks of the undisturbed run: a minute. */
const MINUTE = 3600;

/** Each avatar that the server confirms is, bit for bit, the one that the page had predicted. */
export async function nothingIsCorrected(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const page = await world.newPage(DESK, 'Ann');
  const before = await statsOf(page);
  const keys = ['KeyW', 'KeyD', 'KeyS', 'KeyA'];
  for (let turn = 0; (await statsOf(page)).predicted - before.predicted < MINUTE; turn += 1) {
    const key = keys[turn % 4];
    await page.keyboard.down(key);
    if (turn % 3 === 0) await page.keyboard.press('Space');
    if (turn % 7 === 0) await page.keyboard.press('Digit2');
    if (turn % 7 === 3) await page.keyboard.press('Digit1');
    await page.mouse.move(200 + ((turn * 331) % 900), 100 + ((turn * 173) % 600));
    await (turn % 2 === 0 ? page.mouse.down() : page.mouse.up());
    await predicted(page, 50);
    await page.keyboard.up(key);
  }
  const after = await statsOf(page);
  const names = ['predicted', 'corrections', 'interfered', 'mismatches', 'inputsHeld', 'inputsNeutral'];
  const counted = Object.fromEntries(names.map((name) => [name, after[name] - before[name]]));
  console.log(`    ${JSON.stringify(counted)}`);
  assert(counted.predicted >= MINUTE);
  // Where the machine was too slow for an input, the server took another one, and the page is corrected. The
  // client tells such corrections apart by what the snapshot says was taken: `interfered` are all others.
  assert.equal(counted.interfered + counted.mismatches, 0);
  // Were every input late, all would be told apart and nothing shown.
  assert(counted.inputsHeld + counted.inputsNeutral < counted.predicted / 10);
  await world.closePage(page);
}

/** A page of another origin that does what the README of the package says, and no more. */
export async function theReadmeIsFollowedElsewhere(world) {
  await world.startServer('--npcs', '3', '--map', YARD);
  const readme = await readFile(new URL('../../browser-client/js/README.md', import.meta.url), 'utf8');
  const [, sample] = readme.match(/```html\n(.*?)```/s);
  const text = `<!doctype html><meta charset="utf-8"><title>Elsewhere</title>
    ${sample.replaceAll('http://localhost:7777', world.address)}`;
  const elsewhere = createServer((request, response) => {
    if (request.url !== '/') response.statusCode = 204;
    response.setHeader('content-type', 'text/html').end(request.url === '/' ? text : undefined);
  });
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  const page = await world.watchedPage(DESK);
  await page.goto(`http://localhost:${elsewhere.address().port}/`);
  // It draws, and what it draws moves.
  const drawn = () =>
    page.evaluate(() => {
      const canvas = document.querySelector('#view');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let sum = 0;
      for (let at = 3; at < data.length; at += 4) if (data[at] > 0) sum = (sum * 31 + at) % 1e9;
      return sum;
    });
  for (let seen = 0, known = 0; seen < 3;) {
    const picture = await drawn();
    if (picture !== 0 && picture !== known) seen += 1;
    known = picture;
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  elsewhere.close();
  await page.context().close();
}

/** The example's 40 lines. */
export async function theExamplePlays(world) {
  const source = await readFile(new URL('../../assets/web/example/example.js', import.meta.url), 'utf8');
  assert(source.trimEnd().split('\n').length <= 40, 'the example has more than 40 lines');
  await world.startServer('--npcs', '3', '--map', YARD);
  const page = await world.watchedPage(DESK);
  await page.goto(`${world.address}/web/example/index.html`);
  await until(page, () => document.querySelector('#state').textContent === 'playing');
  await page.context().close();
}
