/* The curve edwards25519 in BigInts: whether bytes are a point on it (program
 * addresses must not be), public keys, and signatures for pages without
 * WebCrypto. Not in constant time: keys made here only move play money. */
import { concat, fromBigInt, toBigInt } from "./bytes.js";
import { sha512 } from "./sha2.js";

const P = (1n << 255n) - 19n;
const ORDER = (1n << 252n) + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const BASE_Y = mod(4n * power(5n, P - 2n));
const WINDOW_BITS = 4n;

function mod(a, m = P) {
  const rest = a % m;
  return rest < 0n ? rest + m : rest;
}

function power(base, exponent) {
  let result = 1n;
  for (let square = mod(base); exponent > 0n; exponent >>= 1n, square = mod(square * square))
    if (exponent & 1n) result = mod(result * square);
  return result;
}

/* x squared times (d y squared + 1), and that factor. */
function ratio(y) {
  const yy = mod(y * y);
  return [mod(yy - 1n), mod(D * yy + 1n)];
}

/* Whether 32 bytes decompress to a point, as curve25519-dalek decides it. */
export function isOnCurve(bytes) {
  const y = mod(toBigInt(bytes) & ((1n << 255n) - 1n));
  const [u, v] = ratio(y);
  return power(mod(u * v), (P - 1n) / 2n) <= 1n;
}

/* Points are [X, Y, Z, T] with x = X/Z, y = Y/Z, T = XY/Z. */
const ZERO = [0n, 1n, 1n, 0n];

function basePoint() {
  const [u, v] = ratio(BASE_Y);
  const square = mod(u * power(v, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x - square) !== 0n) x = mod(x * power(2n, (P - 1n) / 4n));
  if (x & 1n) x = P - x;
  return [x, BASE_Y, 1n, mod(x * BASE_Y)];
}

function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = mod((y1 - x1) * (y2 - x2));
  const b = mod((y1 + x1) * (y2 + x2));
  const c = mod(2n * D * mod(t1 * t2));
  const d = mod(2n * z1 * z2);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

/* Multiples 0 to 15 of the base point for each digit of a scalar, made once. */
let windows = null;

function baseWindows() {
  if (windows !== null) return windows;
  windows = [];
  for (let digit = 0, point = basePoint(); digit < 64; digit++) {
    const row = [ZERO];
    for (let i = 0; i < 15; i++) row.push(add(row[i], point));
    windows.push(row);
    point = add(row[15], point);
  }
  return windows;
}

/* The base point times a scalar, compressed. */
function baseTimes(scalar) {
  let sum = ZERO;
  for (const row of baseWindows()) {
    sum = add(sum, row[Number(scalar & 15n)]);
    scalar >>= WINDOW_BITS;
  }
  const inverse = power(sum[2], P - 2n);
  const bytes = fromBigInt(mod(sum[1] * inverse), 32);
  if (mod(sum[0] * inverse) & 1n) bytes[31] |= 0x80;
  return bytes;
}

function expand(seed) {
  const digest = sha512(seed);
  digest[0] &= 248;
  digest[31] = (digest[31] & 127) | 64;
  return { scalar: toBigInt(digest.subarray(0, 32)), prefix: digest.subarray(32) };
}

export function publicKey(seed) {
  return baseTimes(expand(seed).scalar);
}

export function sign(message, seed, publicBytes) {
  const { scalar, prefix } = expand(seed);
  const nonce = mod(toBigInt(sha512(concat(prefix, message))), ORDER);
  const point = baseTimes(nonce);
  const challenge = toBigInt(sha512(concat(point, publicBytes, message)));
  return concat(point, fromBigInt(mod(nonce + challenge * scalar, ORDER), 32));
}
