// The names that every program finds: process, console, display, the agent.
import { Buffer } from './buffer.js';
import { following } from './fetch.js';
import { WORD, load } from './imports.js';
import { line } from './inspect.js';
import { install } from './intl.js';
import { require } from './modules.js';
import { timers, watched } from './pending.js';

// The engine has none.
if (!globalThis.Intl) install(globalThis);

const FORMS = ['image/png', 'image/jpeg', 'image/svg+xml', 'text/html', 'text/markdown'];
const displays = [];
const print = { out: console.log.bind(console), err: console.error.bind(console) };

/** Sets the globals for this program. */
export function prepare(program, agent) {
  const env = Object.fromEntries(program.environment);
  const define = (name, value) => Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  define('process', {
    env,
    argv: ['js', program.filename],
    platform: 'wasi',
    versions: {},
    cwd: () => '/',
    nextTick: (callback, ...values) => queueMicrotask(() => callback(...values)),
    exit: (code = 0) => {
      throw new Error(`process.exit(${code}) was called`);
    },
    stdout: { write: (text) => print.out(String(text).replace(/\n$/, '')) },
    stderr: { write: (text) => print.err(String(text).replace(/\n$/, '')) },
  });
  define('agentState', agent);
  define('agent_state', agent);
  define('display', display);
  define('require', require);
  define(WORD, load);
  define('Buffer', Buffer);
  define('global', globalThis);
  define('setImmediate', (callback, ...values) => setTimeout(callback, 0, ...values));
  define('fetch', watched(following(globalThis.fetch.bind(globalThis))));
  for (const [name, call] of Object.entries(timers)) define(name, call);
  const out = (...values) => print.out(line(values));
  const err = (...values) => print.err(line(values));
  const counts = {};
  const started = {};
  Object.assign(console, {
    log: out,
    info: out,
    debug: out,
    dir: (value) => out(value),
    table: (value) => out(value),
    error: err,
    warn: err,
    trace: err,
    assert: (holds, ...values) => holds || err('Assertion failed:', ...values),
    count: (label = 'default') => out(`${label}: ${(counts[label] = (counts[label] ?? 0) + 1)}`),
    time: (label = 'default') => { started[label] = Date.now(); },
    timeEnd: (label = 'default') => out(`${label}: ${Date.now() - (started[label] ?? Date.now())}ms`),
    group: out,
    groupEnd: () => {},
  });
}

/** Shows a value beside the result: an object whose keys are media types, a string, or anything else as text. */
function display(value) {
  const type = value && typeof value === 'object' ? FORMS.find((form) => form in value) : undefined;
  const shown = type ? value[type] : line([value]);
  const picture = type === 'image/png' || type === 'image/jpeg';
  const data = typeof shown !== 'string' ? new Uint8Array(shown)
    : picture ? Uint8Array.from(atob(shown), (letter) => letter.charCodeAt(0))
      : new TextEncoder().encode(shown);
  displays.push({ mediaType: type ?? 'text/plain', data });
}

/** What the program has shown. */
export const shown = () => displays;
