/* tslint:disable */
/* eslint-disable */

/**
 * A client of the game. Times are milliseconds of `performance.now()`.
 */
export class GameClient {
  free(): void;
  [Symbol.dispose](): void;
  /**
   * The names of the avatar's numbers; undefined before there was one.
   */
  avatarFields(): any;
  /**
   * How many they are; 0 while there is no avatar.
   */
  avatarLength(): number;
  /**
   * Where the own avatar's numbers are.
   */
  avatar(): number;
  /**
   * How often it has changed how things stand.
   */
  changes(): number;
  /**
   * The names of what comes as numbers.
   */
  static describe(): any;
  /**
   * Works out what the newest snapshot says, in place of the scene; the number of rows.
   */
  drawServer(): number;
  /**
   * Works out what to draw; the number of rows of the scene.
   */
  draw(now: number): number;
  /**
   * The table of session ends: code, name, text.
   */
  static ends(): any;
  /**
   * A connection was closed with this code.
   */
  handleClosed(connection: number, code: number, now: number): void;
  /**
   * Takes in a command of the game.
   */
  handleCommand(command: any): void;
  /**
   * Nobody looks any more.
   */
  handleHidden(now: number): void;
  /**
   * The input's components are what the player wants from now on. False if they cannot be.
   */
  handleInput(): boolean;
  /**
   * The player leaves for good.
   */
  handleLeave(now: number): void;
  /**
   * Takes in the level that was put there.
   */
  handleLevel(now: number): void;
  /**
   * Takes in the message that was put there.
   */
  handleMessage(connection: number, now: number): void;
  /**
   * A connection is open.
   */
  handleOpened(connection: number, now: number): void;
  /**
   * Somebody looks again.
   */
  handleShown(now: number): void;
  /**
   * Lets time pass.
   */
  handleTime(now: number): void;
  /**
   * The timer went off.
   */
  handleTimer(): void;
  /**
   * Where the input's components are.
   */
  input(): number;
  /**
   * How long it is.
   */
  messageLength(): number;
  /**
   * Where that message is.
   */
  message(): number;
  /**
   * A client that wants a connection. `room` is `''`, `'new'`, `'private'`, a room's number, or
   * the code of a private room; `seed` is any number.
   */
  constructor(name: string, room: string, spectator: boolean, seed: number, now: number);
  /**
   * Writes the next message; over which connection it goes, or -1 if there is none.
   */
  pollMessage(): number;
  /**
   * For how many milliseconds the timer is to be set anew; -1 if it need not be.
   */
  pollTimer(now: number): number;
  /**
   * What is next to be done or known: 0 for nothing, 1 for a level that is wanted, 2 for a
   * connection, 3 for an event, 4 for an event of the game, 5 for an effect of the own avatar's
   * step.
   */
  poll(): number;
  /**
   * Where a message or a level of so many bytes is to be put.
   */
  receive(length: number): number;
  /**
   * Where the time is that the scene shows, in ticks.
   */
  sceneTick(): number;
  /**
   * Where the rows of the scene are.
   */
  scene(): number;
  /**
   * The code of the end that they stand so after; 0 for none.
   */
  stateEnd(): number;
  /**
   * Since when or until when they stand so.
   */
  stateTime(): number;
  /**
   * How things stand: the place in `states` of the description.
   */
  state(): number;
  /**
   * Works out the figures of the net graph, and says where they are.
   */
  stats(): number;
  /**
   * What was polled.
   */
  take(): any;
}

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
  readonly memory: WebAssembly.Memory;
  readonly __wbg_gameclient_free: (a: number, b: number) => void;
  readonly gameclient_avatar: (a: number) => number;
  readonly gameclient_avatarFields: (a: number) => [number, number, number];
  readonly gameclient_avatarLength: (a: number) => number;
  readonly gameclient_changes: (a: number) => number;
  readonly gameclient_describe: () => [number, number, number];
  readonly gameclient_draw: (a: number, b: number) => number;
  readonly gameclient_drawServer: (a: number) => number;
  readonly gameclient_ends: () => [number, number, number];
  readonly gameclient_handleClosed: (a: number, b: number, c: number, d: number) => void;
  readonly gameclient_handleCommand: (a: number, b: any) => [number, number];
  readonly gameclient_handleHidden: (a: number, b: number) => void;
  readonly gameclient_handleInput: (a: number) => number;
  readonly gameclient_handleLeave: (a: number, b: number) => void;
  readonly gameclient_handleLevel: (a: number, b: number) => [number, number];
  readonly gameclient_handleMessage: (a: number, b: number, c: number) => void;
  readonly gameclient_handleOpened: (a: number, b: number, c: number) => void;
  readonly gameclient_handleShown: (a: number, b: number) => void;
  readonly gameclient_handleTime: (a: number, b: number) => void;
  readonly gameclient_handleTimer: (a: number) => void;
  readonly gameclient_input: (a: number) => number;
  readonly gameclient_message: (a: number) => number;
  readonly gameclient_messageLength: (a: number) => number;
  readonly gameclient_new: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => [number, number, number];
  readonly gameclient_poll: (a: number) => number;
  readonly gameclient_pollMessage: (a: number) => number;
  readonly gameclient_pollTimer: (a: number, b: number) => number;
  readonly gameclient_receive: (a: number, b: number) => number;
  readonly gameclient_scene: (a: number) => number;
  readonly gameclient_sceneTick: (a: number) => number;
  readonly gameclient_state: (a: number) => number;
  readonly gameclient_stateEnd: (a: number) => number;
  readonly gameclient_stateTime: (a: number) => number;
  readonly gameclient_stats: (a: number) => number;
  readonly gameclient_take: (a: number) => any;
  readonly __wbindgen_malloc: (a: number, b: number) => number;
  readonly __wbindgen_realloc: (a: number, b: number, c: number, d: number) => number;
  readonly __wbindgen_free: (a: number, b: number, c: number) => void;
  readonly __wbindgen_externrefs: WebAssembly.Table;
  readonly __externref_table_dealloc: (a: number) => void;
  readonly __wbindgen_start: () => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
* Instantiates the given `module`, which can either be bytes or
* a precompiled `WebAssembly.Module`.
*
* @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
*
* @returns {InitOutput}
*/
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
* If `module_or_path` is {RequestInfo} or {URL}, makes a request and
* for everything else, calls `WebAssembly.instantiate` directly.
*
* @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
*
* @returns {Promise<InitOutput>}
*/
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
