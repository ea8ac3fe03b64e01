/* The instruments: rates, delays, losses, commitment, the model; and a plot of the
 * times between frames. */
import { byId, definitions, setText, shortKey } from "./dom.js";

const NAMES = ["Frame", "Frames a second", "Display", "Input → frame", "Dropped / late",
  "Commitment", "Model", "Size", "Session"];
const PLOT_MOST_MS = 50;
const REFRESH_MS = 250;

const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

function sizeText({ parameters, weightBytes }) {
  return `${(parameters / 1e6).toFixed(2)} M params, ${(weightBytes / 1e6).toFixed(1)} MB`;
}

export class Numbers {
  constructor(app) {
    this.app = app;
    this.set = definitions(byId("numbers"), NAMES);
    this.plot = byId("plot");
    this.at = 0;
    app.viewer.onText((scene, now) => {
      if (now - this.at < REFRESH_MS) return;
      this.at = now;
      this.#update(scene);
    });
  }

  #update({ moment }) {
    const { app, set } = this;
    const { show } = app.viewer;
    const live = show.session ?? null;
    const timeline = live?.timeline ?? null;
    set("Frame", moment ? String(moment.frame) : "–");
    set("Frames a second", timeline ? timeline.rate.toFixed(1) : "–");
    set("Display", `${app.viewer.displayRate.toFixed(0)} a second`);
    const { latency } = show;
    set("Input → frame", latency === null ? this.#howToMeasure() : ms(latency),
      "Middle of the last 30: from pressing a button to holding the first frame it changed");
    set("Dropped / late", timeline ? `${timeline.counts.dropped} / ${timeline.counts.late}` : "–",
      "Frames that never arrived, and frames that arrived half a frame late or more");
    set("Commitment", moment && live ? this.#commitment(moment.frame, live) : "–",
      "confirmed: the frame is durable, on disk in two copies");
    this.#model(live?.session?.model ?? null);
    set("Session", live ? shortKey(live.address) : "–", live?.address ?? "");
    this.#drawPlot(timeline);
  }

  #howToMeasure() {
    return this.app.hands.isPlaying ? "press a button" : "take a seat to see";
  }

  #commitment(frame, { confirmedFrame }) {
    return frame <= confirmedFrame ? "confirmed" : `processed, +${frame - confirmedFrame}`;
  }

  async #model(address) {
    const { set, app } = this;
    if (address === this.modelAddress) return;
    this.modelAddress = address;
    let model = null;
    try {
      model = address && (await app.validator.model(address));
    } catch {
      this.modelAddress = null; /* asked again with the next refresh */
    }
    set("Model", model ? model.name : "–", address ?? "");
    set("Size", model ? sizeText(model) : "–", model
      ? `${model.layers} layers, ${model.width} wide, 8-bit weights` : "");
    app.tellStory(model);
  }

  #drawPlot(timeline) {
    const { plot, app } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [plot.clientWidth * ratio, plot.clientHeight * ratio];
    if (plot.width !== width || plot.height !== height) Object.assign(plot, { width, height });
    const context = plot.getContext("2d");
    const { ink } = app.viewer.arena;
    context.clearRect(0, 0, width, height);
    const y = (value) => height * (1 - Math.min(1, value / PLOT_MOST_MS));
    context.fillStyle = ink.faint;
    context.fillRect(0, y(1000 / 60), width, ratio);
    setText(byId("plot-note"), timeline && timeline.counts.arrived > 1
      ? "Time between frames; the line is 1/60 s." : "No frames arrive.");
    if (timeline) this.#drawBars(context, timeline, width, height, y, ink);
  }

  #drawBars(context, { intervals, counts }, width, height, y, ink) {
    const count = Math.min(intervals.length, Math.max(0, counts.arrived - 1));
    const step = width / intervals.length;
    for (let i = 0; i < count; i++) {
      const value = intervals[(counts.arrived - count + i) % intervals.length];
      context.fillStyle = value > 25 ? ink.one : ink.two;
      const left = width - (count - i) * step;
      context.fillRect(left, y(value), Math.max(1, step * 0.7), height - y(value));
    }
  }
}
