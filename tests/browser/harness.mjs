// What the browser's behaviours stand on: a server that comes and goes, Chromium, and pages that are watched.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Only for what never comes: a slow machine is waited for. */
export const PATIENCE_MS = 60_000;
export const DESK = { viewport: { width: 1280, height: 800 } };
export const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
  isMobile: true,
};
/** A level so small that everybody sees everybody. */
export const YARD = fileURLToPath(new URL('yard.txt', import.meta.url));

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A server and a browser. */
export class World {
  browser;
  address;
  /** What pages complained of. */
  complaints = [];
  /** Where pictures go. */
  screenshots;

  #binary;
  #port;
  #server = null;

  /** The arguments of the programs: the server's binary, Chromium's, playwright-core, a folder. */
  static async open([binary, chromiumPath, playwrightPath, screenshots]) {
    const world = new World();
    const playwright = (await import(pathToFileURL(join(playwrightPath, 'index.js')).href)).default;
    await mkdir(screenshots, { recursive: true });
    world.#binary = binary;
    world.screenshots = screenshots;
    world.#port = await freePort();
    world.address = `http://127.0.0.1:${world.#port}`;
    world.browser = await playwright.chromium.launch({ executablePath: chromiumPath, args: FLAGS });
    return world;
  }

  async close() {
    await this.browser.close();
    await this.stopServer();
  }

  /** Starts the server, in place of the one before. Its address is always the same. */
  async startServer(...options) {
    await this.stopServer();
    const process_ = spawn(this.#binary, ['--listen', `127.0.0.1:${this.#port}`, ...options], {
      stdio: ['ignore', 'ignore', 'inherit'],
      // A slow machine makes clocks slip, which is no news.
      env: { ...process.env, TICKWIRE_LOG: process.env.TICKWIRE_LOG ?? 'error' },
    });
    this.#server = process_;
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`${this.address}/health`).catch(() => null);
      if (answer?.ok) return;
      assert(tries < 600 && process_.exitCode === null, 'the server does not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends the server as a power cut does. */
  async stopServer() {
    const server = this.#server;
    this.#server = null;
    if (server === null || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  /** The process's number, for who measures it. */
  get serverPid() {
    return this.#server?.pid;
  }

  /** A page that has loaded, with nobody in the game yet. `prepare` gets it before. */
  async openPage(settings, { path = '/', at = this.address + path, until: state = 'load', prepare } = {}) {
    const page = await this.watchedPage(settings);
    await page.addInitScript(watchFromWithin);
    await prepare?.(page);
    await page.goto(at, { waitUntil: state });
    return page;
  }

  /** A page in the game. */
  async newPage(settings, name, options) {
    const page = await this.openPage(settings, options);
    if (name) await page.fill('#name', name);
    await page.click('#play');
    await isThere(page);
    return page;
  }

  /** A page whose complaints are heard. */
  async watchedPage(settings) {
    const page = await (await this.browser.newContext(settings)).newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('console', (message) => message.type() === 'error' && this.complaints.push(message.text()));
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    return page;
  }

  /** Puts a picture into the folder. */
  async picture(page, name) {
    await page.screenshot({ path: join(this.screenshots, `${name}.png`) });
  }

  /** Ends a page; whatever it did, its avatar was as both ends expected. */
  async closePage(page) {
    const mismatches = await page.evaluate(() => globalThis.tickwire?.play?.client.stats().mismatches ?? 0);
    await page.context().close();
    assert.equal(mismatches, 0, 'avatars that were not as both ends expected');
  }

  /** Pictures of all pages, and how their clients fare: for who looks for what went wrong. */
  async explain() {
    for (const [number, context] of this.browser.contexts().entries()) {
      for (const page of context.pages()) {
        await this.picture(page, `failed-${number}`).catch(() => {});
        const state = () => {
          const client = globalThis.tickwire?.play?.client;
          return client && { status: client.status, welcome: client.welcome, stats: { ...client.stats() } };
        };
        console.error(number, page.url(), JSON.stringify(await page.evaluate(state).catch(String)));
      }
    }
    console.error('complaints', this.complaints);
  }
}

/** Runs within a page, before its own scripts. */
function watchFromWithin() {
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
}

/** Waits until something holds in a page; what it is then. */
export async function until(page, condition, argument) {
  const handle = await page.waitForFunction(condition, argument ?? null, { timeout: PATIENCE_MS });
  return handle.jsonValue();
}

/** Waits until the page plays. */
export const playing = (page) =>
  until(page, () => globalThis.tickwire?.play?.client.status.state === 'playing');

/** Waits until the page plays and has an avatar. */
export async function isThere(page) {
  await playing(page);
  await until(page, () => tickwire.play.show.avatar.isThere);
}

/** Waits until so many more avatars were predicted and confirmed. */
export async function predicted(page, count) {
  const from = await page.evaluate(() => tickwire.play.client.stats().predicted);
  await until(page, (wanted) => tickwire.play.client.stats().predicted >= wanted, from + count);
}

/** The player's id. */
export const playerOf = (page) => page.evaluate(() => tickwire.play.client.welcome.player);

/** A copy of the figures. */
export const statsOf = (page) => page.evaluate(() => ({ ...tickwire.play.client.stats() }));

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
