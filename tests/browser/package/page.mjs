// What a page has and node has not: sockets and a clock, in the hands of a test.

import { readFile } from 'node:fs/promises';

const built = new URL('../../../assets/web/pkg/', import.meta.url);

/** The package as it is served. */
export const { connect } = await import(new URL('tickwire.js', built));
export const game = await import(new URL('arena.js', built));
export const wasm = await readFile(new URL('arena_bg.wasm', built));

/** A socket that nobody answers but the test. */
class FakeSocket {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSED = 3;
  static all = [];

  readyState = FakeSocket.CONNECTING;
  sent = [];
  closedWith = null;
  onopen = null;
  onclose = null;
  onmessage = null;

  constructor(address, subprotocol) {
    Object.assign(this, { address, subprotocol });
    FakeSocket.all.push(this);
  }

  send(bytes) {
    this.sent.push(Uint8Array.from(bytes));
  }

  /** What the page does. */
  close(code) {
    this.closedWith = code;
    this.readyState = FakeSocket.CLOSED;
  }

  // What the network does.

  opens() {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
  }

  ends(code) {
    this.readyState = FakeSocket.CLOSED;
    this.onclose?.({ code });
  }

  says(bytes) {
    this.onmessage?.({ data: bytes.buffer ?? bytes });
  }
}

/** A page in which no time passes but by `pass`. */
export class FakePage {
  now = 1000;
  isHidden = false;
  #timers = new Map();
  #next = 1;
  #listeners = new Map();
  #before = {};

  constructor() {
    FakeSocket.all = [];
    const target = {
      addEventListener: (type, listener) => this.#listeners.set(listener, type),
      removeEventListener: (type, listener) => this.#listeners.delete(listener),
    };
    const page = this;
    this.#replace({
      WebSocket: FakeSocket,
      performance: { now: () => this.now },
      setTimeout: (act, time) => {
        this.#timers.set(this.#next, { at: this.now + time, act });
        return this.#next++;
      },
      clearTimeout: (id) => this.#timers.delete(id),
      document: {
        ...target,
        get hidden() {
          return page.isHidden;
        },
      },
      addEventListener: target.addEventListener,
      removeEventListener: target.removeEventListener,
      // A link to a server that is not there.
      fetch: () => Promise.reject(new Error('there is no network')),
    });
  }

  #replace(globals) {
    for (const [name, value] of Object.entries(globals)) {
      this.#before[name] = Object.getOwnPropertyDescriptor(globalThis, name);
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  }

  /** Puts everything back. */
  close() {
    for (const [name, before] of Object.entries(this.#before)) {
      if (before) Object.defineProperty(globalThis, name, before);
      else delete globalThis[name];
    }
  }

  get sockets() {
    return FakeSocket.all;
  }

  get timers() {
    return this.#timers.size;
  }

  get listeners() {
    return this.#listeners.size;
  }

  hide(isHidden) {
    this.isHidden = isHidden;
    for (const [listener, type] of [...this.#listeners]) if (type === 'visibilitychange') listener({});
  }

  /** Lets milliseconds pass, with all that is due in them. */
  pass(time) {
    const end = this.now + time;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [id, { at, act }] = due;
      this.#timers.delete(id);
      this.now = Math.max(this.now, at);
      act();
    }
    this.now = end;
  }

  /** A client, and all that it told. */
  async connect(options = {}) {
    const client = await connect({ game, wasm, url: 'http://games.example:7777/deep/link', ...options });
    const told = [];
    for (const type of ['status', 'welcomed', 'disconnected', 'ended'])
      client.on(type, (value) => told.push([type, value]));
    // The first turn is in a microtask of its own.
    await null;
    return { client, told };
  }
}
