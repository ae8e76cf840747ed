/* @ts-self-types="./arena.d.ts" */

/**
 * A client of the game. Times are milliseconds of `performance.now()`.
 */
export class GameClient {
__destroy_into_raw() {
                const ptr = this.__wbg_ptr;
this.__wbg_ptr = 0;
GameClientFinalization.unregister(this);
return ptr;
            }
            free() {
                const ptr = this.__destroy_into_raw();
                wasm.__wbg_gameclient_free(ptr, 0);
            }
            /**
 * The names of the avatar's numbers; undefined before there was one.
 * @returns {any}
 */
avatarFields() {
const ret = wasm.gameclient_avatarFields(this.__wbg_ptr);
if (ret[2]) {
throw takeFromExternrefTable0(ret[1]);
}
return takeFromExternrefTable0(ret[0]);
}
/**
 * How many they are; 0 while there is no avatar.
 * @returns {number}
 */
avatarLength() {
const ret = wasm.gameclient_avatarLength(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * Where the own avatar's numbers are.
 * @returns {number}
 */
avatar() {
const ret = wasm.gameclient_avatar(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * How often it has changed how things stand.
 * @returns {number}
 */
changes() {
const ret = wasm.gameclient_changes(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * The names of what comes as numbers.
 * @returns {any}
 */
static describe() {
const ret = wasm.gameclient_describe();
if (ret[2]) {
throw takeFromExternrefTable0(ret[1]);
}
return takeFromExternrefTable0(ret[0]);
}
/**
 * Works out what the newest snapshot says, in place of the scene; the number of rows.
 * @returns {number}
 */
drawServer() {
const ret = wasm.gameclient_drawServer(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * Works out what to draw; the number of rows of the scene.
 * @param {number} now
 * @returns {number}
 */
draw(now) {
const ret = wasm.gameclient_draw(this.__wbg_ptr, now);
return ret >>> 0;
}
/**
 * The table of session ends: code, name, text.
 * @returns {any}
 */
static ends() {
const ret = wasm.gameclient_ends();
if (ret[2]) {
throw takeFromExternrefTable0(ret[1]);
}
return takeFromExternrefTable0(ret[0]);
}
/**
 * A connection was closed with this code.
 * @param {number} connection
 * @param {number} code
 * @param {number} now
 */
handleClosed(connection, code, now) {
wasm.gameclient_handleClosed(this.__wbg_ptr, connection, code, now);
}
/**
 * Takes in a command of the game.
 * @param {any} command
 */
handleCommand(command) {
const ret = wasm.gameclient_handleCommand(this.__wbg_ptr, command);
if (ret[1]) {
throw takeFromExternrefTable0(ret[0]);
}
}
/**
 * Nobody looks any more.
 * @param {number} now
 */
handleHidden(now) {
wasm.gameclient_handleHidden(this.__wbg_ptr, now);
}
/**
 * The input's components are what the player wants from now on. False if they cannot be.
 * @returns {boolean}
 */
handleInput() {
const ret = wasm.gameclient_handleInput(this.__wbg_ptr);
return ret !== 0;
}
/**
 * The player leaves for good.
 * @param {number} now
 */
handleLeave(now) {
wasm.gameclient_handleLeave(this.__wbg_ptr, now);
}
/**
 * Takes in the level that was put there.
 * @param {number} now
 */
handleLevel(now) {
const ret = wasm.gameclient_handleLevel(this.__wbg_ptr, now);
if (ret[1]) {
throw takeFromExternrefTable0(ret[0]);
}
}
/**
 * Takes in the message that was put there.
 * @param {number} connection
 * @param {number} now
 */
handleMessage(connection, now) {
wasm.gameclient_handleMessage(this.__wbg_ptr, connection, now);
}
/**
 * A connection is open.
 * @param {number} connection
 * @param {number} now
 */
handleOpened(connection, now) {
wasm.gameclient_handleOpened(this.__wbg_ptr, connection, now);
}
/**
 * Somebody looks again.
 * @param {number} now
 */
handleShown(now) {
wasm.gameclient_handleShown(this.__wbg_ptr, now);
}
/**
 * Lets time pass.
 * @param {number} now
 */
handleTime(now) {
wasm.gameclient_handleTime(this.__wbg_ptr, now);
}
/**
 * The timer went off.
 */
handleTimer() {
wasm.gameclient_handleTimer(this.__wbg_ptr);
}
/**
 * Where the input's components are.
 * @returns {number}
 */
input() {
const ret = wasm.gameclient_input(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * How long it is.
 * @returns {number}
 */
messageLength() {
const ret = wasm.gameclient_messageLength(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * Where that message is.
 * @returns {number}
 */
message() {
const ret = wasm.gameclient_message(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * A client that wants a connection. `room` is `''`, `'new'`, `'private'`, a room's number, or
 * the code of a private room; `seed` is any number.
 * @param {string} name
 * @param {string} room
 * @param {boolean} spectator
 * @param {number} seed
 * @param {number} now
 */
constructor(name, room, spectator, seed, now) {
const val3 = +spectator;
const val4 = +seed;
const val5 = +now;
let ptr0, len0, ptr1, len1;
try {
ptr0 = passStringToWasm0(name, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
len0 = WASM_VECTOR_LEN;
ptr1 = passStringToWasm0(room, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
len1 = WASM_VECTOR_LEN;
} catch (e) {
if (ptr1) { wasm.__wbindgen_free(ptr1, len1 * 1, 1); }
if (ptr0) { wasm.__wbindgen_free(ptr0, len0 * 1, 1); }
throw e;
}
const ret = wasm.gameclient_new(ptr0, len0, ptr1, len1, val3, val4, val5);
if (ret[2]) {
throw takeFromExternrefTable0(ret[1]);
}
this.__wbg_ptr = ret[0];
GameClientFinalization.register(this, this.__wbg_ptr, this);
return this;
}
/**
 * Writes the next message; over which connection it goes, or -1 if there is none.
 * @returns {number}
 */
pollMessage() {
const ret = wasm.gameclient_pollMessage(this.__wbg_ptr);
return ret;
}
/**
 * For how many milliseconds the timer is to be set anew; -1 if it need not be.
 * @param {number} now
 * @returns {number}
 */
pollTimer(now) {
const ret = wasm.gameclient_pollTimer(this.__wbg_ptr, now);
return ret;
}
/**
 * What is next to be done or known: 0 for nothing, 1 for a level that is wanted, 2 for a
 * connection, 3 for an event, 4 for an event of the game, 5 for an effect of the own avatar's
 * step.
 * @returns {number}
 */
poll() {
const ret = wasm.gameclient_poll(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * Where a message or a level of so many bytes is to be put.
 * @param {number} length
 * @returns {number}
 */
receive(length) {
const ret = wasm.gameclient_receive(this.__wbg_ptr, length);
return ret >>> 0;
}
/**
 * Where the time is that the scene shows, in ticks.
 * @returns {number}
 */
sceneTick() {
const ret = wasm.gameclient_sceneTick(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * Where the rows of the scene are.
 * @returns {number}
 */
scene() {
const ret = wasm.gameclient_scene(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * The code of the end that they stand so after; 0 for none.
 * @returns {number}
 */
stateEnd() {
const ret = wasm.gameclient_stateEnd(this.__wbg_ptr);
return ret;
}
/**
 * Since when or until when they stand so.
 * @returns {number}
 */
stateTime() {
const ret = wasm.gameclient_stateTime(this.__wbg_ptr);
return ret;
}
/**
 * How things stand: the place in `states` of the description.
 * @returns {number}
 */
state() {
const ret = wasm.gameclient_state(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * Works out the figures of the net graph, and says where they are.
 * @returns {number}
 */
stats() {
const ret = wasm.gameclient_stats(this.__wbg_ptr);
return ret >>> 0;
}
/**
 * What was polled.
 * @returns {any}
 */
take() {
const ret = wasm.gameclient_take(this.__wbg_ptr);
return ret;
}
}
if (Symbol.dispose) GameClient.prototype[Symbol.dispose] = GameClient.prototype.free;
function __wbg_get_imports() {
            const import0 = {
            __proto__: null,
        __wbg_Error_208446807d0d1e30: function(arg0, arg1) {
const ret = Error(getStringFromWasm0(arg0, arg1));
return ret;
},
__wbg_Number_ff192a72a0dcdf6d: function(arg0) {
const ret = Number(arg0);
return ret;
},
__wbg_String_8564e559799eccda: function(arg0, arg1) {
const ret = String(arg1);
const ptr1 = passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
const len1 = WASM_VECTOR_LEN;
getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true);
getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);
},
__wbg___wbindgen_boolean_get_4f1baf9a00be3c74: function(arg0) {
const v = arg0;
const ret = typeof(v) === 'boolean' ? v : undefined;
return isLikeNone(ret) ? 0xFFFFFF : ret ? 1 : 0;
},
__wbg___wbindgen_debug_string_f249a2a76caa9a55: function(arg0, arg1) {
const ret = debugString(arg1);
const ptr1 = passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
const len1 = WASM_VECTOR_LEN;
getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true);
getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);
},
__wbg___wbindgen_is_object_8b968c3ab8e96595: function(arg0) {
const val = arg0;
const ret = typeof(val) === 'object' && val !== null;
return ret;
},
__wbg___wbindgen_is_string_fc456fee5d3317de: function(arg0) {
const ret = typeof(arg0) === 'string';
return ret;
},
__wbg___wbindgen_jsval_loose_eq_b2f214e2e4b30e36: function(arg0, arg1) {
const ret = arg0 == arg1;
return ret;
},
__wbg___wbindgen_number_get_934b640d0889af78: function(arg0, arg1) {
const obj = arg1;
const ret = typeof(obj) === 'number' ? obj : undefined;
getDataViewMemory0().setFloat64((arg0 >>> 0) + 8 * 1, isLikeNone(ret) ? 0 : ret, true);
getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, !isLikeNone(ret), true);
},
__wbg___wbindgen_string_get_7ce8eee7fd327545: function(arg0, arg1) {
const obj = arg1;
const ret = typeof(obj) === 'string' ? obj : undefined;
var ptr1 = isLikeNone(ret) ? 0 : passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
var len1 = WASM_VECTOR_LEN;
getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true);
getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);
},
__wbg___wbindgen_throw_4c88d8bf264fd984: function(arg0, arg1) {
throw new Error(getStringFromWasm0(arg0, arg1));
},
__wbg_entries_7bb1459bd9b5c2b9: function(arg0) {
const ret = Object.entries(arg0);
return ret;
},
__wbg_get_d7176cfb76d71114: function(arg0, arg1) {
const ret = arg0[arg1 >>> 0];
return ret;
},
__wbg_instanceof_ArrayBuffer_12cdaa4161423e6b: function(arg0) {
let result;
try {
result = arg0 instanceof ArrayBuffer;
} catch (_) {
result = false;
}
const ret = result;
return ret;
},
__wbg_instanceof_Uint8Array_d7aeb0dcb3108fea: function(arg0) {
let result;
try {
result = arg0 instanceof Uint8Array;
} catch (_) {
result = false;
}
const ret = result;
return ret;
},
__wbg_length_186163212ffe79c3: function(arg0) {
const ret = arg0.length;
return ret;
},
__wbg_length_b03a0fabb109b1e9: function(arg0) {
const ret = arg0.length;
return ret;
},
__wbg_new_13de428334042d26: function(arg0) {
const ret = new Uint8Array(arg0);
return ret;
},
__wbg_new_37eb45aaf5eeb820: function() {
const ret = new Array();
return ret;
},
__wbg_new_cd4348290afae586: function() {
const ret = new Object();
return ret;
},
__wbg_prototypesetcall_13162965d1fe7aa3: function(arg0, arg1, arg2) {
Uint8Array.prototype.set.call(getArrayU8FromWasm0(arg0, arg1), arg2);
},
__wbg_set_d2d33b52458e984a: function(arg0, arg1, arg2) {
arg0[arg1 >>> 0] = arg2;
},
__wbg_set_e4b9a833d288759a: function(arg0, arg1, arg2) {
arg0[arg1] = arg2;
},
__wbindgen_generic_0000000000000001: function(arg0) {
// Cast intrinsic for `F64 -> Externref`.
const ret = arg0;
return ret;
},
__wbindgen_generic_0000000000000002: function(arg0, arg1) {
// Cast intrinsic for `Ref(String) -> Externref`.
const ret = getStringFromWasm0(arg0, arg1);
return ret;
},
__wbindgen_generic_0000000000000003: function(arg0) {
// Cast intrinsic for `U64 -> Externref`.
const ret = BigInt.asUintN(64, arg0);
return ret;
},
__wbindgen_init_externref_table: function() {
const table = wasm.__wbindgen_externrefs;
table.set(0, undefined);
table.set(1024, undefined);
table.set(1025, null);
table.set(1026, true);
table.set(1027, false);
},
};
        return {
            __proto__: null,
            "./arena_bg.js": import0,
        };
}

const GameClientFinalization = (typeof FinalizationRegistry === 'undefined')
? { register: () => {}, unregister: () => {} }
: new FinalizationRegistry(ptr => wasm.__wbg_gameclient_free(ptr, 1));

function debugString(val) {
                switch (typeof val) {
                    // primitive types
                    case 'number':
                    case 'boolean':
                    case 'undefined':
                        return `${val}`;
                    case 'string':
                        return JSON.stringify(val);
                    case 'bigint':
                        return `${val}n`;
                    case 'symbol':
                        return val.description !== undefined
                            ? `Symbol(${val.description})`
                            : 'Symbol';
                    case 'function':
                        return typeof val.name === 'string' && val.name !== ''
                            ? `Function(${val.name})`
                            : 'Function';
                    case 'object': {
                        if (val === null) {
                            return 'null';
                        }
                        // objects
                        if (Array.isArray(val)) {
                            return '[' + Array.from(val, debugString).join(', ') + ']';
                        }
                        // errors
                        if (val instanceof Error) {
                            return `${val.name}: ${val.message}\n${val.stack}`;
                        }

                        const toStringOutput = toString.call(val);
                        // Test for built-in
                        const className = /\[object ([^\]]+)\]/.exec(toStringOutput)?.[1];

                        // Failed to match the standard '[object ClassName]'
                        if (className === undefined) {
                            return toStringOutput;
                        }
                        if (className === 'Object') {
                            // we're a user defined class or Object
                            // JSON.stringify avoids problems with cycles, and is generally much
                            // easier than looping through ownProperties of `val`.
                            try {
                                return 'Object(' + JSON.stringify(val) + ')';
                            } catch (_) {
                                return 'Object';
                            }
                        }
                        // TODO we could test for more things here, like `Set`s and `Map`s.
                        return className;
                    }
                    // Per MDN: 'This list of values is exhaustive.'
                    // https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Operators/typeof#description
                }
            }

function getArrayU8FromWasm0(ptr, len) {
                    ptr = ptr >>> 0;
                    return getUint8ArrayMemory0().subarray(ptr / 1, ptr / 1 + len);
                }

let cachedDataViewMemory0 = null;
                function getDataViewMemory0() {
                    if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached === true || (cachedDataViewMemory0.buffer.detached === undefined && cachedDataViewMemory0.buffer !== wasm.memory.buffer)) {
                        cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
                    }
                    return cachedDataViewMemory0;
                }

function getStringFromWasm0(ptr, len) {
                    ptr = ptr >>> 0;
                    return decodeText(getUint8ArrayMemory0().subarray(ptr, ptr + len));
                }

let cachedUint8ArrayMemory0 = null;
                function getUint8ArrayMemory0() {
                    if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
                        cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
                    }
                    return cachedUint8ArrayMemory0;
                }

function isLikeNone(x) {
                return x === undefined || x === null;
            }

function passStringToWasm0(arg, malloc, realloc) {
                    if (realloc === undefined) {
                    const buf = cachedTextEncoder.encode(arg);
                    const ptr = malloc(buf.length, 1) >>> 0;
                    getUint8ArrayMemory0().subarray(ptr, ptr + buf.length).set(buf);
                    WASM_VECTOR_LEN = buf.length;
                    return ptr;
                }

                let len = arg.length;
                let ptr = malloc(len, 1) >>> 0;

                const mem = getUint8ArrayMemory0();

                let offset = 0;

                for (; offset < len; offset++) {
                    const code = arg.charCodeAt(offset);
                    if (code > 0x7F) break;
                    mem[ptr + offset] = code;
                }
            if (offset !== len) {
                        if (offset !== 0) {
                            arg = arg.slice(offset);
                        }
                        ptr = realloc(ptr, len, len = offset + arg.length * 3, 1) >>> 0;
                        const view = getUint8ArrayMemory0().subarray(ptr + offset, ptr + len);
                        const ret = cachedTextEncoder.encodeInto(arg, view);
                        
                        offset += ret.written;
                        ptr = realloc(ptr, len, offset, 1) >>> 0;
                    }

                    WASM_VECTOR_LEN = offset;
                    return ptr;
                }

function takeFromExternrefTable0(idx) {
                    const value = wasm.__wbindgen_externrefs.get(idx);
                    wasm.__externref_table_dealloc(idx);
                    return value;
                }

let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
cachedTextDecoder.decode();
                        const MAX_SAFARI_DECODE_BYTES = 2146435072;
                        let numBytesDecoded = 0;
                        function decodeText(bytes) {
                            numBytesDecoded += bytes.length;
                            if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
                                cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
                                cachedTextDecoder.decode();
                                numBytesDecoded = bytes.length;
                            }
                            return cachedTextDecoder.decode(bytes);
                        }

const cachedTextEncoder = new TextEncoder();

                        if (!('encodeInto' in cachedTextEncoder)) {
                            cachedTextEncoder.encodeInto = function (arg, view) {
                const buf = cachedTextEncoder.encode(arg);
                view.set(buf);
                return {
                    read: arg.length,
                    written: buf.length
                };
            };
                        }

let WASM_VECTOR_LEN = 0;

let wasmModule, wasmInstance, wasm;
            function __wbg_finalize_init(instance, module) {
                wasmInstance = instance;
                wasm = instance.exports;
                wasmModule = module;
                cachedDataViewMemory0 = null;
cachedUint8ArrayMemory0 = null;
wasm.__wbindgen_start();
return wasm;
            }

            async function __wbg_load(module, imports) {
                if (typeof Response === 'function' && module instanceof Response) {
                    if (!module.ok) {
                        throw new Error(`failed to fetch Wasm: ${module.status} ${module.statusText} fetching '${module.url}'`);
                    }

                    if (typeof WebAssembly.instantiateStreaming === 'function') {
                        try {
                            return await WebAssembly.instantiateStreaming(module, imports);
                        } catch (e) {
                            const validResponse = expectedResponseType(module.type);

                            if (validResponse && module.headers.get('Content-Type') !== 'application/wasm') {
                                console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);

                            } else { throw e; }
                        }
                    }

                    const bytes = await module.arrayBuffer();
                    return await WebAssembly.instantiate(bytes, imports);
                } else {
                    const instance = await WebAssembly.instantiate(module, imports);

                    if (instance instanceof WebAssembly.Instance) {
                        return { instance, module };
                    } else {
                        return instance;
                    }
                }

                function expectedResponseType(type) {
                    switch (type) {
                        case 'basic': case 'cors': case 'default': return true;
                    }
                    return false;
                }
            }

            function initSync(module) {
                if (wasm !== undefined) return wasm;

                
                if (module !== undefined) {
                    if (Object.getPrototypeOf(module) === Object.prototype) {
                        ({module} = module)
                    } else {
                        console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
                    }
                }

                const imports = __wbg_get_imports();
                if (!(module instanceof WebAssembly.Module)) {
                    module = new WebAssembly.Module(module);
                }
                const instance = new WebAssembly.Instance(module, imports);
                return __wbg_finalize_init(instance, module);
            }

            let __wbg_init_promise;
            async function __wbg_init(module_or_path) {
                if (wasm !== undefined) return wasm;
                if (__wbg_init_promise === undefined) {
                    __wbg_init_promise = __wbg_init_once(module_or_path);
                    __wbg_init_promise.catch(() => { __wbg_init_promise = undefined; });
                }
                return __wbg_init_promise;
            }

            async function __wbg_init_once(module_or_path) {
                
                if (module_or_path !== undefined) {
                    if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
                        ({module_or_path} = module_or_path)
                    } else {
                        console.warn('using deprecated parameters for the initialization function; pass a single object instead')
                    }
                }

                if (module_or_path === undefined) {
                            module_or_path = new URL('arena_bg.wasm', import.meta.url);
                        }
                const imports = __wbg_get_imports();

                if (typeof module_or_path === 'string' || (typeof Request === 'function' && module_or_path instanceof Request) || (typeof URL === 'function' && module_or_path instanceof URL)) {
                    module_or_path = fetch(module_or_path);
                }

                const { instance, module } = await __wbg_load(await module_or_path, imports);

                return __wbg_finalize_init(instance, module);
            }
            
export { initSync, __wbg_init as default };