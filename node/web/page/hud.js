/* The two cards over the match: damage, stocks, name, what the fighter does. */
import { actionName } from "../world/actions.js";
import { characterOf } from "../world/characters.js";
import { element, setText } from "./dom.js";

const STOCKS = 4;
const BEHIND = 24; /* pixels around a card that are behind it too */

class Card {
  constructor(seat) {
    this.percent = element("span", {});
    this.name = element("span", {});
    this.tag = element("em", { hidden: true });
    this.doing = element("div", { class: "doing" });
    this.stocks = element("div", { class: "stocks", role: "img" });
    for (let i = 0; i < STOCKS; i++) this.stocks.append(element("i"));
    this.root = element("div", { class: `card ${seat === 0 ? "one" : "two"}` },
      element("div", { class: "percent" }, this.percent, element("small", {}, "%")),
      element("div", { class: "who" }, this.name, this.tag),
      element("div", {}, this.stocks, this.doing));
    this.left = -1;
  }

  update(player, tag) {
    setText(this.percent, String(Math.max(0, Math.round(player.percent))));
    setText(this.name, characterOf(player.character).name);
    setText(this.doing, actionName(player.action));
    this.tag.hidden = !tag;
    if (tag) setText(this.tag, tag);
    const left = Math.min(STOCKS, Math.max(0, Math.round(player.stocks)));
    if (left === this.left) return;
    this.left = left;
    this.stocks.setAttribute("aria-label", `${left} stocks left`);
    [...this.stocks.children].forEach((dot, i) => dot.classList.toggle("is-left", i < left));
  }
}

export class Hud {
  constructor(root) {
    this.root = root;
    this.cards = [new Card(0), new Card(1)];
    this.openSeat = element("div", { class: "card two is-empty" }, "open seat");
    this.shown = 0;
  }

  /* Makes a card thin while one of the places (over the screen's size, from its top
   * left) is behind it. screen: the rectangle that the places are in. */
  clear(places, screen) {
    for (const { root } of this.cards) {
      const { left, right, top, bottom } = root.getBoundingClientRect();
      root.classList.toggle("is-thin", places.some(({ x, y }) => {
        const [px, py] = [screen.left + x * screen.width, screen.top + y * screen.height];
        return py < screen.bottom && px > left - BEHIND && px < right + BEHIND &&
          py > top - BEHIND && py < bottom + BEHIND;
      }));
    }
  }

  /* players: those that are there; tags: who plays each seat, in a word. */
  update(players, tags) {
    if (players.length !== this.shown) {
      this.shown = players.length;
      const cards = this.cards.slice(0, this.shown).map((card) => card.root);
      if (this.shown === 1) cards.push(this.openSeat);
      this.root.replaceChildren(...cards);
    }
    players.forEach((player, seat) => this.cards[seat].update(player, tags[seat]));
  }
}
