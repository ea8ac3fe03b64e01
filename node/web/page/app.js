/* The page: puts its parts together and follows the address.
 *
 *   #/                  the liveliest session
 *   #/session/KEY       one session
 *   #/replay/KEY?at=N   a session from its journal; #/replay opens files
 *   ?frames=URL         a frames file from an address
 *   ?rpc=URL, ?program=KEY   another validator, another program id */
import { isAddress } from "../chain/base58.js";
import { Refusal } from "../chain/errors.js";
import { Keyring } from "../chain/keys.js";
import { DEFAULT_PROGRAM } from "../chain/program.js";
import { Validator } from "../chain/validator.js";
import { Bindings } from "../play/bindings.js";
import { Hands } from "../play/hands.js";
import { recall, remember } from "../store.js";
import { stageOf } from "../world/stages.js";
import { ControlsPanel } from "./controls_panel.js";
import { openCreateDialog } from "./create_dialog.js";
import { byId, definitions, element, setText, shortKey, actionButton } from "./dom.js";
import { FeaturedShow } from "./featured_show.js";
import { icon } from "./icons.js";
import { Lobby } from "./lobby.js";
import { MatchShow } from "./match_show.js";
import { attempt, complain, say } from "./notices.js";
import { Numbers } from "./numbers.js";
import { EmptyReplayShow, ReplayShow, fetchRecording, readRecording,
  seenRecording } from "./replay_show.js";
import { SessionCards } from "./session_cards.js";
import { SessionIndex } from "./session_index.js";
import { TouchPad } from "./touch_pad.js";
import { Viewer } from "./viewer.js";

const THEMES = ["light", "dark"];
const LAMPORTS = 1e9;
const BALANCE_MS = 5000;

class App {
  constructor(keyring, options) {
    this.keyring = keyring;
    this.options = options;
    this.validator = new Validator(options.rpc, options.program);
    this.bindings = new Bindings();
    this.hands = new Hands(this.bindings);
    this.index = new SessionIndex(this.validator);
    this.lobby = new Lobby(this.validator, keyring, this.index);
    this.viewer = new Viewer();
    this.isConnected = false;
    this.seen = new Map(); /* what this tab saw of sessions, where the journal is out of reach */
    this.touchPad = new TouchPad(this);
  }

  start() {
    new Numbers(this);
    new SessionCards(this);
    new ControlsPanel(this);
    this.tellStory(null);
    this.#buildHeader();
    this.#buildIdentity();
    this.#acceptFiles();
    byId("create").onclick = () => openCreateDialog(this);
    this.validator.socket.onChange((isOpen) => this.#connection(isOpen));
    addEventListener("hashchange", () => this.#route());
    if (this.options.frames) this.#open(this.options.frames, "frames file", {});
    else this.#route();
  }

  #buildHeader() {
    const theme = recall("theme", (value) => THEMES.includes(value));
    if (theme) document.documentElement.dataset.theme = theme;
    byId("theme").append(icon("theme"));
    byId("theme").onclick = () => {
      const isDark = getComputedStyle(document.documentElement).colorScheme === "dark" ||
        (!document.documentElement.dataset.theme &&
         matchMedia("(prefers-color-scheme: dark)").matches);
      const next = isDark ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      remember("theme", next);
    };
  }

  #buildIdentity() {
    const root = byId("identity");
    const set = definitions(root, ["Key", "Balance", "Signs with"]);
    const { first } = this.keyring;
    set("Key", shortKey(first.address), first.address);
    set("Signs with", first.signer ? "WebCrypto" : "own Ed25519", first.method);
    const show = async () => {
      const balance = await this.validator.balance(first.address);
      set("Balance", `${(balance / LAMPORTS).toFixed(2)} SOL of play money`);
    };
    root.after(element("div", { class: "row" }, actionButton("Airdrop", () => attempt(async () => {
      await this.validator.airdrop(first);
      await show();
      say("Airdrop", "Ten more SOL of play money.");
    }))));
    this.showBalance = () => show().catch(() => set("Balance", "–"));
    setInterval(() => document.hidden || !this.isConnected || this.showBalance(), BALANCE_MS);
    if (!this.keyring.isKept)
      say("Keys are not kept", "This browser stores nothing: your key lasts as long as this tab.");
  }

  #connection(isOpen) {
    this.isConnected = isOpen;
    const link = byId("link");
    link.classList.toggle("is-open", isOpen);
    link.title = isOpen ? `Connected to ${this.options.rpc}` : `Trying ${this.options.rpc}`;
    setText(link.lastElementChild, isOpen ? "connected" : "reconnecting");
    if (!isOpen) return;
    this.showBalance();
    this.index.refresh();
  }

  #acceptFiles() {
    const { body } = document;
    const setDropping = (isDropping) => body.classList.toggle("is-dropping", isDropping);
    addEventListener("dragover", (event) => { event.preventDefault(); setDropping(true); });
    addEventListener("dragleave", (event) => event.relatedTarget ?? setDropping(false));
    addEventListener("drop", (event) => {
      event.preventDefault();
      setDropping(false);
      const [file] = event.dataTransfer.files;
      if (file) this.openFile(file);
    });
  }

  chooseFile() {
    const input = element("input", { type: "file", accept: ".json,application/json" });
    input.onchange = () => input.files[0] && this.openFile(input.files[0]);
    input.click();
  }

  async openFile(file) {
    const recording = await attempt(() => readRecording(file));
    if (!recording) return;
    history.replaceState(null, "", "#/replay");
    this.viewer.play(new ReplayShow(this, recording));
    this.#showScreen();
  }

  go(hash) {
    if (location.hash === hash) this.#route();
    else location.hash = hash;
  }

  async takeSeat() {
    this.go(`#/session/${await this.lobby.takeSeat()}`);
  }

  async joinAndGo(address) {
    await this.lobby.join(address);
    this.go(`#/session/${address}`);
  }

  async share(hash) {
    const link = new URL(hash, location.href).href;
    try {
      await navigator.clipboard.writeText(link);
      say("Link copied", link);
    } catch {
      say("Link", link);
    }
  }

  stageName(session) {
    return stageOf(session.stage).name;
  }

  setPlaying(isPlaying) {
    this.hands.isPlaying = this.viewer.isPlaying = isPlaying;
    this.touchPad.show(isPlaying);
    if (!isPlaying) return;
    this.viewer.canvas.focus({ preventScroll: true });
    this.#showScreen();
  }

  /* What is seen, in three sentences. */
  tellStory(model) {
    const size = model ? `${(model.parameters / 1e6).toFixed(1)} million ` : "";
    const sentences = [
      `No line of code moves these fighters: a neural network of ${size}8-bit weights sees both ` +
        "of them and what both players press, and says what happens next, 60 times a second.",
      "A validator runs it: every frame is an account, every button a signed transaction, and " +
        "anyone can compute the same bytes again from the journal.",
      "The network has watched few matches, so its world holds together for some 15 seconds and " +
        "then drifts apart, which is why rounds are short.",
    ];
    byId("story").replaceChildren(...sentences.map((text) => element("li", {}, text)));
  }

  #showScreen() {
    byId("screen").scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  #route() {
    const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
    const [name, key] = path.split("/");
    for (const link of document.querySelectorAll("[data-route]"))
      if (link.dataset.route === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    if (name === "sessions" || name === "controls") this.#scrollTo(name);
    else if (key !== undefined && !isAddress(key)) this.#wrongAddress(key);
    else if (name === "session" && key) this.#play(new MatchShow(this, key));
    else if (name === "replay" && key) this.#openReplay(key, new URLSearchParams(query));
    else if (name === "replay") this.#play(new EmptyReplayShow(this));
    else this.#play(new FeaturedShow(this));
  }

  #play(show) {
    this.viewer.play(show);
    this.#showScreen();
  }

  #scrollTo(name) {
    if (!this.viewer.show) this.viewer.play(new FeaturedShow(this));
    byId(name).scrollIntoView();
  }

  #wrongAddress(key) {
    complain(new Refusal("No address", `'${key}' is not the address of a session.`));
    this.go("#/");
  }

  #openReplay(key, query) {
    const url = `${this.options.rpc}/replay/${key}`;
    const seen = this.seen.get(key);
    return this.#open(url, `session ${shortKey(key)}`,
      { at: Number(query.get("at")) || 0, link: `#/replay/${key}` },
      seen?.frames.length ? seen : null);
  }

  /* seen: what to show when there is nothing at the address. */
  async #open(url, name, options, seen = null) {
    this.loading = "Reading the recording";
    this.#play(new EmptyReplayShow(this));
    const { show } = this.viewer;
    const fetched = fetchRecording(url, name);
    const recording = seen ? await fetched.catch(() => seenRecording(name, seen))
      : await attempt(() => fetched);
    this.loading = null;
    if (recording && this.viewer.show === show)
      this.viewer.play(new ReplayShow(this, recording, options));
  }
}

function readOptions() {
  const query = new URLSearchParams(location.search);
  const rpc = query.get("rpc") ?? location.origin;
  return { rpc: rpc.replace(/\/$/, ""), program: query.get("program") ?? DEFAULT_PROGRAM,
    frames: query.get("frames") };
}

new App(await Keyring.open(), readOptions()).start();
