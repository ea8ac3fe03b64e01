/* Base58 with the alphabet that Solana's keys and signatures use. */

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

export function encode(bytes) {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  let text = "";
  for (; value > 0n; value /= 58n) text = ALPHABET[Number(value % 58n)] + text;
  for (let i = 0; i < bytes.length && bytes[i] === 0; i++) text = "1" + text;
  return text;
}

/* Throws an Error that names the first character outside the alphabet. */
export function decode(text) {
  let value = 0n;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) throw new Error(`'${character}' is no base58 character`);
    value = value * 58n + BigInt(digit);
  }
  const bytes = [];
  for (; value > 0n; value >>= 8n) bytes.unshift(Number(value & 255n));
  for (let i = 0; i < text.length && text[i] === "1"; i++) bytes.unshift(0);
  return Uint8Array.from(bytes);
}

/* Whether a text is the address of an account: 32 bytes in base58. */
export function isAddress(text) {
  return /^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(text) && decode(text).length === 32;
}
