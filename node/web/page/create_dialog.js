/* The dialog that makes a session: stage, characters, who plays, length, rate, model. */
import { CHARACTER_IDS, characterOf } from "../world/characters.js";
import { STAGE_IDS, stageOf } from "../world/stages.js";
import { actionButton, byId, element } from "./dom.js";
import { attempt } from "./notices.js";

const LENGTHS = [[900, "15 seconds"], [1800, "30 seconds"], [3600, "1 minute"],
  [28800, "8 minutes"], [0, "without limit"]];

/* Ticks a frame; 0: the validator's own. */
const RATES = [[0, "as the validator has it"], [1, "60 frames a second"],
  [2, "30 frames a second"], [4, "15 frames a second"]];

/* Who takes the other seat: a role of this tab, or nobody yet. */
const OTHERS = [["", "whoever comes: a second tab, a friend"],
  ["partner", "a scripted partner"], ["hand", "me too, on the same keyboard"]];
const ANY = -1; /* of the other seat's character */

function select(name, options, chosen) {
  return element("select", { name }, ...options.map(([value, text]) =>
    element("option", { value, selected: value === chosen }, text)));
}

function field(label, control) {
  return element("label", {}, label, control);
}

export async function openCreateDialog(app) {
  const { terms } = app.lobby;
  const models = await attempt(() => app.validator.readyModels());
  if (!models) return;
  const stage = select("stage", STAGE_IDS.map((id) => [id, stageOf(id).name]), terms.stage);
  const byName = CHARACTER_IDS.map((id) => [id, characterOf(id).name])
    .sort((a, b) => a[1].localeCompare(b[1]));
  const character = select("character", byName, terms.character);
  const other = select("other", OTHERS, "");
  const rival = select("rival", [[ANY, "any"], ...byName], ANY);
  const rivalField = field("Their character", rival);
  rivalField.hidden = true;
  other.onchange = () => (rivalField.hidden = other.value === "");
  const length = select("length", LENGTHS, terms.maxFrames);
  const rate = select("rate", RATES, terms.divisor ?? 0);
  const model = select("model", models.map(({ address, manifest }) =>
    [address, `${manifest.name} · ${(manifest.parameters / 1e6).toFixed(1)} M`]), terms.manifest);
  const dialog = byId("dialog");
  const create = async () => {
    const address = await attempt(() => app.lobby.create({ stage: Number(stage.value),
      character: Number(character.value), maxFrames: Number(length.value),
      divisor: Number(rate.value), manifest: model.value }));
    if (!address) return;
    dialog.close();
    app.go(`#/session/${address}`);
    const chosen = Number(rival.value) === ANY ? undefined : Number(rival.value);
    if (other.value) await attempt(() => app.lobby.join(address, other.value, chosen));
  };
  const go = actionButton("Create", create, { class: "strong" });
  dialog.replaceChildren(element("form", { method: "dialog",
    onsubmit: (event) => { event.preventDefault(); go.click(); } },
    element("h2", { id: "dialog-title" }, "New session"),
    field("Stage", stage), field("Your character", character),
    field("The other seat", other), rivalField, field("Length of the round", length),
    field("Rate", rate),
    models.length > 1 ? field("Model", model) : null,
    element("p", { class: "note" }, "You get the left seat. The world this model has learned " +
      "holds together for about 15 seconds; longer rounds drift away."),
    element("div", { class: "row end" },
      element("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), go)));
  dialog.showModal();
  stage.focus();
}
