/* What went wrong, in words that say what to do next. */
import { RpcError, UnreachableError } from "./rpc.js";

const FIRST_CUSTOM = 6000;

/* The program's errors in the order of their numbers. */
export const PROGRAM_ERRORS = [
  ["InvalidStateTransition", "The session is not in a state that allows this: someone may have " +
    "joined, closed or finished it a moment ago. Look at the list again."],
  ["CannotJoinOwnSession", "This key already plays in that session. Use a second tab, which has " +
    "a key of its own, or send a friend the link."],
  ["SessionNotActive", "The session is not being played: it waits for a player, or it has ended."],
  ["UnauthorizedPlayer", "Only the two players of a session may send inputs or close it."],
  ["InputsNotReady", "A player's input for this frame is still missing."],
  ["Unauthorized", "This account belongs to another key."],
  ["AlreadyFinalized", "This upload was finished before and cannot change any more."],
  ["ChunkOutOfBounds", "A piece of the upload lies outside of its account."],
  ["ChunkTooLarge", "A piece of the upload is too large for one transaction."],
  ["IncompleteUpload", "The model has not been uploaded completely."],
  ["HashMismatch", "What was uploaded is not what its hash promises: upload it again."],
  ["InsufficientData", "The instruction is shorter than it must be; this page and the validator " +
    "may be of different versions. Reload the page."],
  ["ModelNotReady", "The model is not ready yet: its weights are still being uploaded."],
  ["HiddenStateMismatch", "The session's hidden state belongs to another model."],
  ["LayerOutOfOrder", "Layers must be run in order."],
  ["AccountMismatch", "An account of this transaction is not the one that the session names."],
  ["ComputeBudgetExceeded", "The frame costs more compute units than the validator allows."],
  ["StaleInput", "A newer input of this player has already arrived; the older one is ignored."],
];

/* Texts of transaction errors that are no program's. */
const TRANSACTION_ERRORS = {
  BlockhashNotFound: "The transaction was signed too long ago. Try again.",
  AlreadyProcessed: "This transaction has already been processed.",
  InvalidWritableAccount: "The validator does not hold this account as writable.",
  AccountNotFound: "This key has no balance yet. Ask for an airdrop, then try again.",
  InsufficientFundsForFee: "This key cannot pay the fee. Ask for an airdrop, then try again.",
  InsufficientFundsForRent: "This key cannot pay for the session's accounts. Ask for an airdrop.",
  SignatureFailure: "The signature was refused.",
  ProgramAccountNotFound: "The validator does not know the program that this page uses. Was it " +
    "started with another one? Name it in the address: ?program=KEY.",
  WouldExceedMaxBlockCostLimit: "The validator has too much to do for this now. Try again.",
  UnsupportedVersion: "The validator does not take transactions of this version.",
};

/* Errors of instructions that are no program's own. */
const INSTRUCTION_ERRORS = {
  InvalidAccountOwner: "There is no such session any more: it may have been closed. Look at the " +
    "list again.",
  AccountAlreadyInitialized: "A session with this number exists already. Try again.",
  MaxAccountsDataAllocationsExceeded: "The validator has no room for another session now. Close " +
    "one that is over, or try again later.",
  InvalidArgument: "The validator does not take this stage, character or length.",
  InvalidAccountData: "This model cannot be played; another one may.",
  InvalidInstructionData: "The validator does not understand this page's instruction; they may " +
    "be of different versions. Reload the page.",
  MissingRequiredSignature: "Another key would have to sign this.",
  ReadonlyDataModified: "The validator may not write to this session: it is played elsewhere.",
  ComputationalBudgetExceeded: "This takes more compute units than the validator allows.",
};

function customNumber(err) {
  const detail = err?.InstructionError?.[1];
  return typeof detail?.Custom === "number" ? detail.Custom : null;
}

function programText(number) {
  const known = PROGRAM_ERRORS[number - FIRST_CUSTOM];
  if (known) return { title: known[0], text: known[1] };
  const text = number === 1
    ? "This key cannot pay for the session's accounts. Ask for an airdrop, then try again."
    : "The program refused the transaction.";
  return { title: `Program error ${number}`, text };
}

function transactionText(err, fallback) {
  const number = customNumber(err);
  if (number !== null) return programText(number);
  const name = typeof err === "string" ? err : Object.keys(err ?? {})[0];
  if (name === "InstructionError") {
    const detail = err.InstructionError[1];
    const title = typeof detail === "string" ? detail : Object.keys(detail)[0];
    return { title, text: INSTRUCTION_ERRORS[title] ??
      "The validator refused an instruction of the transaction." };
  }
  return { title: name ?? "Refused", text: TRANSACTION_ERRORS[name] ?? fallback };
}

/* A transaction that was sent and failed. */
export class TransactionError extends Error {
  constructor(err, logs) {
    super("The transaction failed.");
    this.name = "TransactionError";
    this.err = err;
    this.logs = logs;
  }
}

/* Something the page itself refuses, with what to do. */
export class Refusal extends Error {
  constructor(title, text) {
    super(text);
    this.name = "Refusal";
    this.title = title;
  }
}

const BUSY = -32005;
const TOO_MANY = 429; /* HTTP status */

/* An answer without a transaction's error in it. */
function rpcTitle({ code }) {
  return code === BUSY || code === TOO_MANY ? "The validator is busy" : "The validator says";
}

/* {title, text, logs} of anything thrown. */
export function explain(error) {
  if (error instanceof Refusal) return { title: error.title, text: error.message, logs: [] };
  if (error instanceof UnreachableError)
    return { title: "No answer", logs: [],
      text: "The validator does not answer. Is it running? This page goes on by itself." };
  if (error instanceof TransactionError)
    return { ...transactionText(error.err, error.message), logs: error.logs };
  if (error instanceof RpcError)
    return error.err
      ? { ...transactionText(error.err, error.message), logs: error.logs }
      : { title: rpcTitle(error), text: error.message, logs: error.logs };
  return { title: "Something went wrong", text: String(error?.message ?? error), logs: [] };
}

/* Whether a transaction failed only because its blockhash was too old. */
export function isStaleBlockhash(error) {
  return error instanceof RpcError && error.err === "BlockhashNotFound";
}

export function isProgramError(error, name) {
  const number = FIRST_CUSTOM + PROGRAM_ERRORS.findIndex(([known]) => known === name);
  return customNumber(error.err) === number;
}
