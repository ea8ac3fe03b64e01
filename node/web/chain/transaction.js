/* Legacy transactions: an instruction's accounts in the order of the message,
 * compact lengths, one signature. */
import * as base58 from "./base58.js";
import { concat, toBase64, u8 } from "./bytes.js";

/* Lengths of 7 bits a byte, low bits first. */
export function compactLength(value) {
  const bytes = [];
  for (; value > 127; value >>= 7) bytes.push((value & 127) | 128);
  return Uint8Array.of(...bytes, value);
}

/* Accounts of all instructions once each, with the strongest rights asked for. */
function collectAccounts(payer, instructions) {
  const rights = new Map([[payer, { signer: true, writable: true }]]);
  const join = (address, signer, writable) => {
    const known = rights.get(address) ?? { signer: false, writable: false };
    rights.set(address, {
      signer: known.signer || signer,
      writable: known.writable || writable,
    });
  };
  for (const { programId, accounts } of instructions) {
    for (const account of accounts) join(account.address, !!account.signer, !!account.writable);
    join(programId, false, false);
  }
  const rank = ([, right]) => (right.signer ? 0 : 2) + (right.writable ? 0 : 1);
  return [...rights].sort((a, b) => rank(a) - rank(b));
}

/* The bytes that are signed. instructions: {programId, accounts: [{address,
 * signer, writable}], data}. */
export function buildMessage(payer, instructions, blockhash) {
  const accounts = collectAccounts(payer, instructions);
  const count = (test) => accounts.filter(([, right]) => test(right)).length;
  const order = new Map(accounts.map(([address], index) => [address, index]));
  const encode = ({ programId, accounts: used, data }) =>
    concat(
      u8(order.get(programId)),
      compactLength(used.length),
      Uint8Array.from(used, ({ address }) => order.get(address)),
      compactLength(data.length),
      data,
    );
  return concat(
    u8(count((right) => right.signer)),
    u8(count((right) => right.signer && !right.writable)),
    u8(count((right) => !right.signer && !right.writable)),
    compactLength(accounts.length),
    ...accounts.map(([address]) => base58.decode(address)),
    base58.decode(blockhash),
    compactLength(instructions.length),
    ...instructions.map(encode),
  );
}

/* A signed transaction in base64, as sendTransaction takes it. */
export async function signTransaction(keypair, instructions, blockhash) {
  const message = buildMessage(keypair.address, instructions, blockhash);
  const signature = await keypair.sign(message);
  return toBase64(concat(compactLength(1), signature, message));
}
