// The client of a Tickwire game for web pages.
//
// The game's module (`arena.js`, made from Rust) is the client core: it predicts, interpolates, keeps its
// clock ahead of the server's, and knows when to connect again. This file is what it needs around it:
// sockets, time, timers, and whether anybody looks. Each frame goes over as numbers in the module's
// memory.

/** Where a server is to be connected to, and how it is spoken to there. */
const PATH = '/play';
const SUBPROTOCOL = 'tickwire.1';

/** Numbers in a row of the scene before the components: the entity's index and its kind. */
const HEAD = 2;

const LEVEL_RETRY_MS = 1000;

/** One load of each module, whoever asks. */
const modules = new Map();

/** Loads a game's module, so that it is there when `connect` is called. Resolves to its exports. */
export function load(game, wasm) {
  if (!modules.has(game)) {
    const loading = wasm === undefined ? game.default() : game.default({ module_or_path: wasm });
    loading.catch(() => modules.delete(game));
    modules.set(game, loading);
  }
  return modules.get(game);
}

/**
 * Loads the game's module and joins. Resolves when the client exists; that it plays, it says by its events.
 */
export async function connect({
  game,
  wasm,
  url = location.href,
  name = 'Player',
  room = '',
  spectator = false,
}) {
  if (typeof WebAssembly !== 'object') throw new Error('This browser has no WebAssembly.');
  if (typeof WebSocket !== 'function') throw new Error('This browser has no WebSocket.');
  const { memory } = await load(game, wasm);
  const seed = crypto.getRandomValues(new Uint32Array(1))[0];
  const core = new game.GameClient(name, room, spectator, seed, performance.now());
  return new Client(game, core, memory, new URL(url, globalThis.location?.href));
}

/** A way to the server that can be made worse, to see what the client makes of it. */
class Link {
  #socket;
  #conditions;
  #timer = 0;
  /** What is held back, in order: `[due, what, data]`. */
  #held = [];
  #deliver;

  constructor(address, conditions, handlers) {
    this.#conditions = conditions;
    const socket = (this.#socket = new WebSocket(address, SUBPROTOCOL));
    socket.binaryType = 'arraybuffer';
    this.#deliver = (what, data) => {
      if (what === 0) handlers.message(data);
      else if (socket.readyState === WebSocket.OPEN) socket.send(data);
    };
    socket.onopen = handlers.open;
    socket.onclose = ({ code }) => {
      clearTimeout(this.#timer);
      this.#held.length = 0;
      handlers.close(code);
    };
    socket.onmessage = (event) => this.#pass(0, event.data);
  }

  send(bytes) {
    this.#pass(1, bytes);
  }

  close(code) {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    socket.onopen = socket.onclose = socket.onmessage = null;
    // A page may not say the codes below 3000 but this one.
    socket.close(code >= 3000 ? code : 1000);
  }

  #pass(what, data) {
    const conditions = this.#conditions;
    const isAsIs = conditions.delayMs === 0 && conditions.jitterMs === 0 && conditions.stallUntil === 0;
    if (isAsIs && this.#held.length === 0) {
      this.#deliver(what, data);
      return;
    }
    const { delayMs, jitterMs, stallUntil } = conditions;
    // Half of the delay on each way. Nothing overtakes: a stream keeps its order.
    const now = performance.now();
    const due = Math.max(
      now + delayMs / 2 + Math.random() * jitterMs,
      stallUntil,
      this.#held.at(-1)?.[0] ?? 0,
    );
    this.#held.push([due, what, what === 1 ? data.slice() : data]);
    if (this.#held.length === 1) this.#wait(now);
  }

  #wait(now) {
    this.#timer = setTimeout(
      () => {
        const { stallUntil } = this.#conditions;
        const reached = performance.now() + 0.5;
        while (this.#held.length > 0 && this.#held[0][0] <= reached && stallUntil <= reached) {
          const [, what, data] = this.#held.shift();
          this.#deliver(what, data);
        }
        if (this.#held.length > 0) this.#wait(performance.now());
      },
      Math.max(this.#held[0][0], this.#conditions.stallUntil) - now,
    );
  }
}

/** A client that plays. Made by `connect`. */
export class Client {
  /** The game's name, kinds and input by name. */
  game;
  /** `kinds.figure.position`: where in a row a field begins; `kinds.figure.id`: what `values[row + 1]` is. */
  kinds = {};
  /** The same of the avatar; empty before there was one. */
  avatarFields = {};
  /** `{ state, since, until, end }`: how things stand. */
  status = { state: 'connecting', since: 0, until: 0, end: null };
  /** What the server said when it let the player in. */
  welcome = null;
  /** The level's id and bytes. */
  level = null;
  /** `{ delayMs, jitterMs, stallUntil }`: what is to be added to the way to the server and back. */
  conditions = { delayMs: 0, jitterMs: 0, stallUntil: 0 };

  #core;
  #memory;
  #bytes = new Uint8Array(0);
  #numbers = new Float64Array(0);
  /** Views of outgoing messages by length: a frame makes none. */
  #outgoing = [];
  #outgoingAt = 0;
  #address;
  #base;
  #links = new Map();
  #handlers = new Map();
  #ends = new Map();
  #inputFields;
  #knowsAvatar = false;
  #scene = { values: this.#numbers, start: 0, end: 0, stride: 0, count: 0, tick: 0, avatar: -1 };
  #stats = {};
  #timer = 0;
  #wake;
  /** How often it had changed how things stand, when that was last told. */
  #changes = 0;
  #listeners = [];

  constructor(game, core, memory, base) {
    this.#core = core;
    this.#memory = memory;
    this.#base = base;
    const secure = base.protocol === 'https:' || base.protocol === 'wss:';
    this.#address = `${secure ? 'wss' : 'ws'}://${base.host}${PATH}`;
    this.game = game.GameClient.describe();
    for (const row of game.GameClient.ends()) this.#ends.set(row.code, row);
    this.game.kinds.forEach((kind, id) => {
      const fields = kind.fields.map(({ name, place }) => [name, HEAD + place]);
      this.kinds[kind.name.charAt(0).toLowerCase() + kind.name.slice(1)] = {
        ...Object.fromEntries(fields),
        id,
      };
    });
    this.#inputFields = this.game.input.fields;
    this.#scene.stride = this.game.stride;
    for (const figure of this.game.stats) this.#stats[figure] = 0.5;
    this.#wake = () => {
      this.#core?.handleTimer();
      this.#turn();
    };
    this.#listen();
    // Handlers that are set in the same turn of the page hear of everything.
    queueMicrotask(() => this.#turn());
  }

  /** Calls the handler whenever that happens. Returns a function that ends it. */
  on(type, handler) {
    const handlers = this.#handlers.get(type) ?? [];
    this.#handlers.set(type, [...handlers, handler]);
    return () =>
      this.#handlers.set(
        type,
        this.#handlers.get(type).filter((other) => other !== handler),
      );
  }

  /**
   * What the player wants from now on: fields of the game's input by name; numbers, booleans, and arrays or
   * `{ x, y }` for vectors. What is not named stays. False if something is out of its range.
   */
  setInput(wanted) {
    const numbers = this.#values();
    const start = this.#core.input() >> 3;
    const fields = this.#inputFields;
    for (let at = 0; at < fields.length; at += 1) {
      const { name, place, components } = fields[at];
      const value = wanted[name];
      if (value === undefined) continue;
      if (components === 1) {
        numbers[start + place] = value;
      } else if (value.x !== undefined) {
        numbers[start + place] = value.x;
        numbers[start + place + 1] = value.y;
        if (components > 2) numbers[start + place + 2] = value.z;
        if (components > 3) numbers[start + place + 3] = value.w;
      } else {
        for (let axis = 0; axis < components; axis += 1) numbers[start + place + axis] = value[axis];
      }
    }
    return this.#core.handleInput();
  }

  /** Says a command of the game: `{ Say: 'Hello' }`. Throws if it is none, or there is no session. */
  command(command) {
    this.#core.handleCommand(command);
    this.#turn();
  }

  /**
   * What to draw now. The object is always the same one, and its numbers lie in memory that the next call
   * changes: read them at once. Rows are at `start`, `start + stride`, … below `end`; the own avatar's numbers
   * at `avatar`, which is -1 while there is none.
   */
  draw(now = performance.now()) {
    const present = performance.now();
    this.#turn(present);
    return this.#lookAt(this.#core.draw(now > present ? now : present));
  }

  /** The same as the newest snapshot tells it: nothing is predicted or interpolated. */
  drawServer() {
    return this.#lookAt(this.#core.drawServer());
  }

  /** The figures of a net graph, in an object that is always the same one. */
  stats() {
    const start = this.#core.stats() >> 3;
    const numbers = this.#values();
    const names = this.game.stats;
    for (let place = 0; place < names.length; place += 1) this.#stats[names[place]] = numbers[start + place];
    return this.#stats;
  }

  /** Cuts the connections, as a bad network does. The client comes back by itself. */
  cut() {
    for (const [id, link] of [...this.#links]) {
      // 1000 would be a good-bye; this code is nobody's.
      link.close(3000);
      this.#closed(id, 1006);
    }
  }

  /** Leaves for good. */
  leave() {
    if (this.#core === null) return;
    this.#core.handleLeave(performance.now());
    this.#turn();
    for (const [target, type, listener] of this.#listeners) target.removeEventListener(type, listener);
  }

  #listen() {
    if (typeof document !== 'object') return;
    const on = (target, type, listener) => {
      target.addEventListener(type, listener);
      this.#listeners.push([target, type, listener]);
    };
    on(document, 'visibilitychange', () => {
      if (document.hidden) this.#core.handleHidden(performance.now());
      else this.#core.handleShown(performance.now());
      this.#turn();
    });
    // Who closes the page is gone at once, not after the server's grace.
    on(globalThis, 'pagehide', ({ persisted }) => persisted || this.leave());
    if (document.hidden) this.#core.handleHidden(performance.now());
  }

  /** Lets time pass, and does all that is due. The time is asked for once: it is an object each time. */
  #turn(now = performance.now()) {
    if (this.#core === null) return;
    const core = this.#core;
    try {
      core.handleTime(now);
      for (;;) {
        // Messages come before what is done with their connections.
        for (let id = core.pollMessage(); id >= 0; id = core.pollMessage()) this.#send(id);
        const what = core.poll();
        if (what === 0) break;
        const polled = core.take();
        if (what === 1) this.#fetch(polled);
        else if (what === 2) this.#connect(polled);
        else if (what === 3) this.#tell(polled);
        else if (what === 4) this.#emit('game', polled);
        else this.#emit('effect', polled);
        // A handler may have left.
        if (this.#core === null) return;
      }
      this.#notice();
      const wait = core.pollTimer(now);
      if (wait >= 0) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(this.#wake, wait);
      }
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#fail(error);
    }
  }

  /** The module has panicked: nothing in it may be called any more. */
  #fail(error) {
    this.#core = null;
    clearTimeout(this.#timer);
    for (const link of this.#links.values()) link.close(1000);
    this.#links.clear();
    this.status = {
      state: 'ended',
      since: 0,
      until: 0,
      end: { code: 0, name: 'failed', text: String(error) },
    };
    this.#emit('status', this.status);
    console.error(error);
  }

  #notice() {
    const changes = this.#core.changes();
    if (changes === this.#changes) return;
    this.#changes = changes;
    const state = this.game.states[this.#core.state()];
    const time = this.#core.stateTime();
    const [since, until] = state === 'waiting' ? [0, time] : [time, 0];
    this.status = { state, since, until, end: this.#ends.get(this.#core.stateEnd()) ?? null };
    this.#emit('status', this.status);
  }

  #tell(told) {
    if (told.type === 'welcomed') this.welcome = told;
    this.#emit(told.type, told);
  }

  #emit(type, value) {
    // The list is another one when somebody comes or goes.
    const handlers = this.#handlers.get(type);
    if (handlers === undefined) return;
    for (let at = 0; at < handlers.length; at += 1) handlers[at](value);
  }

  #send(id) {
    const at = this.#core.message();
    const length = this.#core.messageLength();
    const bytes = this.#memoryBytes();
    if (at !== this.#outgoingAt) {
      this.#outgoing.length = 0;
      this.#outgoingAt = at;
    }
    if (this.#outgoing.length <= length) this.#outgoing.length = length + 1;
    const view = (this.#outgoing[length] ??= bytes.subarray(at, at + length));
    this.#links.get(id)?.send(view);
  }

  #connect({ connection, open, code }) {
    if (!open) {
      this.#links.get(connection)?.close(code);
      this.#links.delete(connection);
      return;
    }
    this.#links.set(
      connection,
      new Link(this.#address, this.conditions, {
        open: () => {
          this.#core?.handleOpened(connection, performance.now());
          this.#turn();
        },
        close: (closed) => this.#closed(connection, closed),
        message: (data) => this.#receive(connection, data),
      }),
    );
  }

  #closed(connection, code) {
    this.#links.delete(connection);
    this.#core?.handleClosed(connection, code, performance.now());
    this.#turn();
  }

  #receive(connection, data) {
    if (this.#core === null || typeof data === 'string') return;
    const at = this.#core.receive(data.byteLength);
    this.#memoryBytes().set(new Uint8Array(data), at);
    const now = performance.now();
    this.#core.handleMessage(connection, now);
    this.#turn(now);
  }

  async #fetch({ id, path }) {
    for (;;) {
      try {
        const response = await fetch(new URL(path ?? `/levels/${id}`, this.#base));
        if (!response.ok) throw new Error(`the level: ${response.status}`);
        const bytes = new Uint8Array(await response.arrayBuffer());
        if (this.#core === null) return;
        const at = this.#core.receive(bytes.length);
        this.#memoryBytes().set(bytes, at);
        this.#core.handleLevel(performance.now());
        this.level = { id, bytes };
        this.#emit('level', this.level);
        this.#turn();
        return;
      } catch {
        if (this.#core === null || this.status.state === 'ended') return;
        await new Promise((resolve) => setTimeout(resolve, LEVEL_RETRY_MS));
      }
    }
  }

  /** The views of memory are void when it has grown. */
  #memoryBytes() {
    if (this.#bytes.length === 0) {
      this.#bytes = new Uint8Array(this.#memory.buffer);
      this.#outgoing.length = 0;
    }
    return this.#bytes;
  }

  #values() {
    if (this.#numbers.length === 0) this.#numbers = new Float64Array(this.#memory.buffer);
    return this.#numbers;
  }

  #lookAt(count) {
    const scene = this.#scene;
    scene.values = this.#values();
    scene.count = count;
    scene.start = this.#core.scene() >> 3;
    scene.end = scene.start + count * scene.stride;
    scene.tick = scene.values[this.#core.sceneTick() >> 3];
    scene.avatar = this.#core.avatarLength() > 0 ? this.#core.avatar() >> 3 : -1;
    if (scene.avatar >= 0 && !this.#knowsAvatar) {
      for (const [name, place] of this.#core.avatarFields() ?? []) this.avatarFields[name] = place;
      this.#knowsAvatar = true;
    }
    return scene;
  }
}
