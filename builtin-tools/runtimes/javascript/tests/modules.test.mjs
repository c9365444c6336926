// The modules that need no host, in Node. They lie beside `acorn.mjs` where the set-up command has put them together.
import assert from 'node:assert/strict';
import * as nodes from 'node:crypto';
import { test } from 'node:test';

import { bind } from '../src/arguments.js';
import { evaluate } from '../src/cell.js';
import { Buffer as Bytes } from '../src/buffer.js';
import { crypto } from '../src/crypto.js';
import { describe } from '../src/failures.js';
import { following } from '../src/fetch.js';
import { load, replaced } from '../src/imports.js';
import { Intl as English, install } from '../src/intl.js';
import { inspect, line } from '../src/inspect.js';
import { require } from '../src/modules.js';
import { ended, timers, watched } from '../src/pending.js';
import { returned, valueOf } from '../src/values.js';

const agent = { id: 'agent-1' };
const passed = (target, given) => bind(target, JSON.stringify(given), agent);

test('arguments go to the parameters of their name', () => {
  assert.deepEqual(passed((a, b = 1) => [a, b], { b: 2, a: 3 }), [3, 2]);
  assert.deepEqual(passed(async function named(a, b) { return [a, b]; }, { b: 2 }), [undefined, 2]);
  assert.deepEqual(passed((a, agentState, b) => [a, agentState, b], { a: 1, b: 2 }), [1, agent, 2]);
  assert.deepEqual(passed((text = 'a, (b', [x] = [1], ...rest) => [text, x, rest], { rest: [7, 8] }), [undefined, undefined, 7, 8]);
  assert.deepEqual(passed({ method(a) { return a; } }.method, { a: 5 }), [5]);
});

test('a single parameter takes all arguments unless it is one of them', () => {
  assert.deepEqual(passed(({ a, b }) => [a, b], { a: 1, b: 2 }), [{ a: 1, b: 2 }]);
  assert.deepEqual(passed((options) => options, { a: 1 }), [{ a: 1 }]);
  assert.deepEqual(passed((options) => options, {}), [undefined]);
  assert.deepEqual(passed((item) => item, { item: { a: 1 } }), [{ a: 1 }]);
  assert.deepEqual(passed((item, agentState) => [item, agentState], { a: 1 }), [{ a: 1 }, agent]);
});

test('arguments that fit nothing are refused', () => {
  assert.deepEqual(passed((a, b) => [a, b], { b: 1, c: 2 }), [undefined, 1]);
  assert.throws(() => bind(() => {}, '[1]', agent), /must be a JSON object/);
  assert.throws(() => bind(() => {}, '{', agent), /are not JSON/);
});

test('a cell has the value of its last expression', async () => {
  assert.equal(await evaluate('const x1 = 20; x1 * 2 + 2', 'cell.js'), 42);
  assert.equal(await evaluate('const y1 = await Promise.resolve(1);\ny1 + (await Promise.resolve(2));', 'cell.js'), 3);
  assert.equal(await evaluate('const z1 = await 1;', 'cell.js'), undefined);
  assert.equal(await evaluate("'await'", 'cell.js'), 'await');
  await assert.rejects(evaluate("import 'x';", 'cell.js'), /cannot be used here \(line 1\)/);
});

test('what was begun is waited for', async () => {
  const seen = [];
  const fetch = watched(async (url) => new Response(url));
  fetch('one').then((answer) => answer.text()).then((text) => {
    seen.push(text);
    timers.setTimeout((...more) => seen.push(...more), 10, 'two', 'three');
  });
  timers.clearTimeout(timers.setTimeout(() => seen.push('never'), 60000));
  let left = 2;
  const ticking = timers.setInterval(() => {
    seen.push('tick');
    if (--left === 0) timers.clearInterval(ticking);
  }, 20);
  watched(async () => {
    throw new Error('no');
  })().catch((error) => seen.push(error.message));
  await ended();
  assert.deepEqual(seen.sort(), ['no', 'one', 'three', 'tick', 'tick', 'two']);
  const before = Date.now();
  await ended();
  assert.equal(Date.now() - before < 1000, true);
});

test('values become JSON and text', () => {
  assert.deepEqual(returned('it'), { json: '"it"', text: 'it' });
  assert.deepEqual(valueOf('it'), { json: '"it"', text: "'it'" });
  assert.equal(returned(undefined), undefined);
  assert.equal(valueOf([new Map([['a', 1n]]), new Set([1])]).json, '[{"a":1},[1]]');
  assert.equal(valueOf(() => 1).json, undefined);
});

test('the console shows values', () => {
  assert.equal(line(['%s is %d', 'x', 5, { a: 1 }]), 'x is 5 { a: 1 }');
  assert.equal(inspect({ a: [1, 'x'], 'b-c': null, d: undefined }), "{ a: [ 1, 'x' ], 'b-c': null, d: undefined }");
  assert.equal(inspect([]), '[]');
  assert.equal(inspect(Array.from({ length: 101 }, () => 0)).includes('… 1 more'), true);
  const circle = {};
  circle.self = circle;
  assert.equal(inspect(circle), '{ self: [Circular] }');
});

test('a syntax error points at its place', () => {
  const told = describe(new SyntaxError('no'), { source: 'const a = 1;\nreturn (1;', filename: 'tool.js' });
  assert.equal(told.traceback, 'tool.js:2\nreturn (1;\n         ^\nSyntaxError: no');
});

test('what is thrown need not be an error', () => {
  const told = describe({ code: 5 }, { source: '', filename: 'tool.js' });
  assert.deepEqual(told, { name: 'Error', message: '{"code":5}', traceback: 'Uncaught {"code":5}' });
});

test('redirects are followed, and what belongs to an origin or a body stays behind', async () => {
  const sent = [];
  const send = async (to, init) => {
    sent.push([String(to), init?.method ?? 'GET', init?.body, Object.fromEntries(new Headers(init?.headers))]);
    const location = { '/a': '/b', '/b': 'https://two.example/c', '/loop': '/loop', '/kept': '/end' }[new URL(to).pathname];
    const status = new URL(to).pathname === '/kept' ? 307 : 302;
    return location ? new Response(null, { status, headers: { location } }) : new Response('here');
  };
  const fetch = following(send);
  const headers = { Authorization: 'Bearer k', 'Content-Type': 'text/plain', 'X-Mine': '1' };
  const answer = await fetch('https://one.example/a', { method: 'POST', body: 'x', headers });
  assert.equal(answer.redirected, true);
  assert.deepEqual(sent.slice(1), [
    ['https://one.example/b', 'GET', undefined, { authorization: 'Bearer k', 'x-mine': '1' }],
    ['https://two.example/c', 'GET', undefined, { 'x-mine': '1' }],
  ]);
  sent.length = 0;
  await fetch('https://one.example/kept', { method: 'PUT', body: 'x' });
  assert.deepEqual(sent.map(([to, method, body]) => [to, method, body]), [
    ['https://one.example/kept', 'PUT', 'x'], ['https://one.example/end', 'PUT', 'x'],
  ]);
  await assert.rejects(fetch('https://one.example/loop'), /more than 20 redirects/);
  assert.equal((await fetch('https://one.example/a', { redirect: 'manual' })).status, 302);
});

test('hashes are those of Node', () => {
  for (const name of ['md5', 'sha1', 'sha256', 'sha512']) {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 1000]) {
      const data = Uint8Array.from({ length }, (_, at) => at * 7 + 3);
      const told = `${name} of ${length}`;
      assert.equal(crypto.createHash(name).update(data).digest('hex'), nodes.createHash(name).update(data).digest('hex'), told);
      const [own, other] = [crypto, nodes].map((one) => one.createHmac(name, data).update('a').update(data).digest('base64'));
      assert.equal(own, other, told);
    }
  }
  assert.throws(() => crypto.createHash('whirlpool'), /there are md5, sha1, sha256, sha512/);
  assert.deepEqual([crypto.randomUUID().length, crypto.randomBytes(70_000).length, crypto.randomInt(1)], [36, 70_000, 0]);
});

test('buffers are those of Node', () => {
  for (const text of ['', 'hi', 'ünï😀', 'a'.repeat(20_000)]) {
    for (const encoding of ['utf8', 'hex', 'base64', 'base64url', 'latin1', 'utf16le']) {
      assert.equal(Bytes.from(text).toString(encoding), Buffer.from(text).toString(encoding), encoding);
      assert.deepEqual([...Bytes.from(text, encoding)], [...Buffer.from(text, encoding)], encoding);
    }
  }
  const told = (Kind) => {
    const bytes = Kind.from('hello world');
    const numbers = Kind.alloc(8);
    numbers.writeUInt16BE(258, 0);
    numbers.writeInt32LE(-5, 2);
    return [
      bytes.slice(0, 5).toString(), Kind.concat([Kind.from('a'), Kind.from('bc')]).toString(), bytes.includes('wor'), bytes.indexOf('o', 5),
      bytes.equals(Kind.from('hello world')), Kind.byteLength('ü'), numbers.readUInt16BE(0), numbers.readInt32LE(2),
      JSON.stringify(Kind.from('a')), Kind.alloc(3, 'ab').toString(), Kind.compare(Kind.from('a'), Kind.from('b')), `${Kind.from('x')}`,
      bytes.write('J'), bytes.toString(), Kind.from([256, -1]).toString('hex'),
    ];
  };
  assert.deepEqual(told(Bytes), told(Buffer));
  assert.equal(inspect(Bytes.from('hi')), '<Buffer 68 69>');
});

test('modules of Node, and why others are not there', async () => {
  assert.equal(require('node:querystring').stringify({ a: [1, 2], b: 'x y' }), 'a=1&a=2&b=x%20y');
  const { EventEmitter } = require('events');
  const [emitter, seen] = [new EventEmitter(), []];
  emitter.once('a', (value) => seen.push(value));
  assert.deepEqual([emitter.emit('a', 1), emitter.emit('a', 2), seen], [true, false, [1]]);
  assert.equal(await require('timers/promises').setTimeout(1, 'x'), 'x');
  assert.throws(() => require('assert').deepEqual([1], [2]), /\[ 1 \] is not \[ 2 \]/);
  assert.throws(() => require('child_process'), /there are no other programs/);
  assert.throws(() => require('node:https'), /use fetch/);
  assert.throws(() => require('zod'), /listed in npm_requirements; of Node.js there are assert, buffer, crypto/);
});

test('import() is a call of a function', async () => {
  assert.equal(replaced("a('import(x)');\nawait import('path');"), "a('import(x)');\nawait _imprt('path');");
  assert.equal(replaced('import('), 'import(');
  assert.equal((await load('path')).default.basename('/a/b'), 'b');
  assert.equal((await load('node:path')).join('a', 'b'), 'a/b');
});

test('numbers are written as Node writes them in English', () => {
  const usd = { style: 'currency', currency: 'USD' };
  for (const options of [
    {}, usd, { ...usd, maximumFractionDigits: 0 }, { style: 'currency', currency: 'JPY' }, { style: 'currency', currency: 'CHF' },
    { style: 'percent', maximumFractionDigits: 1 }, { minimumFractionDigits: 2, maximumFractionDigits: 2 }, { useGrouping: false },
    { notation: 'compact' }, { notation: 'compact', compactDisplay: 'long' }, { maximumSignificantDigits: 3 }, { minimumIntegerDigits: 3 },
  ]) {
    const [own, other] = [English, Intl].map((one) => new one.NumberFormat('en-US', options));
    for (const number of [0, -0, 1, 999, 1000, 1234.5, 1234567.891, 1.005, 2.675, 0.1 + 0.2, 1e21, 1e-7, -5.25, 999999, 99950, 10n ** 20n]) {
      assert.equal(own.format(number), other.format(number), `${number} ${JSON.stringify(options)}`);
    }
  }
  assert.throws(() => new English.NumberFormat('de-DE'), /no localisation for de-DE/);
  assert.throws(() => new English.NumberFormat('en-CA', usd), RangeError);
});

test('dates are written as Node writes them in American English', () => {
  const world = { Number: { prototype: {} }, BigInt: { prototype: {} }, Date: { prototype: { getTime: () => 0 } } };
  install(world);
  const day = { year: 'numeric', month: 'long', day: 'numeric' };
  const time = { hour: '2-digit', minute: '2-digit' };
  for (const options of [
    {}, day, { ...day, weekday: 'long' }, { ...day, month: 'short' }, { month: 'long', year: 'numeric' }, { weekday: 'short' }, time,
    { ...day, ...time }, { ...time, hour12: false }, { ...time, second: '2-digit', timeZoneName: 'short' }, { hour: 'numeric' },
    { year: 'numeric', month: '2-digit', day: '2-digit', ...time }, { dateStyle: 'full' }, { timeStyle: 'short' }, { year: '2-digit' },
  ]) {
    for (const text of ['1970-01-01T00:00:00Z', '2024-02-09T15:04:05Z', '2023-12-31T12:30:00Z']) {
      const date = new Date(text);
      for (const name of ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString']) {
        if (options.dateStyle && name.includes('Time') || options.timeStyle && name.includes('Date')) continue;
        const own = world.Date.prototype[name].call(date, 'en-US', options);
        const other = date[name]('en-US', { timeZone: 'UTC', ...options });
        // Some versions put a narrow space there.
        assert.equal(own, other.replaceAll('\u202f', ' '), `${name} ${text} ${JSON.stringify(options)}`);
      }
    }
  }
  assert.throws(() => new English.DateTimeFormat('en-US', { timeZone: 'Asia/Tokyo' }), /no time zone Asia\/Tokyo in this runtime, only UTC/);
  assert.throws(() => new English.DateTimeFormat('en-GB'), RangeError);
});

test('lists, plurals, times ago and orders', () => {
  assert.equal(new English.ListFormat('en', { type: 'disjunction' }).format(['a', 'b', 'c']), 'a, b, or c');
  assert.deepEqual([1, 2, 3, 4, 11, 21].map((n) => new English.PluralRules('en', { type: 'ordinal' }).select(n)),
    ['one', 'two', 'few', 'other', 'other', 'one']);
  const ago = new English.RelativeTimeFormat('en', { numeric: 'auto' });
  assert.deepEqual([ago.format(-1, 'day'), ago.format(3, 'hours'), ago.format(-1, 'hour')], ['yesterday', 'in 3 hours', '1 hour ago']);
  assert.deepEqual(['a10', 'A2', 'a1'].sort(new English.Collator('en', { numeric: true, sensitivity: 'base' }).compare), ['a1', 'A2', 'a10']);
});
