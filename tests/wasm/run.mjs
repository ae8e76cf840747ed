// Runs every check of the WebAssembly build and compares its values with those of the native build.
//
//   node run.mjs <tickwire_wasm_tests.wasm> <native.json> [--soak]
//
// With --soak it runs the checks that take minutes instead, as the native program does.
//
// Prints a line for each check and the count last. The exit code is 1 if any value differs, is missing or is one
// too many.

import { readFile } from "node:fs/promises";

/** The name and the values (16 hexadecimal digits each) of each check, computed by the WebAssembly module. */
function* runChecks(exports, isSoak) {
  const { memory, quick_count, check_count, check_name, check_name_length, check_run, check_value } = exports;
  const [first, end] = isSoak ? [quick_count(), check_count()] : [0, quick_count()];
  for (let index = first; index < end; index++) {
    // The view is made anew each time: memory that has grown leaves old views empty.
    const bytes = new Uint8Array(memory.buffer, check_name(index), check_name_length(index));
    const name = new TextDecoder().decode(bytes);
    try {
      const values = Array.from({ length: check_run(index) }, (_, place) => hexadecimal(check_value(place)));
      yield { name, values };
    } catch (error) {
      yield { name, error };
    }
  }
}

/** A 64-bit value comes out of WebAssembly as a signed BigInt. */
function hexadecimal(value) {
  return BigInt.asUintN(64, value).toString(16).padStart(16, "0");
}

/** What is wrong with a check, or nothing. */
function difference({ values, error }, expected) {
  if (error) return `failed: ${error}`;
  if (!expected) return "not among the native results";
  if (values.length !== expected.length) return `${values.length} values, native ${expected.length}`;
  const differing = values.flatMap((value, place) => (value === expected[place] ? [] : [place]));
  if (differing.length === 0) return undefined;
  const [first] = differing;
  return `${differing.length} of ${values.length} values differ, first #${first}: wasm ${values[first]}, ` +
    `native ${expected[first]}; all: ${differing.join(" ")}`;
}

async function main(wasmPath, nativePath, isSoak) {
  const { instance } = await WebAssembly.instantiate(await readFile(wasmPath), {});
  const native = new Map(Object.entries(JSON.parse(await readFile(nativePath, "utf8"))));
  let passed = 0;
  let failed = 0;
  for (const check of runChecks(instance.exports, isSoak)) {
    const wrong = difference(check, native.get(check.name));
    native.delete(check.name);
    if (wrong === undefined) {
      passed++;
      console.log(`ok - ${check.name} (${check.values.length} values)`);
    } else {
      failed++;
      console.log(`not ok - ${check.name}: ${wrong}`);
    }
  }
  for (const name of native.keys()) {
    failed++;
    console.log(`not ok - ${name}: not among the checks of the WebAssembly module`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  return passed > 0 && failed === 0;
}

const [wasmPath, nativePath, option] = process.argv.slice(2);
if (nativePath === undefined) {
  console.error("usage: node run.mjs <tickwire_wasm_tests.wasm> <native.json>");
  process.exitCode = 2;
} else {
  process.exitCode = (await main(wasmPath, nativePath, option === "--soak")) ? 0 : 1;
}
