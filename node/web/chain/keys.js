/* The keys of this browser: made here, kept in localStorage as JWK, signing
 * through WebCrypto where the page has it and through ed25519.js where not. */
import * as base58 from "./base58.js";
import { fromBase64Url, toBase64Url } from "./bytes.js";
import { recall, remember } from "../store.js";
import * as ed25519 from "./ed25519.js";

/* What each key is for. The same key cannot take both seats of a session, so a
 * second tab of this browser, and scripted partners, have keys of their own. */
export const ROLES = ["first", "second", "partner one", "partner two"];

function makeJwk() {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const jwk = { kty: "OKP", crv: "Ed25519", d: toBase64Url(seed) };
  return { ...jwk, x: toBase64Url(ed25519.publicKey(seed)) };
}

const isWhole = ({ d, x }) => [d, x].every((part) => fromBase64Url(part).length === 32);

async function importSigner(jwk) {
  if (!globalThis.crypto?.subtle) return null;
  try {
    return await crypto.subtle.importKey("jwk", jwk, { name: "Ed25519" }, false, ["sign"]);
  } catch {
    return null; /* WebCrypto without Ed25519 */
  }
}

export class Keypair {
  static async fromJwk(jwk) {
    const signer = await importSigner(jwk);
    return new Keypair(jwk, signer);
  }

  constructor(jwk, signer) {
    this.seed = fromBase64Url(jwk.d);
    this.publicKey = fromBase64Url(jwk.x);
    this.address = base58.encode(this.publicKey);
    this.signer = signer;
  }

  /* How this key signs, in words for people. */
  get method() {
    return this.signer ? "WebCrypto Ed25519" : "built-in Ed25519 (no WebCrypto on this page)";
  }

  async sign(message) {
    if (this.signer)
      return new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, this.signer, message));
    return ed25519.sign(message, this.seed, this.publicKey);
  }
}

/* All keys of this browser, by role; new ones are made and kept. */
export class Keyring {
  static async open() {
    const ring = new Keyring();
    for (const role of ROLES) {
      const known = recall(`key.${role}`, isWhole);
      const jwk = known ?? makeJwk();
      if (known === null) ring.isKept = remember(`key.${role}`, jwk) && ring.isKept;
      ring.keys.push(await Keypair.fromJwk(jwk));
    }
    return ring;
  }

  constructor() {
    this.keys = [];
    this.isKept = true;
  }

  get first() {
    return this.keys[0];
  }

  find(address) {
    return this.keys.find((key) => key.address === address) ?? null;
  }

  /* The first of a person's two keys that is not this address. */
  other(address) {
    return this.keys.slice(0, 2).find((key) => key.address !== address);
  }

  partner(index) {
    return this.keys[2 + index];
  }
}
