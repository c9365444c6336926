// Node's `fs` and `path` over files that live in the program's memory and go with it.
import { Buffer } from './buffer.js';

const ROOT = '/';
const encoder = new TextEncoder();

/** Folders are maps from names to entries; files have bytes. */
const folder = () => ({ entries: new Map(), changed: new Date() });
const file = (bytes) => ({ bytes, changed: new Date() });
const root = folder();
// Where programs expect one.
root.entries.set('tmp', folder());

export const path = {
  sep: ROOT,
  delimiter: ':',
  normalize: (text) => (text.startsWith(ROOT) ? ROOT : '') + parts(text).join(ROOT) || '.',
  join: (...texts) => path.normalize(texts.filter(Boolean).join(ROOT)),
  resolve: (...texts) => ROOT + parts(texts.reduce((base, text) => (text.startsWith(ROOT) ? text : `${base}/${text}`), '')).join(ROOT),
  isAbsolute: (text) => text.startsWith(ROOT),
  dirname: (text) => path.normalize(text).split(ROOT).slice(0, -1).join(ROOT) || (text.startsWith(ROOT) ? ROOT : '.'),
  basename: (text, suffix = '') => {
    const name = parts(text).at(-1) ?? '';
    return suffix && name.endsWith(suffix) && name !== suffix ? name.slice(0, -suffix.length) : name;
  },
  extname: (text) => /[^./]+(\.[^.]*)$/.exec(path.basename(text))?.[1] ?? '',
};

function parts(text) {
  const kept = [];
  for (const part of String(text).split(ROOT)) {
    if (part === '..') kept.pop();
    else if (part && part !== '.') kept.push(part);
  }
  return kept;
}

class FileError extends Error {
  constructor(code, message, call, place) {
    super(`${code}: ${message}, ${call} '${place}'`);
    Object.assign(this, { code, syscall: call, path: place });
  }
}

const missing = (call, place) => new FileError('ENOENT', 'no such file or directory', call, place);

/** The entry at a place, or undefined. */
function find(place) {
  let entry = root;
  for (const part of parts(place)) entry = entry?.entries?.get(part);
  return entry;
}

function existing(call, place) {
  const entry = find(place);
  if (!entry) throw missing(call, place);
  return entry;
}

/** The folder that a place is in, and its name there. */
function parent(call, place) {
  const names = parts(place);
  const name = names.pop();
  const holder = find(names.join(ROOT));
  if (!holder?.entries || name === undefined) throw missing(call, place);
  return [holder, name];
}

function bytesOf(data) {
  if (typeof data === 'string') return encoder.encode(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  return encoder.encode(String(data));
}

function readFileSync(place, options) {
  const entry = existing('open', place);
  if (entry.entries) throw new FileError('EISDIR', 'illegal operation on a directory', 'read', place);
  const encoding = typeof options === 'string' ? options : options?.encoding;
  const bytes = Buffer.from(entry.bytes);
  return encoding ? bytes.toString(encoding) : bytes;
}

function writeFileSync(place, data, options) {
  const [holder, name] = parent('open', place);
  if (holder.entries.get(name)?.entries) throw new FileError('EISDIR', 'illegal operation on a directory', 'open', place);
  const flag = typeof options === 'object' ? options?.flag : undefined;
  if (flag?.startsWith('a')) return appendFileSync(place, data);
  if (flag?.includes('x') && holder.entries.has(name)) throw new FileError('EEXIST', 'file already exists', 'open', place);
  holder.entries.set(name, file(bytesOf(data)));
}

function appendFileSync(place, data) {
  const before = find(place)?.bytes ?? new Uint8Array();
  const added = bytesOf(data);
  const whole = new Uint8Array(before.length + added.length);
  whole.set(before);
  whole.set(added, before.length);
  writeFileSync(place, whole);
}

function mkdirSync(place, options) {
  if (options?.recursive) {
    let at = '';
    for (const part of parts(place)) {
      at += ROOT + part;
      if (!find(at)) mkdirSync(at);
    }
    return;
  }
  const [holder, name] = parent('mkdir', place);
  if (holder.entries.has(name)) throw new FileError('EEXIST', 'file already exists', 'mkdir', place);
  holder.entries.set(name, folder());
}

function readdirSync(place, options) {
  const entry = existing('scandir', place);
  if (!entry.entries) throw new FileError('ENOTDIR', 'not a directory', 'scandir', place);
  const names = [...entry.entries.keys()].sort();
  return options?.withFileTypes ? names.map((name) => ({ name, ...kinds(entry.entries.get(name)) })) : names;
}

function rmSync(place, options) {
  const entry = find(place);
  if (!entry && options?.force) return;
  const [holder, name] = parent('rm', place);
  if (!entry) throw missing('rm', place);
  if (entry.entries && !options?.recursive) throw new FileError('EISDIR', 'is a directory', 'rm', place);
  holder.entries.delete(name);
}

function unlinkSync(place) {
  if (existing('unlink', place).entries) throw new FileError('EPERM', 'operation not permitted', 'unlink', place);
  rmSync(place);
}

function rmdirSync(place) {
  const entry = existing('rmdir', place);
  if (!entry.entries) throw new FileError('ENOTDIR', 'not a directory', 'rmdir', place);
  if (entry.entries.size) throw new FileError('ENOTEMPTY', 'directory not empty', 'rmdir', place);
  rmSync(place, { recursive: true });
}

function renameSync(from, to) {
  const entry = existing('rename', from);
  const [holder, name] = parent('rename', to);
  rmSync(from, { recursive: true });
  holder.entries.set(name, entry);
}

function copyFileSync(from, to) {
  writeFileSync(to, readFileSync(from));
}

function statSync(place) {
  const entry = existing('stat', place);
  return { size: entry.bytes?.length ?? 0, mtime: entry.changed, mtimeMs: +entry.changed, ...kinds(entry) };
}

function kinds(entry) {
  return { isFile: () => Boolean(entry.bytes), isDirectory: () => Boolean(entry.entries), isSymbolicLink: () => false };
}

function accessSync(place) {
  existing('access', place);
}

const calls = {
  readFileSync, writeFileSync, appendFileSync, mkdirSync, readdirSync, rmSync, unlinkSync, rmdirSync, renameSync, copyFileSync,
  statSync, lstatSync: statSync, accessSync,
};
const promises = {};
const withCallbacks = {};
for (const [name, call] of Object.entries(calls)) {
  const short = name.slice(0, -'Sync'.length);
  promises[short] = async (...values) => call(...values);
  withCallbacks[short] = (...values) => {
    const done = values.pop();
    promises[short](...values).then((value) => done(null, value), done);
  };
}

export const fs = { ...calls, ...withCallbacks, promises, existsSync: (place) => find(place) !== undefined };
