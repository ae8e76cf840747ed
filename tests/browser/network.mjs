// What a network does to a page: a cut, a server that restarts, a tab that nobody looks at.

import assert from 'node:assert/strict';
import { DESK, YARD, isThere, playerOf, playing, predicted, statsOf, until } from './harness.mjs';

/** The socket is cut, and the page is back in the same player. */
export async function aCutConnectionIsResumed(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const page = await world.newPage(DESK, 'Ann');
  const before = await playerOf(page);
  for (const times of [1, 2]) {
    await page.evaluate(() => {
      globalThis.wasLost = false;
      tickwire.play.client.on('status', ({ state }) => (globalThis.wasLost ||= state === 'reconnecting'));
      tickwire.play.client.cut();
    });
    await until(
      page,
      (wanted) =>
        globalThis.wasLost &&
        tickwire.play.client.status.state === 'playing' &&
        tickwire.play.client.stats().resumes === wanted,
      times,
    );
    const { player, resumed } = await page.evaluate(() => tickwire.play.client.welcome);
    assert.deepEqual([player, resumed], [before, true]);
    // The game goes on: inputs are taken again.
    await predicted(page, 60);
  }
  await world.closePage(page);
}

export async function aHiddenTabComesBack(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const page = await world.newPage(DESK, 'Ann');
  const before = await playerOf(page);
  const hide = (isHidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  await page.keyboard.down('KeyD');
  await predicted(page, 20);
  await hide(true);
  const { inputs, snapshots } = await statsOf(page);
  await until(page, (wanted) => tickwire.play.client.stats().snapshots > wanted, snapshots + 150);
  const made = (await statsOf(page)).inputs - inputs;
  assert(made <= 1, `${made} inputs were made behind the player's back`);
  await hide(false);
  await page.keyboard.up('KeyD');
  await predicted(page, 60);
  assert.equal(await playerOf(page), before);
  await world.closePage(page);
}

/** The server is killed and starts anew: the page says so, and joins again by itself. */
export async function aRestartedServerIsJoinedAgain(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const page = await world.newPage(DESK, 'Ann');
  await world.stopServer();
  await page.locator('#lost').waitFor({ state: 'visible' });
  assert.match(await page.locator('#lost').innerText(), /connection lost/i);
  await world.picture(page, 'lost');
  // Chromium itself writes down each attempt that fails.
  await world.startServer('--npcs', '0', '--map', YARD);
  await playing(page);
  assert.equal(await page.evaluate(() => tickwire.play.client.welcome.resumed), false);
  await isThere(page);
  await page.locator('#lost').waitFor({ state: 'hidden' });
  forgiveRefusedConnections(world);
  await world.closePage(page);
}

function forgiveRefusedConnections({ complaints }) {
  const others = complaints.filter((text) => !/WebSocket connection to .* failed/.test(text));
  complaints.splice(0, complaints.length, ...others);
}
