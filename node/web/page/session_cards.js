/* The list of sessions: a card each, with a small live picture. */
import { ACTIVE, ENDED, WAITING } from "../chain/program.js";
import { Camera } from "../view/camera.js";
import { Figure } from "../view/figure.js";
import { drawStage } from "../view/stage_drawing.js";
import { characterOf } from "../world/characters.js";
import { stageOf } from "../world/stages.js";
import { byId, element, setText, actionButton } from "./dom.js";
import { attempt } from "./notices.js";

const MOST = 24; /* cards; the filter finds the others */
const POLL_MS = 250;
const TURNS = 5; /* a card is drawn once in so many display frames */
const ELAPSED_MOST = 0.25; /* seconds */
const STATES = { [WAITING]: "open seat", [ACTIVE]: "live", [ENDED]: "ended", 0: "created" };
const FILTERS = {
  all: () => true,
  live: ({ session }) => session.status === ACTIVE,
  open: ({ session }) => session.status === WAITING,
  mine: ({ session }, lobby) => lobby.ownKey(session) !== null,
  ended: ({ session }) => session.status === ENDED,
};
/* Open seats first, then what is live, then what is over. */
const RANK = { [WAITING]: 0, [ACTIVE]: 1, 0: 2, [ENDED]: 3 };

const ease = (from, to, part) => from + (to - from) * part;

class SessionCard {
  constructor(app, address) {
    Object.assign(this, { app, address, session: null, figures: [new Figure(0), new Figure(1)] });
    this.places = [null, null];
    this.drawnAt = 0;
    this.camera = new Camera();
    this.canvas = element("canvas", { width: 496, height: 217, role: "img",
      "aria-label": "The session now" });
    this.names = [element("span"), element("span")];
    this.state = element("b");
    this.stage = element("span");
    this.buttons = element("div", { class: "row" });
    this.root = element("li", {}, this.canvas, element("div", { class: "body" },
      element("div", { class: "names" }, this.names[0], " vs ", this.names[1]),
      element("div", { class: "facts" }, this.stage, this.state), this.buttons));
  }

  update(session) {
    const isNew = this.session?.status !== session.status;
    this.session = session;
    const [one, two] = session.players.map((player) => characterOf(player.character).name);
    setText(this.names[0], one);
    setText(this.names[1], session.status === WAITING ? "…" : two);
    setText(this.stage, stageOf(session.stage).name);
    this.root.setAttribute("aria-label", `${one} and ${two} on ${this.stage.textContent}`);
    const frame = session.maxFrames ? `${session.frame}/${session.maxFrames}` : session.frame;
    setText(this.state, session.status === ACTIVE ? `live ${frame}` : STATES[session.status]);
    if (isNew) this.#setButtons();
  }

  #setButtons() {
    const { app, address, session } = this;
    const go = (route) => () => app.go(`#/${route}/${address}`);
    const buttons = [];
    if (session.status === WAITING && !app.lobby.roles(address)[0])
      buttons.push(actionButton("Take the seat", () => attempt(() => app.joinAndGo(address)),
        { class: "strong" }));
    buttons.push(element("button", { type: "button", onclick: go("session") }, "Watch"));
    if (session.status !== WAITING)
      buttons.push(element("button", { type: "button", onclick: go("replay") }, "Replay"));
    if (app.lobby.ownKey(session))
      buttons.push(actionButton("Close", () => attempt(() => app.lobby.close(address,
        this.session))));
    this.buttons.replaceChildren(...buttons);
  }

  draw(time, ink) {
    const { canvas, session, camera } = this;
    const elapsed = Math.min(ELAPSED_MOST, time - this.drawnAt);
    this.drawnAt = time;
    const context = canvas.getContext("2d", { alpha: false });
    const stage = stageOf(session.stage);
    const players = session.players.slice(0, session.status === WAITING ? 1 : 2);
    players.forEach((player, seat) => this.#move(player, seat, time, elapsed));
    const figures = this.figures.slice(0, players.length);
    camera.update(stage, figures.map((figure) => figure.center),
      { aspect: canvas.width / canvas.height, elapsed });
    const scale = camera.scale(canvas.width);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = ink.sky;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scale, 0, 0, -scale, canvas.width / 2 - camera.x * scale,
      canvas.height / 2 + camera.y * scale);
    drawStage(context, stage, ink, 1 / scale);
    for (const figure of figures) figure.draw(context, ink.seats[figure.seat]);
  }

  /* Cards are told a few times a second: ease between what was told. */
  #move(player, seat, time, elapsed) {
    const last = this.places[seat] ?? player;
    const part = 1 - Math.exp(-elapsed / 0.12);
    const place = { x: ease(last.x, player.x, part), y: ease(last.y, player.y, part) };
    this.places[seat] = place;
    this.figures[seat].update({ ...player, ...place }, time, elapsed);
  }
}

export class SessionCards {
  constructor(app) {
    this.app = app;
    this.cards = new Map();
    this.visible = new Set();
    this.filter = "all";
    this.turn = 0;
    this.observer = new IntersectionObserver((entries) => this.#seen(entries));
    this.#buildFilters();
    app.index.onChange(() => this.#list());
    setInterval(() => this.#poll(), POLL_MS);
    requestAnimationFrame((now) => this.#draw(now));
  }

  #buildFilters() {
    const buttons = Object.keys(FILTERS).map((name) =>
      element("button", { type: "button", "aria-pressed": String(name === this.filter),
        onclick: () => this.#choose(name) }, name));
    byId("filters").replaceChildren(...buttons);
  }

  #choose(name) {
    this.filter = name;
    for (const button of byId("filters").children)
      button.setAttribute("aria-pressed", String(button.textContent === name));
    this.#list();
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries)
      if (isIntersecting) this.visible.add(target.dataset.address);
      else this.visible.delete(target.dataset.address);
  }

  #list() {
    const { app, cards } = this;
    const wanted = app.index.entries.filter((entry) => FILTERS[this.filter](entry, app.lobby))
      .sort((a, b) => RANK[a.session.status] - RANK[b.session.status] ||
        b.session.createdAt - a.session.createdAt || (a.address < b.address ? -1 : 1));
    const shown = wanted.slice(0, MOST);
    const keep = new Set(shown.map(({ address }) => address));
    for (const [address, card] of cards) if (!keep.has(address)) this.#remove(address, card);
    shown.forEach(({ address, session }, place) => this.#show(address, session, place));
    this.#note(wanted.length);
  }

  #show(address, session, place) {
    const list = byId("cards");
    if (!this.cards.has(address)) {
      const card = new SessionCard(this.app, address);
      card.root.dataset.address = address;
      this.cards.set(address, card);
      this.observer.observe(card.root);
    }
    const card = this.cards.get(address);
    card.update(session);
    card.root.classList.toggle("is-shown", this.app.viewer.show?.session?.address === address);
    if (list.children[place] !== card.root) list.insertBefore(card.root, list.children[place]);
  }

  #remove(address, card) {
    this.observer.unobserve(card.root);
    this.visible.delete(address);
    card.root.remove();
    this.cards.delete(address);
  }

  #note(count) {
    const { index } = this.app;
    let text = "";
    if (index.error) text = "The validator does not answer; the list may be old.";
    else if (!index.isRead) text = "Asking the validator…";
    else if (count === 0) text = "No session here. Create one: it takes one click.";
    else if (count > MOST) text = `The first ${MOST} of ${count}.`;
    setText(byId("cards-note"), text);
  }

  async #poll() {
    const { app, visible } = this;
    if (document.hidden || this.isPolling || !app.isConnected) return;
    const active = [...visible].filter((address) =>
      this.cards.get(address).session.status === ACTIVE);
    if (!active.length) return;
    this.isPolling = true;
    try {
      const sessions = await app.validator.sessionsAt(active);
      sessions.forEach((session, i) => session && this.cards.get(active[i])?.update(session));
    } catch {
      /* the index tells what is wrong, and polls on */
    }
    this.isPolling = false;
  }

  #firstUndrawn() {
    for (const card of this.cards.values()) if (card.drawnAt === 0) return card;
    return null;
  }

  /* A few cards a display frame, so that none of them takes long. */
  #draw(now) {
    requestAnimationFrame((next) => this.#draw(next));
    this.turn = (this.turn + 1) % TURNS;
    const { ink } = this.app.viewer.arena;
    [...this.visible].forEach((address, place) => {
      if (place % TURNS === this.turn) this.cards.get(address)?.draw(now / 1000, ink);
    });
    /* And once each that is not in view, so that none is ever blank. */
    if (this.turn === 0) this.#firstUndrawn()?.draw(now / 1000, ink);
  }
}
