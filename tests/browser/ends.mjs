// A page that cannot play says so: a full room, a server that closes, another version, a browser that lacks
// something.

import assert from 'node:assert/strict';
import { DESK, YARD, isThere, playing } from './harness.mjs';

/** Who finds the room full is told, and gets in when somebody goes. */
export async function aFullRoomIsSaid(world) {
  await world.startServer('--npcs', '0', '--map', YARD, '--room-capacity', '2');
  const [ann, bob] = await Promise.all([world.newPage(DESK, 'Ann'), world.newPage(DESK, 'Bob')]);
  const cleo = await world.openPage(DESK, { path: '/#room=1' });
  await cleo.click('#play');
  await cleo.locator('#lost').getByText('The room is full').waitFor();
  await cleo.locator('#lost-text').getByText('Back in').waitFor();
  await world.picture(cleo, 'full');
  // Or one goes back to the door.
  const dora = await world.openPage(DESK, { path: '/#room=1' });
  await dora.click('#play');
  await dora.locator('#lost').getByText('The room is full').waitFor();
  await dora.click('#lost-leave');
  await dora.locator('#play').waitFor({ state: 'visible' });
  await ann.keyboard.press('Escape');
  await ann.click('#quit');
  await ann.locator('#play').waitFor({ state: 'visible' });
  await isThere(cleo);
  for (const page of [ann, bob, cleo, dora]) await world.closePage(page);
}

/** The server takes nobody in, since it is about to close. */
export async function aDrainingServerIsSaid(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const closes = (page) => page.routeWebSocket(/\/play$/, (socket) => refuse(socket, 4105, 'draining-refused'));
  const page = await world.openPage(DESK, { prepare: closes });
  await page.click('#play');
  await page.locator('#lost').getByText('The server is closing').waitFor();
  await page.locator('#lost-text').getByText('Back in').waitFor();
  await page.unrouteAll();
  await world.closePage(page);
}

async function refuse(socket, code, reason) {
  socket.onMessage(() => socket.close({ code, reason }));
}

/** The server of today refuses a client of a time to come; the page says what to do. */
export async function anotherVersionIsSaid(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const older = (page) =>
    page.routeWebSocket(/\/play$/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((message) => {
        // A hello: its type, and then the version.
        message[1] = 200;
        server.send(message);
      });
    });
  const page = await world.openPage(DESK, { prepare: older });
  await page.click('#play');
  const error = page.locator('#error');
  await error.getByText('another version').waitFor();
  assert.match(await error.innerText(), /Load the page again/);
  assert(await page.locator('#play').isVisible());
  await world.picture(page, 'another-version');
  await world.closePage(page);
}

/** A link to a room that is no more. */
export async function aRoomThatIsGoneIsSaid(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const page = await world.openPage(DESK, { path: '/#room=77' });
  await page.click('#play');
  await page.locator('#error').getByText('There is no such room').waitFor();
  // The next press of Play goes where there is room.
  await page.click('#play');
  await playing(page);
  await world.closePage(page);
}

export async function aBrowserThatLacksSomethingGetsASentence(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  for (const missing of ['WebAssembly', 'WebSocket']) {
    const page = await world.openPage(DESK, {
      prepare: (fresh) => fresh.addInitScript((name) => delete globalThis[name], missing),
    });
    await page.locator('#error').getByText(`This browser has no ${missing}`).waitFor();
    assert(!(await page.locator('#play').isVisible()));
    await page.context().close();
  }
  const page = await world.watchedPage({ ...DESK, javaScriptEnabled: false });
  await page.goto(world.address);
  assert.match(await page.locator('body').innerText(), /The game needs JavaScript\./);
  await page.context().close();
}
