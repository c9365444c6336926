// `Buffer` of Node.js: bytes, and the texts that they are written as.

const NAMES = { 'utf-8': 'utf8', binary: 'latin1', ascii: 'latin1', ucs2: 'utf16le', 'ucs-2': 'utf16le', 'utf-16le': 'utf16le' };
const KNOWN = ['utf8', 'hex', 'base64', 'base64url', 'latin1', 'utf16le'];

function encodingOf(name = 'utf8') {
  const lower = String(name).toLowerCase();
  const found = NAMES[lower] ?? lower;
  if (!KNOWN.includes(found)) throw new TypeError(`Unknown encoding: ${name}`);
  return found;
}

const bytesOf = (text) => Uint8Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));

function encoded(text, encoding) {
  switch (encodingOf(encoding)) {
    case 'hex': {
      const pairs = /^(?:[0-9a-f]{2})*/i.exec(text)[0].match(/../g) ?? [];
      return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
    }
    case 'base64':
    case 'base64url': {
      const plain = text.replace(/[^A-Za-z0-9+/_-]/g, '').replaceAll('-', '+').replaceAll('_', '/');
      return bytesOf(atob(plain.length % 4 === 1 ? plain.slice(0, -1) : plain));
    }
    case 'latin1':
      return bytesOf(text);
    case 'utf16le':
      return new Uint8Array(Uint16Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)).buffer);
    default:
      return new TextEncoder().encode(text);
  }
}

function letters(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...Uint8Array.prototype.slice.call(bytes, at, at + 8192));
  return text;
}

function decoded(bytes, encoding) {
  switch (encodingOf(encoding)) {
    case 'hex':
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    case 'base64':
      return btoa(letters(bytes));
    case 'base64url':
      return btoa(letters(bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
    case 'latin1':
      return letters(bytes);
    case 'utf16le': {
      let text = '';
      for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode(bytes[at] | (bytes[at + 1] << 8));
      return text;
    }
    default:
      return new TextDecoder().decode(bytes);
  }
}

export class Buffer extends Uint8Array {
  static from(value, encoding, length) {
    if (typeof value === 'string') return Buffer.#of(encoded(value, encoding));
    if (value instanceof ArrayBuffer) return new Buffer(value, encoding, length);
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return Buffer.#of(Uint8Array.from(value));
    if (value?.type === 'Buffer') return Buffer.#of(Uint8Array.from(value.data));
    throw new TypeError('Buffer.from takes a text, an array, an ArrayBuffer or another Buffer');
  }

  static #of(bytes) {
    return new Buffer(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  static alloc(size, fill, encoding) {
    const made = new Buffer(size);
    return fill === undefined ? made : made.fill(fill, encoding);
  }

  static allocUnsafe(size) {
    return new Buffer(size);
  }

  static concat(list, total = list.reduce((sum, part) => sum + part.length, 0)) {
    const made = new Buffer(total);
    let at = 0;
    for (const part of list) {
      made.set(part.subarray(0, Math.max(0, total - at)), Math.min(at, total));
      at += part.length;
    }
    return made;
  }

  static isBuffer(value) {
    return value instanceof Buffer;
  }

  static isEncoding(name) {
    return KNOWN.includes(NAMES[String(name).toLowerCase()] ?? String(name).toLowerCase());
  }

  static byteLength(value, encoding) {
    return typeof value === 'string' ? encoded(value, encoding).length : value.byteLength;
  }

  static compare(one, other) {
    return one.compare(other);
  }

  toString(encoding, start = 0, end = this.length) {
    return decoded(this.subarray(start, end), encoding);
  }

  toJSON() {
    return { type: 'Buffer', data: Array.from(this) };
  }

  slice(start, end) {
    return this.subarray(start, end);
  }

  equals(other) {
    return this.compare(other) === 0;
  }

  compare(other) {
    const length = Math.min(this.length, other.length);
    for (let at = 0; at < length; at += 1) {
      if (this[at] !== other[at]) return this[at] < other[at] ? -1 : 1;
    }
    return Math.sign(this.length - other.length);
  }

  copy(target, at = 0, start = 0, end = this.length) {
    const part = this.subarray(start, Math.min(end, start + target.length - at));
    target.set(part, at);
    return part.length;
  }

  write(text, at = 0, encoding = 'utf8') {
    const part = encoded(text, encoding).subarray(0, this.length - at);
    this.set(part, at);
    return part.length;
  }

  fill(value, encoding) {
    if (typeof value === 'number') return super.fill(value);
    const pattern = typeof value === 'string' ? encoded(value, encoding) : value;
    for (let at = 0; at < this.length && pattern.length; at += 1) this[at] = pattern[at % pattern.length];
    return this;
  }

  indexOf(value, from = 0, encoding = 'utf8') {
    if (typeof value === 'number') return super.indexOf(value, from);
    const wanted = typeof value === 'string' ? encoded(value, encoding) : value;
    for (let at = from; at + wanted.length <= this.length; at += 1) {
      if (wanted.every((byte, index) => this[at + index] === byte)) return at;
    }
    return -1;
  }

  includes(value, from = 0, encoding = 'utf8') {
    return this.indexOf(value, from, encoding) >= 0;
  }
}

// `readUInt16BE` and the like.
for (const [kind, size, method] of [
  ['UInt8', 1, 'Uint8'], ['Int8', 1, 'Int8'], ['UInt16', 2, 'Uint16'], ['Int16', 2, 'Int16'], ['UInt32', 4, 'Uint32'],
  ['Int32', 4, 'Int32'], ['Float', 4, 'Float32'], ['Double', 8, 'Float64'], ['BigInt64', 8, 'BigInt64'], ['BigUInt64', 8, 'BigUint64'],
]) {
  for (const order of size === 1 ? [''] : ['BE', 'LE']) {
    const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const read = function (at = 0) { return view(this)[`get${method}`](at, order === 'LE'); };
    const write = function (value, at = 0) {
      view(this)[`set${method}`](at, value, order === 'LE');
      return at + size;
    };
    for (const name of new Set([kind, kind.replace('UInt', 'Uint')])) {
      Object.defineProperty(Buffer.prototype, `read${name}${order}`, { value: read });
      Object.defineProperty(Buffer.prototype, `write${name}${order}`, { value: write });
    }
  }
}
