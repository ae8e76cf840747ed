// Plays the arena in headless Chromium against the real server, and looks whether the page keeps its
// promises.
//
//   node arena.mjs TICKWIRE CHROMIUM PLAYWRIGHT SCREENSHOTS [BEHAVIOUR…]
//
// TICKWIRE is the server's binary, PLAYWRIGHT the folder of playwright-core. Fails with the first promise
// that is not kept, and leaves pictures of the pages. Behaviours are named by their functions; all of them by
// default.

import assert from 'node:assert/strict';
import * as ends from './ends.mjs';
import { World } from './harness.mjs';
import * as layout from './layout.mjs';
import * as network from './network.mjs';
import * as pictures from './pictures.mjs';
import * as play from './play.mjs';
import * as text from './text.mjs';

const [binary, chromium, playwright, screenshots, ...wanted] = process.argv.slice(2);
const world = await World.open([binary, chromium, playwright, screenshots]);
let ran = 0;
try {
  for (const theme of [play, network, ends, text, layout, pictures]) {
    for (const [name, behaviour] of Object.entries(theme)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const begun = performance.now();
      await behaviour(world);
      assert.deepEqual(world.complaints, [], `pages complained in ${name}`);
      for (const context of world.browser.contexts()) await context.close();
      console.log(`    ${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s`);
      ran += 1;
    }
  }
  assert(ran > 0, `there is no ${wanted}`);
} catch (error) {
  await world.explain();
  throw error;
} finally {
  await world.close();
}
