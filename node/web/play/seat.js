/* One seat that this page plays: sends the seat's input whenever it changes, and
 * now and then even when not, as signed submit_input transactions, and measures
 * how long an input takes to become a frame. */
import { explain, isProgramError } from "../chain/errors.js";
import { encodeInput } from "../chain/program.js";
import { emptyPad, isSamePad } from "./pad.js";

const REFRESH_MS = 250; /* an unchanged input is sent again after this long */
const IN_FLIGHT_MOST = 6; /* what more changes meanwhile is sent as one */
const LATENCIES = 30;

export class Seat {
  /* onTrouble({title, text, logs}) when the validator refuses inputs. */
  constructor(validator, addresses, keypair, index, sequence, onTrouble) {
    Object.assign(this, { validator, addresses, keypair, index, sequence, onTrouble });
    this.pad = emptyPad();
    this.inFlight = 0;
    this.isBehind = false;
    this.open = []; /* inputs whose frame has not been seen: {sequence, at, frame} */
    this.latencies = [];
    this.sent = 0;
    this.timer = setInterval(() => this.#send(true), REFRESH_MS);
    this.endWatch = validator.watchInputs(addresses.input, (buffer) => this.#accepted(buffer));
  }

  stop() {
    clearInterval(this.timer);
    this.endWatch();
  }

  setPad(pad) {
    if (isSamePad(pad, this.pad)) return;
    this.pad = pad;
    this.#send(false);
  }

  async #send(isRefresh) {
    if (this.inFlight >= IN_FLIGHT_MOST) {
      this.isBehind = true;
      return;
    }
    const { validator, addresses, keypair } = this;
    const sequence = ++this.sequence;
    const instruction = validator.program.input(addresses, keypair.address, sequence,
      encodeInput(this.pad));
    if (!isRefresh) this.#expect(sequence);
    this.inFlight++;
    this.sent++;
    try {
      await validator.send(keypair, instruction, isRefresh);
    } catch (error) {
      if (!isProgramError(error, "StaleInput")) this.onTrouble(explain(error), error);
    } finally {
      this.inFlight--;
    }
    if (this.isBehind && this.inFlight === 0) {
      this.isBehind = false;
      this.#send(false);
    }
  }

  #expect(sequence) {
    if (this.open.length >= LATENCIES) this.open.shift();
    this.open.push({ sequence, at: performance.now(), frame: null });
  }

  /* The validator holds inputs up to a sequence, for the frame it says. */
  #accepted(buffer) {
    if (!buffer) return;
    const sequence = buffer.sequences[this.index];
    this.sequence = Math.max(this.sequence, sequence);
    for (const input of this.open)
      if (input.frame === null && input.sequence <= sequence) input.frame = buffer.frame;
    this.#settle();
  }

  /* A frame of the session was seen. */
  frameSeen(frame, now) {
    this.newest = { frame, now };
    this.#settle();
  }

  #settle() {
    const { newest } = this;
    if (!newest) return;
    this.open = this.open.filter((input) => {
      const isSeen = input.frame !== null && newest.frame > input.frame && newest.now > input.at;
      if (isSeen) this.latencies.push(newest.now - input.at);
      return !isSeen;
    });
    this.latencies.splice(0, this.latencies.length - LATENCIES);
  }

  /* Middle of the last latencies in ms, or null. */
  get latency() {
    const sorted = [...this.latencies].sort((a, b) => a - b);
    return sorted.length ? sorted[sorted.length >> 1] : null;
  }
}
