/* What a person can start: take a seat, create, join, close, watch two scripted
 * partners. Everything here is transactions of this browser's keys. */
import { Refusal } from "../chain/errors.js";
import * as program from "../chain/program.js";
import { CHARACTER_IDS } from "../world/characters.js";
import { DEFAULT_STAGE, STAGE_IDS } from "../world/stages.js";
import { recall, remember } from "../store.js";

const TERMS = "terms";
const FRAMES_A_ROUND = 900; /* how long the bundled world holds together */
const EXHIBITION_FRAMES = 900;

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const randomId = () => crypto.getRandomValues(new BigUint64Array(1))[0];

function isTerms({ stage, character, maxFrames }) {
  return STAGE_IDS.includes(stage) && CHARACTER_IDS.includes(character) &&
    Number.isInteger(maxFrames) && maxFrames >= 0;
}

export class Lobby {
  constructor(validator, keyring, index) {
    Object.assign(this, { validator, keyring, index });
    this.terms = recall(TERMS, isTerms) ??
      { stage: DEFAULT_STAGE, character: 1, maxFrames: FRAMES_A_ROUND };
  }

  rememberTerms(terms) {
    this.terms = { ...this.terms, ...terms };
    remember(TERMS, this.terms);
  }

  /* Roles of this tab in a session: a list of seats to "hand" or "partner". */
  roles(address) {
    return recall(`roles.${address}`, (value) => typeof value === "object", sessionStorage) ?? {};
  }

  setRole(address, seat, role) {
    const roles = { ...this.roles(address), [seat]: role };
    remember(`roles.${address}`, roles, sessionStorage);
  }

  async #model() {
    const models = await this.validator.readyModels();
    const chosen = models.find(({ address }) => address === this.terms.manifest) ?? models[0];
    if (!chosen)
      throw new Refusal("No model", "The validator holds no model that is ready to play.");
    return chosen.address;
  }

  async #create(key, terms) {
    await this.validator.fund(key);
    const sessionId = randomId();
    const addresses = program.sessionAddresses(sessionId, this.validator.program.id);
    const whole = { ...terms, sessionId, seed: sessionId, manifest: await this.#model() };
    const { program: world } = this.validator;
    const create = world.create(addresses, key.address, whole);
    await this.validator.sendAndConfirm(key,
      terms.divisor ? [world.rate(terms.divisor), create] : create);
    return addresses.session;
  }

  async #join(address, key, character) {
    await this.validator.fund(key);
    const instruction = this.validator.program.join(address, key.address, character);
    await this.validator.sendAndConfirm(key, instruction);
  }

  /* A new session with this browser's first key in its first seat; its address. */
  async create(terms) {
    this.rememberTerms(terms);
    const address = await this.#create(this.keyring.first, this.terms);
    this.setRole(address, 0, "hand");
    await this.index.refresh();
    return address;
  }

  /* Takes the open seat of a waiting session. character: of who takes it; left out,
   * a hand's own and any for a partner. */
  async join(address, role = "hand", wanted = undefined) {
    const session = await this.validator.session(address);
    if (session === null)
      throw new Refusal("No such session", "It may have been closed. Look at the list again.");
    const isPartner = role === "partner";
    const key = isPartner ? this.keyring.partner(1) : this.keyring.other(session.seats[0]);
    const character = wanted ?? (isPartner ? pick(CHARACTER_IDS) : this.terms.character);
    this.setRole(address, 1, role); /* before the session's first frame can arrive */
    try {
      await this.#join(address, key, character);
    } catch (error) {
      this.setRole(address, 1, undefined);
      throw error;
    }
    await this.index.refresh();
  }

  /* One click: the open seat of someone else's session, or a session of one's own;
   * its address. */
  async takeSeat() {
    await this.index.refresh();
    const open = this.index.waiting.find(({ address }) => !(0 in this.roles(address)));
    if (!open) return this.create({});
    await this.join(open.address);
    return open.address;
  }

  /* Two scripted partners of this page play a round; its address. */
  async exhibition() {
    const [one, two] = [this.keyring.partner(0), this.keyring.partner(1)];
    const address = await this.#create(one, { stage: pick(STAGE_IDS), character:
      pick(CHARACTER_IDS), maxFrames: EXHIBITION_FRAMES });
    this.setRole(address, 0, "partner");
    this.setRole(address, 1, "partner");
    await this.#join(address, two, pick(CHARACTER_IDS));
    return address;
  }

  /* The key of this browser that plays in a session, or null. */
  ownKey(session) {
    return session.seats.map((seat) => seat && this.keyring.find(seat)).find(Boolean) ?? null;
  }

  async close(address, session) {
    const key = this.ownKey(session);
    if (!key)
      throw new Refusal("Not your session", "Only one of its two players may close a session.");
    const addresses = await this.validator.addressesOf(address, session);
    await this.validator.sendAndConfirm(key, this.validator.program.close(addresses, key.address));
    await this.index.refresh();
  }
}
