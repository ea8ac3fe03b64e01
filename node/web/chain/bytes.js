/* Bytes in and out: base64, little-endian fields, equality. */

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export function equal(a, b) {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function utf8(text) {
  return new TextEncoder().encode(text);
}

export function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export function toBase64Url(bytes) {
  return toBase64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function fromBase64Url(text) {
  return fromBase64(text.replace(/-/g, "+").replace(/_/g, "/"));
}

/* A little-endian number as a BigInt. */
export function toBigInt(bytes) {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}

/* A BigInt as `length` little-endian bytes. */
export function fromBigInt(value, length) {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++, value >>= 8n) bytes[i] = Number(value & 255n);
  return bytes;
}

export const u8 = (value) => Uint8Array.of(value);
export const u32 = (value) => fromBigInt(BigInt(value), 4);
export const u64 = (value) => fromBigInt(BigInt(value), 8);

/* Reads fields one after the other. */
export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = 0;
  }

  #next(size) {
    const at = this.offset;
    this.offset += size;
    return at;
  }

  u8() {
    return this.view.getUint8(this.#next(1));
  }

  u16() {
    return this.view.getUint16(this.#next(2), true);
  }

  i16() {
    return this.view.getInt16(this.#next(2), true);
  }

  u32() {
    return this.view.getUint32(this.#next(4), true);
  }

  i32() {
    return this.view.getInt32(this.#next(4), true);
  }

  u64() {
    return this.view.getBigUint64(this.#next(8), true);
  }

  i64() {
    return this.view.getBigInt64(this.#next(8), true);
  }

  skip(size) {
    this.#next(size);
  }

  take(size) {
    const at = this.#next(size);
    return this.bytes.subarray(at, at + size);
  }
}
