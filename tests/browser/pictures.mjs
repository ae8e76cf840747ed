// Pictures of the page, for eyes.

import { DESK, PHONE, isThere, predicted, until } from './harness.mjs';

export async function picturesOfTheDesk(world) {
  await world.startServer('--npcs', '9');
  const page = await world.openPage(DESK);
  await until(page, () => tickwire.stage.level);
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  await world.picture(page, 'door');
  await page.fill('#name', 'Ann');
  await page.click('#play');
  await isThere(page);
  await page.mouse.move(900, 300);
  await page.mouse.down();
  await someoneIsNear(page);
  await world.picture(page, 'desk');
  await page.keyboard.press('KeyN');
  await page.check('#net-server');
  await predicted(page, 500);
  await someoneIsNear(page);
  await world.picture(page, 'net-graph');
  await page.uncheck('#net-server');
  await page.mouse.up();
  await page.keyboard.press('KeyN');
  await page.keyboard.down('Tab');
  await page.locator('#board').waitFor();
  await predicted(page, 30);
  await world.picture(page, 'scoreboard');
  await page.keyboard.up('Tab');
  await page.keyboard.press('Escape');
  await world.picture(page, 'menu');
  await world.closePage(page);
}

export async function picturesOfThePhone(world) {
  await world.startServer('--npcs', '9');
  // A room that is open, so that the door lists one.
  const ann = await world.newPage(DESK, 'Ann');
  const page = await world.openPage(PHONE);
  await page.locator('#rooms li').first().waitFor();
  await world.picture(page, 'phone-door');
  await page.tap('#play');
  await isThere(page);
  await someoneIsNear(page);
  await world.picture(page, 'phone');
  await page.tap('#open-score');
  await page.locator('#board').waitFor();
  await world.picture(page, 'phone-scoreboard');
  for (const each of [page, ann]) await world.closePage(each);
}

/** The own player is there, and somebody else is in sight. */
async function someoneIsNear(page) {
  await predicted(page, 100);
  await until(page, () => {
    const { show, client } = tickwire.play;
    const { values, start, end, stride } = client.draw();
    const { figure } = client.kinds;
    for (let row = start; row < end; row += stride) {
      if (values[row + 1] !== figure.id) continue;
      const [x, y] = [values[row + figure.position], values[row + figure.position + 1]];
      if (Math.abs(x - show.avatar.x) < 9 && Math.abs(y - show.avatar.y) < 6) return show.avatar.isThere;
    }
    return false;
  });
}
