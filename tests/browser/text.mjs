// Text of others is drawn as what it is, bounded: no markup, no control, no direction, no pile of marks.

import assert from 'node:assert/strict';
import { DESK, YARD, until } from './harness.mjs';

const MARKUP = '<img src=x onerror=alert(1)>';
const PILE = `e${'\u0301'.repeat(10_000)}`;
const HOSTILE = `${MARKUP}\u202Edrow\u0007\u2067 ${PILE}`;

/** What the server lets through to others. */
export async function chatIsInert(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const [ann, bob] = await Promise.all([world.newPage(DESK, 'Ann'), world.newPage(DESK, 'Bob')]);
  const said = `${MARKUP}\u202Edrow\u0007 e${'\u0301'.repeat(60)}`;
  await ann.evaluate((Say) => tickwire.play.client.command({ Say }), said);
  await isInert(bob, bob.locator('#lines li').filter({ hasText: '<img' }));
  // By hand, as people do.
  await ann.keyboard.press('Enter');
  await ann.keyboard.type('<b>hello</b>');
  await ann.keyboard.press('Enter');
  await bob.locator('#lines li').getByText('<b>hello</b>').waitFor();
  assert(await ann.locator('#say').isHidden());
  for (const page of [ann, bob]) await world.closePage(page);
}

/** The page does not rely on the server for that: whatever a name or a line is, it is drawn bounded. */
export async function thePageTrustsNoText(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const page = await world.newPage(DESK, 'Ann');
  await page.evaluate((name) => {
    tickwire.hud.enter({ player: 999, name });
    tickwire.hud.said({ player: 999, to_team: false, text: name });
    tickwire.hud.killed({ victim: 999, by: 998, weapon: 'Rail', streak: 0 });
    tickwire.hud.begins({ number: 1, map: name });
  }, HOSTILE);
  for (const line of await page.locator('#lines li, #feed li').all()) await isInert(page, line, '');
  const { name, width, high } = await page.evaluate(async () => {
    // The very module that the page has.
    const { src } = document.querySelector('script[type=module]');
    const { label } = await import(new URL('sprites.js', src));
    const text = tickwire.hud.name(999);
    const picture = label(text, '#ffffff', 1);
    return { name: text, width: picture.width, high: picture.height };
  });
  assert(name.startsWith('<img') && [...name].length < 70, name);
  assert(width <= 240 && high <= 30, `the label is ${width} by ${high}`);
  await world.closePage(page);
}

/** A name with ten thousand marks gets in as a short one, or is refused with a reason. */
export async function aHostileNameIsBounded(world) {
  await world.startServer('--npcs', '0', '--map', YARD);
  const ann = await world.newPage(DESK, 'Ann');
  const bob = await world.openPage(DESK);
  await bob.evaluate((name) => {
    document.querySelector('#name').value = name;
  }, HOSTILE);
  await bob.click('#play');
  await until(bob, () => globalThis.tickwire?.play?.client.status.state === 'playing');
  await ann.keyboard.down('Tab');
  const row = ann.locator('#board-rows tr').filter({ hasText: '<img' });
  await row.waitFor();
  await isInert(ann, row);
  await ann.keyboard.up('Tab');
  for (const page of [ann, bob]) await world.closePage(page);
}

async function isInert(page, line, expected = '<img') {
  await line.waitFor();
  const { text, elements, wide } = await line.evaluate((item) => ({
    text: item.textContent,
    elements: [...item.querySelectorAll('*')].map(({ localName }) => localName),
    wide: item.scrollWidth > innerWidth,
  }));
  const known = ['b', 'span', 'i', 'small', 'td'];
  assert(elements.every((name) => known.includes(name)), `${elements}`);
  assert(!/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/u.test(text), JSON.stringify(text));
  assert(!/\p{M}{3}/u.test(text), JSON.stringify(text));
  assert(text.includes(expected) && text.length < 400, text);
  assert(!wide, 'it is wider than the page');
}
