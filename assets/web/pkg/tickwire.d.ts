/** The client of a Tickwire game for web pages. */

/** A game's module, as `import * as arena from './arena.js'` has it. */
export interface GameModule {
  default(input?: unknown): Promise<{ memory: WebAssembly.Memory }>;
  GameClient: unknown;
}

export interface ConnectOptions {
  /** The game's module. */
  game: GameModule;
  /** Its WebAssembly, if it does not lie beside the module: an address, a response, or a compiled module. */
  wasm?: unknown;
  /** The server's address; the page's own by default. */
  url?: string | URL;
  /** What the player is called. */
  name?: string;
  /**
   * `''` for any public room, `'new'` or `'private'` for a new one, a room's number, or a private room's
   * code.
   */
  room?: string;
  /** Whether to watch only. */
  spectator?: boolean;
}

export type State = 'connecting' | 'loading' | 'playing' | 'reconnecting' | 'waiting' | 'ended';

/** Why a session ended. */
export interface SessionEnd {
  code: number;
  name: string;
  text: string;
}

/** How things stand. Times are those of `performance.now()`. */
export interface Status {
  state: State;
  /** `reconnecting`: since when nothing is heard. */
  since: number;
  /** `waiting`: when the client comes back. */
  until: number;
  /** `waiting` and `ended`: what happened. */
  end: SessionEnd | null;
}

export interface Welcome {
  /** Whether an earlier session goes on. If not, the player is a new one. */
  resumed: boolean;
  /** The own player's id. */
  player: number;
  /** The room's id. */
  room: number;
  /** The code of a private room. */
  code: string | null;
  /** Milliseconds from tick to tick. */
  tickMs: number;
  software: string | null;
}

/** What each event hands to its handler. */
export interface Events {
  /** Let in, for the first time or again. */
  welcomed: Welcome;
  /** A connection was lost; the client opens another one. */
  disconnected: { code: number; reason: string };
  /** The game told something, and what is drawn has reached its tick. */
  game: { tick: number; event: any };
  /** The step of the own avatar shows something, at once. */
  effect: any;
  /** Another level. */
  level: { id: string; bytes: Uint8Array };
  /** The server told something. */
  notice: { kind: string; withinMs: number | null; text: string | null };
  /** How things stand has changed. */
  status: Status;
  /** It is over. */
  ended: { code: number; reason: string; text: string };
}

/**
 * What to draw. The object is always the same one, and so is its memory, which the next call changes: read it
 * at once.
 */
export interface Scene {
  /** All numbers; rows are parts of it. */
  readonly values: Float64Array;
  /** Where the first row begins. */
  readonly start: number;
  /** Where the last one ends. */
  readonly end: number;
  /** Numbers in a row: the entity's index, its kind's id, and its components. */
  readonly stride: number;
  /** How many rows there are. */
  readonly count: number;
  /** The time on show, in ticks. */
  readonly tick: number;
  /** Where the own avatar's numbers begin; -1 while there is none. */
  readonly avatar: number;
}

/** The figures of a net graph. Times are in milliseconds; NaN is not known yet. */
export interface Stats {
  rttMs: number;
  rttVarianceMs: number;
  inputJitterMs: number;
  inputMarginMs: number;
  inputLeadMs: number;
  arrivalJitterMs: number;
  interpolationDelayMs: number;
  snapshotIntervalMs: number;
  snapshotBytes: number;
  snapshots: number;
  bytesReceived: number;
  bytesSent: number;
  inputs: number;
  inputsTaken: number;
  inputsHeld: number;
  inputsNeutral: number;
  predicted: number;
  corrections: number;
  interfered: number;
  mismatches: number;
  restarts: number;
  clockSnaps: number;
  heldFrames: number;
  connectionsLost: number;
  resumes: number;
  dropped: number;
}

export interface FieldDescription {
  name: string;
  place: number;
  components: number;
}

export interface GameDescription {
  name: string;
  predicts: boolean;
  stride: number;
  kinds: { name: string; fields: FieldDescription[] }[];
  input: { name: string; fields: FieldDescription[] };
  states: State[];
  stats: (keyof Stats)[];
}

export type InputValue =
  number | boolean | readonly number[] | { x: number; y: number; z?: number; w?: number };

export class Client {
  readonly game: GameDescription;
  /** By kind: its `id`, and where in a row each of its fields begins. */
  readonly kinds: Record<string, Record<string, number>>;
  /** Where in the avatar's numbers each of its fields begins; empty before there was an avatar. */
  readonly avatarFields: Record<string, number>;
  readonly status: Status;
  readonly welcome: Welcome | null;
  readonly level: { id: string; bytes: Uint8Array } | null;
  /** What is to be added to the way to the server and back, to see what the client makes of it. */
  conditions: { delayMs: number; jitterMs: number; stallUntil: number };

  on<T extends keyof Events>(type: T, handler: (event: Events[T]) => void): () => void;
  /** What the player wants from now on. What is not named stays. False if something is out of its range. */
  setInput(wanted: Record<string, InputValue>): boolean;
  /** Says a command of the game. */
  command(command: unknown): void;
  /** What to draw now. */
  draw(now?: number): Scene;
  /** The same as the newest snapshot tells it. */
  drawServer(): Scene;
  stats(): Stats;
  /** Cuts the connections, as a bad network does. */
  cut(): void;
  /** Leaves for good. */
  leave(): void;
}

/** Loads a game's module, so that it is there when `connect` is called. */
export function load(game: GameModule, wasm?: unknown): Promise<{ memory: WebAssembly.Memory }>;

/** Loads the game's module and joins. */
export function connect(options: ConnectOptions): Promise<Client>;
