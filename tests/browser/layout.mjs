// The page fits: on a phone, for the keyboard, for who reads with little contrast.

import assert from 'node:assert/strict';
import { DESK, PHONE, YARD, isThere, predicted } from './harness.mjs';

export async function thePhoneFits(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const page = await world.openPage(PHONE);
  const fits = (selector) =>
    page.evaluate(
      (name) =>
        document.documentElement.scrollWidth <= innerWidth &&
        document.querySelector(name).getBoundingClientRect().right <= innerWidth,
      selector,
    );
  assert(await fits('.card'), 'the door is wider than the phone');
  await page.tap('#play');
  await isThere(page);
  const from = await page.evaluate(() => ({ ...tickwire.play.show.avatar }));
  await touch(page, 'pointerdown', 90, 620);
  for (const [x, y] of [
    [60, 60],
    [-60, 60],
    [60, -60],
    [-60, -60],
  ]) {
    await touch(page, 'pointermove', 90 + x, 620 + y);
    await predicted(page, 30);
  }
  await touch(page, 'pointerup', 90, 620);
  const now = await page.evaluate(() => ({ ...tickwire.play.show.avatar }));
  assert(Math.hypot(now.x - from.x, now.y - from.y) > 0.05, 'the thumb moved nobody');
  await nothingOverlaps(page, ['#pad-dash', '#pad-weapon', '#vitals', '.round', '.tools', '#open-menu']);
  await page.tap('#open-score');
  await page.locator('#board').waitFor();
  assert(await fits('#board'), 'the scoreboard is wider than the phone');
  await page.tap('#open-score');
  await page.tap('#open-menu');
  await page.locator('#resume').waitFor();
  assert(await fits('.card'), 'the menu is wider than the phone');
  await world.closePage(page);
}

/** A thumb on the glass. */
function touch(page, type, x, y) {
  return page.evaluate(
    ([name, clientX, clientY]) => {
      const how = { pointerId: 7, pointerType: 'touch', clientX, clientY, bubbles: true, isPrimary: true };
      document.querySelector('#stage').dispatchEvent(new PointerEvent(name, how));
    },
    [type, x, y],
  );
}

/** Boxes are within the page, and apart from each other unless one holds the other. */
async function nothingOverlaps(page, selectors) {
  const wrong = await page.evaluate((names) => {
    const boxes = names.map((name) => document.querySelector(name).getBoundingClientRect());
    const elements = names.map((name) => document.querySelector(name));
    const found = [];
    for (const [at, box] of boxes.entries()) {
      const isWithin = box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
      if (box.width === 0 || !isWithin) found.push(`${names[at]} is not on the page`);
      for (let other = 0; other < at; other += 1) {
        if (elements[other].contains(elements[at])) continue;
        const b = boxes[other];
        const apart = box.right <= b.left || b.right <= box.left || box.bottom <= b.top || b.bottom <= box.top;
        if (!apart) found.push(`${names[at]} lies over ${names[other]}`);
      }
    }
    return found;
  }, selectors);
  assert.deepEqual(wrong, []);
}

/** Without a mouse: from the door into the game, to the menu, to the net graph, and out. */
export async function theKeyboardSuffices(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const page = await world.openPage(DESK);
  const focused = () => page.evaluate(() => document.activeElement.id);
  assert.equal(await focused(), 'play');
  await page.keyboard.press('Shift+Tab');
  assert.equal(await focused(), 'name');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await isThere(page);
  await page.keyboard.press('KeyN');
  await page.locator('#net').waitFor();
  await page.check('#net-server');
  // A box that was ticked does not swallow the keys of the game.
  await page.keyboard.press('KeyN');
  await page.locator('#net').waitFor({ state: 'hidden' });
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'resume');
  await page.keyboard.press('Enter');
  await page.locator('#door').waitFor({ state: 'hidden' });
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'quit');
  await page.keyboard.press('Enter');
  await page.locator('#play').waitFor({ state: 'visible' });
  await page.context().close();
}

/** Everything that one presses or fills in has a name, and text stands out from what is behind it. */
export async function everythingIsLabelledAndReadable(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const page = await world.openPage(DESK);
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll('button, input, a, canvas')]
      .filter((element) => {
        const label = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent;
        return !(label ?? element.textContent).trim();
      })
      .map(({ id, localName }) => `${localName}#${id}`),
  );
  assert.deepEqual(nameless, []);
  const faint = await page.evaluate(() => {
    /** WCAG 2.2, relative luminance and contrast ratio. */
    const luminance = (parts) => {
      const [r, g, b] = parts.map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
    const behind = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const [r, g, b, alpha = 1] = parts(getComputedStyle(at).backgroundColor);
        if (alpha > 0.5) return [r, g, b];
      }
      return [10, 14, 18];
    };
    const found = [];
    for (const element of document.querySelectorAll('.door p, .door label, .door button, .door a, .door dd')) {
      if (!element.checkVisibility() || !element.textContent.trim()) continue;
      const text = luminance(parts(getComputedStyle(element).color).slice(0, 3));
      const ground = luminance(behind(element));
      const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
      if (ratio < 4.5) found.push(`${element.textContent.trim()}: ${ratio.toFixed(1)}`);
    }
    return found;
  });
  assert.deepEqual(faint, []);
  await page.context().close();
}
