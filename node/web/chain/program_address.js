/* Addresses that programs own: hashes that are no point on the curve. */
import * as base58 from "./base58.js";
import { concat, u8, utf8 } from "./bytes.js";
import { isOnCurve } from "./ed25519.js";
import { sha256 } from "./sha2.js";

/* seeds: arrays of bytes; returns the address in base58. */
export function findProgramAddress(seeds, programId) {
  const program = base58.decode(programId);
  for (let bump = 255; bump >= 0; bump--) {
    const hash = sha256(concat(...seeds, u8(bump), program, utf8("ProgramDerivedAddress")));
    if (!isOnCurve(hash)) return base58.encode(hash);
  }
  throw new Error("no program address for these seeds");
}
