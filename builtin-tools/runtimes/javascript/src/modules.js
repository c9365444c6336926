// The modules of Node.js that programs find.
import { Buffer } from './buffer.js';
import { crypto } from './crypto.js';
import { EventEmitter } from './events.js';
import { fs, path } from './files.js';
import { inspect, line } from './inspect.js';

const util = {
  format: (...values) => line(values),
  inherits: (made, base) => Object.setPrototypeOf(made.prototype, base.prototype),
  inspect: (value) => inspect(value),
  isDeepStrictEqual: (one, other) => inspect(one) === inspect(other),
  promisify: (call) => (...values) => new Promise((done, failed) => {
    call(...values, (error, value) => (error ? failed(error) : done(value)));
  }),
  get TextDecoder() { return globalThis.TextDecoder; },
  get TextEncoder() { return globalThis.TextEncoder; },
};

const querystring = {
  parse(text) {
    const found = {};
    for (const [name, value] of new URLSearchParams(text)) found[name] = name in found ? [found[name], value].flat() : value;
    return found;
  },
  stringify(fields) {
    const pairs = Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
    return pairs.map((pair) => pair.map((part) => encodeURIComponent(part ?? '')).join('=')).join('&');
  },
  escape: encodeURIComponent,
  unescape: decodeURIComponent,
};

const os = {
  EOL: '\n', arch: () => 'wasm32', cpus: () => [], homedir: () => '/tmp', hostname: () => 'sandbox', platform: () => 'wasi',
  tmpdir: () => '/tmp', type: () => 'WASI',
};

const url = {
  get URL() { return globalThis.URL; },
  get URLSearchParams() { return globalThis.URLSearchParams; },
  fileURLToPath: (address) => decodeURIComponent(new URL(address).pathname),
  pathToFileURL: (place) => new URL(`file://${place}`),
};

const sleep = (milliseconds, value) => new Promise((done) => { setTimeout(() => done(value), milliseconds); });
const timers = {
  clearInterval: (id) => globalThis.clearInterval(id), clearTimeout: (id) => globalThis.clearTimeout(id),
  setImmediate: (call, ...values) => globalThis.setTimeout(call, 0, ...values),
  setInterval: (...values) => globalThis.setInterval(...values), setTimeout: (...values) => globalThis.setTimeout(...values),
};

class AssertionError extends Error {
  name = 'AssertionError';
}

function assert(holds, message = 'The expression evaluated to a falsy value') {
  if (!holds) throw message instanceof Error ? message : new AssertionError(message);
}

function compared(same) {
  return (one, other, message) => assert(same(one, other), message ?? `${inspect(one)} is not ${inspect(other)}`);
}

const alike = (one, other) => inspect(one) === inspect(other);
Object.assign(assert, {
  AssertionError, ok: (holds, message) => assert(holds, message), strict: assert,
  equal: compared((one, other) => one == other), strictEqual: compared(Object.is),
  notEqual: compared((one, other) => one != other), notStrictEqual: compared((one, other) => !Object.is(one, other)),
  deepEqual: compared(alike), deepStrictEqual: compared(alike), notDeepStrictEqual: compared((one, other) => !alike(one, other)),
  fail: (message = 'Failed') => assert(false, message),
  throws(call, message) {
    try {
      call();
    } catch {
      return;
    }
    assert(false, message ?? 'Missing expected exception.');
  },
});

const MODULES = {
  assert, 'assert/strict': assert, buffer: { Buffer }, crypto, events: Object.assign(EventEmitter, { EventEmitter }), fs,
  'fs/promises': fs.promises, os, path, 'path/posix': path, querystring, timers, 'timers/promises': { setTimeout: sleep }, url, util,
};
const NONE = {
  'there are no other programs in the sandbox': ['child_process', 'cluster', 'worker_threads'],
  'there are no sockets in the sandbox; use fetch': ['dgram', 'dns', 'http', 'http2', 'https', 'net', 'tls'],
};

/** `require` for the modules of Node that there are. */
export function require(name) {
  const plain = String(name).replace(/^node:/, '');
  if (Object.hasOwn(MODULES, plain)) return MODULES[plain];
  if (plain === 'process') return globalThis.process;
  if (plain === 'perf_hooks') return { performance: globalThis.performance };
  const why = Object.keys(NONE).find((reason) => NONE[reason].includes(plain));
  const there = Object.keys(MODULES).filter((one) => !one.includes('/')).join(', ');
  throw new Error(`Cannot find module '${name}': ${why ?? `npm packages of a tool are listed in npm_requirements; of Node.js there are ${there}`}`);
}
