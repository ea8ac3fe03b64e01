/* Show: one session, watched or played. A seat of this tab is played by the hands
 * at this page or by a scripted partner. */
import * as program from "../chain/program.js";
import { Partner } from "../play/partner.js";
import { Seat } from "../play/seat.js";
import { LiveSession } from "./live_session.js";
import { attempt, complain, say } from "./notices.js";

export class MatchShow {
  constructor(app, address) {
    Object.assign(this, { app, address, seats: [], partners: [], isStarting: false });
    this.live = new LiveSession(app.validator, address, () => this.#changed());
    this.live.onFrame((frame, now) => {
      for (const seat of this.seats) seat.frameSeen(frame, now);
      this.#movePartners(frame);
    });
    this.onHands = () => this.#moveHands();
    app.hands.onChange(this.onHands);
    this.rematch = null;
    this.endIndex = app.index.onChange(() => this.#findRematch());
  }

  stop() {
    this.live.stop();
    this.#stopSeats();
    this.endIndex();
    this.app.hands.offChange(this.onHands);
  }

  get session() {
    return this.live;
  }

  get roles() {
    return this.app.lobby.roles(this.address);
  }

  get handSeats() {
    return [0, 1].filter((seat) => this.roles[seat] === "hand");
  }

  get latency() {
    return this.seats.find(({ isHand }) => isHand)?.latency ?? null;
  }

  #changed() {
    const { live } = this;
    if (live.isActive && !this.seats.length) this.#startSeats();
    if (live.isEnded) this.#stopSeats();
    this.app.viewer.refresh();
  }

  async #startSeats() {
    const wanted = Object.entries(this.roles);
    if (!wanted.length || this.isStarting) return;
    this.isStarting = true;
    await attempt(async () => {
      const { validator, keyring } = this.app;
      const { session } = this.live;
      const addresses = await validator.addressesOf(this.address, session);
      const buffer = program.decodeInputBuffer(await validator.accountData(addresses.input));
      for (const [name, role] of wanted) {
        const index = Number(name);
        const key = session.seats[index] && keyring.find(session.seats[index]);
        if (key) this.#startSeat(addresses, key, index, role, buffer.sequences[index]);
      }
    });
    this.isStarting = false;
    this.#showHands();
  }

  #startSeat(addresses, key, index, role, sequence) {
    const seat = new Seat(this.app.validator, addresses, key, index, sequence,
      (trouble, error) => this.live.isActive && complain(error));
    seat.isHand = role === "hand";
    this.seats.push(seat);
    if (role === "partner") this.partners.push({ seat, mind: new Partner(index) });
  }

  #stopSeats() {
    for (const seat of this.seats) seat.stop();
    this.seats = [];
    this.partners = [];
    this.#showHands();
  }

  #showHands() {
    const isPlaying = this.seats.some(({ isHand }) => isHand);
    this.app.setPlaying(isPlaying);
    this.app.viewer.refresh();
  }

  #moveHands() {
    const hands = this.seats.filter(({ isHand }) => isHand);
    const pads = this.app.hands.pads(hands.map(({ index }) => index));
    hands.forEach((seat, i) => seat.setPad(pads[i]));
  }

  #movePartners(frame) {
    const { stage, players } = this.live.session;
    for (const { seat, mind } of this.partners) seat.setPad(mind.pad(frame, stage, players));
  }

  tick() {
    this.#moveHands(); /* gamepads are asked, they do not tell */
  }

  scene(now) {
    const { live } = this;
    return { ...live.scene(now), tags: this.#tags(), badge: this.#badge(), cover: this.#cover() };
  }

  #tags() {
    const { roles } = this;
    return [0, 1].map((seat) => ({ hand: "you", partner: "scripted" })[roles[seat]] ?? "");
  }

  #badge() {
    const { live } = this;
    if (live.isEnded) return { text: "ended" };
    if (live.isWaiting) return { text: "waiting" };
    if (live.isActive)
      return { text: "live", isLive: true, note: this.app.stageName(live.session) };
    return { text: "session" };
  }

  #cover() {
    const { live, app } = this;
    if (!app.isConnected) return { title: "Connection lost", text: "Trying again by itself." };
    if (live.isGone && !live.session)
      return { title: "No such session", text: "It may have been closed. Choose another below." };
    if (live.isGone) return { title: "Session closed", text: "Its accounts are gone." };
    if (live.isEnded && live.session.frame === 0)
      return { title: "Session closed", text: "It was closed before its round began." };
    if (live.isEnded)
      return { title: "Round over", text: "Watch it again from its journal, or play another." };
    if (live.isWaiting && this.roles[0])
      return { title: "The other seat is open",
        text: "Open this page in a second tab, or send a friend the link." };
    if (live.isWaiting) return { title: "A seat is open", text: "One click takes it." };
    if (!live.session) return { title: "Reading the session", text: "One moment." };
    return null;
  }

  actions() {
    const { live } = this;
    const share = { label: "Copy link", run: () => this.app.share(`#/session/${this.address}`) };
    const replay = { label: "Replay", run: () => this.replay() };
    if (live.isGone) return [this.#again("Take a seat")];
    if (live.isEnded) return [...this.#after(), replay, ...this.#closing(), share];
    if (live.isWaiting) return [...this.#filling(), share, ...this.#closing()];
    return [...this.#playing(), share, replay, ...this.#closing()];
  }

  /* From the journal; where that is out of reach, what was seen here. */
  replay() {
    const { app, address, live } = this;
    app.seen.set(address, { stage: live.session.stage, frames: live.seen });
    app.go(`#/replay/${address}`);
  }

  #again(label) {
    return { label, isStrong: true, run: () => this.app.takeSeat() };
  }

  /* After a round: another one, with the same opponent where one waits. */
  #after() {
    const isOurs = Object.keys(this.roles).length > 0;
    if (!this.rematch) return [this.#again(isOurs ? "Play again" : "Take a seat")];
    const run = async () => {
      await this.app.lobby.join(this.rematch);
      this.app.go(`#/session/${this.rematch}`);
    };
    return [{ label: "Join the next round", isStrong: true, run }];
  }

  #findRematch() {
    if (!this.live.isEnded || !this.live.session) return;
    const opponents = this.live.session.seats.filter((_, seat) => !this.roles[seat]);
    const found = this.app.index.waiting.find(({ address, session }) =>
      opponents.includes(session.seats[0]) && !this.app.lobby.roles(address)[0]);
    this.rematch = found?.address ?? null;
    this.app.viewer.refresh();
  }

  #closing() {
    const { session } = this.live;
    if (!session || !this.app.lobby.ownKey(session)) return [];
    const run = async () => {
      await this.app.lobby.close(this.address, session);
      say("Session closed", "Its accounts were given back.");
    };
    return [{ label: "Close session", run }];
  }

  #filling() {
    const { lobby } = this.app;
    if (this.roles[0])
      return [
        { label: "Play both seats here", isStrong: true, run: () => lobby.join(this.address) },
        { label: "Let a scripted partner in", run: () => lobby.join(this.address, "partner") },
      ];
    return [{ label: "Take the open seat", isStrong: true, run: () => lobby.join(this.address) }];
  }

  #playing() {
    if (this.handSeats.length) return [];
    const { session } = this.live;
    const seat = session ? [0, 1].find((i) => this.#isOurs(session.seats[i])) : undefined;
    if (seat === undefined) return [this.#again("Take a seat")];
    const run = () => {
      this.app.lobby.setRole(this.address, seat, "hand");
      this.#stopSeats();
      return this.#startSeats();
    };
    return [{ label: "Take your seat", isStrong: true, run }];
  }

  #isOurs(address) {
    return this.app.keyring.find(address) !== null;
  }
}
