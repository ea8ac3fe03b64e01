/* SHA-256 and SHA-512, synchronous, also where a page that was not opened over
 * https or from this machine has no WebCrypto. One text for both: they differ in
 * the width of a word, in rotations, and in how many rounds they make. */
import { concat } from "./bytes.js";

const PRIMES = [];
for (let n = 2n; PRIMES.length < 80; n++) if (PRIMES.every((p) => n % p)) PRIMES.push(n);

/* The first 64 bits of the fraction of a prime's root. */
function rootFraction(prime, degree) {
  const target = prime << (64n * degree);
  let low = 0n;
  let high = 1n << 70n;
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** degree <= target) low = middle;
    else high = middle - 1n;
  }
  return low & ((1n << 64n) - 1n);
}

const ROUND = PRIMES.map((prime) => rootFraction(prime, 3n));
const START = PRIMES.slice(0, 8).map((prime) => rootFraction(prime, 2n));

const VARIANTS = {
  256: { bits: 32n, rounds: 64, s0: [7n, 18n, 3n], s1: [17n, 19n, 10n],
         e0: [2n, 13n, 22n], e1: [6n, 11n, 25n] },
  512: { bits: 64n, rounds: 80, s0: [1n, 8n, 7n], s1: [19n, 61n, 6n],
         e0: [28n, 34n, 39n], e1: [14n, 18n, 41n] },
};

/* The message, a one bit, zeros, and its length in bits in the block's last bytes. */
function padded(message, blockBytes) {
  const lengthBytes = blockBytes / 8;
  const zeros = (2 * blockBytes - 1 - lengthBytes - (message.length % blockBytes)) % blockBytes;
  const length = new Uint8Array(lengthBytes);
  new DataView(length.buffer).setBigUint64(lengthBytes - 8, BigInt(message.length) * 8n);
  return concat(message, Uint8Array.of(0x80), new Uint8Array(zeros), length);
}

function compress(state, words, variant) {
  const { bits, rounds, s0, s1, e0, e1 } = variant;
  const mask = (1n << bits) - 1n;
  const turn = (x, n) => (x >> n) | ((x << (bits - n)) & mask);
  const small = (x, [a, b, c]) => turn(x, a) ^ turn(x, b) ^ (x >> c);
  const large = (x, [a, b, c]) => turn(x, a) ^ turn(x, b) ^ turn(x, c);
  for (let i = 16; i < rounds; i++)
    words[i] = (words[i - 16] + small(words[i - 15], s0) + words[i - 7] +
                small(words[i - 2], s1)) & mask;
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < rounds; i++) {
    const constant = ROUND[i] >> (64n - bits);
    const t1 = h + large(e, e1) + ((e & f) ^ ((e ^ mask) & g)) + constant + words[i];
    const t2 = large(a, e0) + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) & mask, c, b, a, (t1 + t2) & mask];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + state[i]) & mask);
}

function hash(message, variant) {
  const wordBytes = Number(variant.bits) / 8;
  const data = padded(message, 16 * wordBytes);
  const view = new DataView(data.buffer);
  const read = (at) => (wordBytes === 8 ? view.getBigUint64(at) : BigInt(view.getUint32(at)));
  let state = START.map((word) => word >> (64n - variant.bits));
  for (let block = 0; block < data.length; block += 16 * wordBytes) {
    const words = Array.from({ length: 16 }, (_, i) => read(block + i * wordBytes));
    state = compress(state, words, variant);
  }
  const digits = state.map((word) => word.toString(16).padStart(2 * wordBytes, "0")).join("");
  return Uint8Array.from(digits.match(/../g), (byte) => parseInt(byte, 16));
}

export const sha256 = (message) => hash(message, VARIANTS[256]);
export const sha512 = (message) => hash(message, VARIANTS[512]);
