// `crypto` of Node.js, as far as tools use it without waiting; the rest is `crypto.subtle`.
import { Buffer } from './buffer.js';
import { HASHES } from './hashes.js';

const bytesOf = (data, encoding) => (typeof data === 'string' ? Buffer.from(data, encoding) : Buffer.from(data));

class Hash {
  #parts = [];
  #finish;

  constructor(finish) {
    this.#finish = finish;
  }

  update(data, encoding) {
    this.#parts.push(bytesOf(data, encoding));
    return this;
  }

  digest(encoding) {
    const made = Buffer.from(this.#finish(Buffer.concat(this.#parts)));
    return encoding ? made.toString(encoding) : made;
  }
}

function known(name) {
  const found = HASHES[String(name).toLowerCase().replace('-', '')];
  if (!found) throw new Error(`Digest method not supported: ${name}; there are ${Object.keys(HASHES).join(', ')}`);
  return found;
}

export function createHash(name) {
  return new Hash(known(name)[0]);
}

export function createHmac(name, key) {
  const [hash, block] = known(name);
  const secret = bytesOf(key);
  const start = Buffer.alloc(block);
  start.set(secret.length > block ? hash(secret) : secret);
  const mixed = (byte) => Buffer.from(start.map((part) => part ^ byte));
  return new Hash((data) => hash(Buffer.concat([mixed(0x5c), hash(Buffer.concat([mixed(0x36), data]))])));
}

/** The same bytes? */
function timingSafeEqual(one, other) {
  if (one.byteLength !== other.byteLength) throw new RangeError('Input buffers must have the same byte length');
  return Buffer.from(one).equals(Buffer.from(other));
}

function randomBytes(size, done) {
  const made = Buffer.alloc(size);
  // The engine gives so many at once.
  for (let at = 0; at < size; at += 65536) globalThis.crypto.getRandomValues(made.subarray(at, at + 65536));
  if (!done) return made;
  queueMicrotask(() => done(null, made));
  return undefined;
}

function randomInt(from, to) {
  const [low, high] = to === undefined ? [0, from] : [from, to];
  return low + Number(randomBytes(8).readBigUInt64BE() % BigInt(high - low));
}

export const crypto = {
  createHash,
  createHmac,
  getHashes: () => Object.keys(HASHES),
  getRandomValues: (array) => globalThis.crypto.getRandomValues(array),
  hash: (name, data, encoding = 'hex') => createHash(name).update(data).digest(encoding),
  randomBytes,
  randomInt,
  randomUUID: () => globalThis.crypto.randomUUID(),
  timingSafeEqual,
  get subtle() { return globalThis.crypto.subtle; },
  get webcrypto() { return globalThis.crypto; },
};
