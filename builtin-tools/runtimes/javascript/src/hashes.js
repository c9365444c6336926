// Hashes at once: what the engine offers has to be awaited.

/** The first bits behind the point of a root of a prime, as the standards choose their constants. */
function fraction(prime, root, bits) {
  const one = 1n << BigInt(bits * root);
  let low = 0n;
  let high = BigInt(prime) << BigInt(bits);
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** BigInt(root) <= BigInt(prime) * one) low = middle; else high = middle - 1n;
  }
  return low & ((1n << BigInt(bits)) - 1n);
}

const PRIMES = [];
for (let number = 2; PRIMES.length < 80; number += 1) if (PRIMES.every((prime) => number % prime)) PRIMES.push(number);

/** The message with its end mark and its length in bits, in whole blocks. */
function padded(bytes, block, littleEndian) {
  const lengthBytes = block / 8;
  const made = new Uint8Array(Math.ceil((bytes.length + 1 + lengthBytes) / block) * block);
  made.set(bytes);
  made[bytes.length] = 0x80;
  const view = new DataView(made.buffer);
  view.setBigUint64(littleEndian ? made.length - lengthBytes : made.length - 8, BigInt(bytes.length) * 8n, littleEndian);
  return view;
}

const START = (bits) => PRIMES.slice(0, 8).map((prime) => fraction(prime, 2, bits));
const CONSTANTS = (bits, rounds) => PRIMES.slice(0, rounds).map((prime) => fraction(prime, 3, bits));
const START_256 = START(32).map(Number);
const K_256 = CONSTANTS(32, 64).map(Number);
const START_512 = START(64);
const K_512 = CONSTANTS(64, 80);

function sha256(bytes) {
  const turned = (x, by) => (x >>> by) | (x << (32 - by));
  const view = padded(bytes, 64, false);
  const state = Int32Array.from(START_256);
  const w = new Int32Array(64);
  for (let from = 0; from < view.byteLength; from += 64) {
    for (let at = 0; at < 16; at += 1) w[at] = view.getInt32(from + at * 4);
    for (let at = 16; at < 64; at += 1) {
      const [x, y] = [w[at - 15], w[at - 2]];
      w[at] = w[at - 16] + w[at - 7] + (turned(x, 7) ^ turned(x, 18) ^ (x >>> 3)) + (turned(y, 17) ^ turned(y, 19) ^ (y >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let at = 0; at < 64; at += 1) {
      const first = h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + K_256[at] + w[at];
      const second = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, at) => { state[at] += value; });
  }
  const made = new DataView(new ArrayBuffer(32));
  state.forEach((value, at) => made.setInt32(at * 4, value));
  return new Uint8Array(made.buffer);
}

/** The same with words of 64 bits, which are no numbers of the language. */
function sha512(bytes) {
  const mask = (1n << 64n) - 1n;
  const turned = (x, by) => ((x >> by) | (x << (64n - by))) & mask;
  const view = padded(bytes, 128, false);
  const state = [...START_512];
  for (let from = 0; from < view.byteLength; from += 128) {
    const w = Array.from({ length: 16 }, (_, at) => view.getBigUint64(from + at * 8));
    for (let at = 16; at < 80; at += 1) {
      const [x, y] = [w[at - 15], w[at - 2]];
      const added = (turned(x, 1n) ^ turned(x, 8n) ^ (x >> 7n)) + (turned(y, 19n) ^ turned(y, 61n) ^ (y >> 6n));
      w.push((w[at - 16] + w[at - 7] + added) & mask);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let at = 0; at < 80; at += 1) {
      const first = h + (turned(e, 14n) ^ turned(e, 18n) ^ turned(e, 41n)) + ((e & f) ^ (~e & mask & g)) + K_512[at] + w[at];
      const second = (turned(a, 28n) ^ turned(a, 34n) ^ turned(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) & mask, c, b, a, (first + second) & mask];
    }
    [a, b, c, d, e, f, g, h].forEach((value, at) => { state[at] = (state[at] + value) & mask; });
  }
  const made = new DataView(new ArrayBuffer(64));
  state.forEach((value, at) => made.setBigUint64(at * 8, value));
  return new Uint8Array(made.buffer);
}

const left = (x, by) => (x << by) | (x >>> (32 - by));

function sha1(bytes) {
  const view = padded(bytes, 64, false);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  for (let from = 0; from < view.byteLength; from += 64) {
    const w = Array.from({ length: 16 }, (_, at) => view.getInt32(from + at * 4));
    for (let at = 16; at < 80; at += 1) w.push(left(w[at - 3] ^ w[at - 8] ^ w[at - 14] ^ w[at - 16], 1));
    let [a, b, c, d, e] = state;
    for (let at = 0; at < 80; at += 1) {
      const [mixed, added] = at < 20 ? [(b & c) | (~b & d), 0x5a827999] : at < 40 ? [b ^ c ^ d, 0x6ed9eba1]
        : at < 60 ? [(b & c) | (b & d) | (c & d), 0x8f1bbcdc] : [b ^ c ^ d, 0xca62c1d6];
      [e, d, c, b, a] = [d, c, left(b, 30), a, (left(a, 5) + mixed + e + added + w[at]) | 0];
    }
    [a, b, c, d, e].forEach((value, at) => { state[at] = (state[at] + value) | 0; });
  }
  const made = new DataView(new ArrayBuffer(20));
  state.forEach((value, at) => made.setInt32(at * 4, value));
  return new Uint8Array(made.buffer);
}

const TURNS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
const SINES = Array.from({ length: 64 }, (_, at) => Math.floor(Math.abs(Math.sin(at + 1)) * 2 ** 32) | 0);

function md5(bytes) {
  const view = padded(bytes, 64, true);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let from = 0; from < view.byteLength; from += 64) {
    let [a, b, c, d] = state;
    for (let at = 0; at < 64; at += 1) {
      const [mixed, word] = at < 16 ? [(b & c) | (~b & d), at] : at < 32 ? [(d & b) | (~d & c), (5 * at + 1) % 16]
        : at < 48 ? [b ^ c ^ d, (3 * at + 5) % 16] : [c ^ (b | ~d), (7 * at) % 16];
      const turned = left((a + mixed + SINES[at] + view.getInt32(from + word * 4, true)) | 0, TURNS[at >> 4][at % 4]);
      [a, d, c, b] = [d, c, b, (b + turned) | 0];
    }
    [a, b, c, d].forEach((value, at) => { state[at] = (state[at] + value) | 0; });
  }
  const made = new DataView(new ArrayBuffer(16));
  state.forEach((value, at) => made.setInt32(at * 4, value, true));
  return new Uint8Array(made.buffer);
}

/** By name: the function, and the size of its blocks in bytes. */
export const HASHES = { md5: [md5, 64], sha1: [sha1, 64], sha256: [sha256, 64], sha512: [sha512, 128] };
