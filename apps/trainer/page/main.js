import { drawCurve } from "./curve.js";
import { byId, html } from "./dom.js";
import { drawMoments, drawTable } from "./lists.js";
import { drawPanel } from "./panel.js";
import { unpackPictures } from "./pictures.js";
import { criticalityColour } from "./scales.js";
import { hashOf, neighbour, placeAfterKey, placeOf, speedFor } from "./state.js";
import { drawStrips, stepAt, stepScale } from "./strips.js";
import { formatFigure, formatRange, sentenceOf, withholding } from "./words.js";

/** @type {import("../src/explanation/explanation.ts").EpisodeExplanation} */
const explanation = JSON.parse(byId("data").textContent ?? "");
const { agents, steps, method, source, pictures, scale } = explanation;
const pictureAt = unpackPictures(pictures);
const momentSteps = agents.map(({ moments }) => moments.map(({ step }) => step));
const decisionsAt = agents.map(({ decisions }) => new Map(decisions.map((decision) => [decision.step, decision])));
const momentsAt = agents.map(
  ({ moments, baseline }) => new Map([...baseline.moments, ...moments].map((moment) => [moment.step, moment])),
);
const slider = /** @type {HTMLInputElement} */ (byId("slider"));
const speed = /** @type {HTMLSelectElement} */ (byId("speed"));
const night = matchMedia("(prefers-color-scheme: dark)");

/** The moment with the highest estimate of all, where there is one, is what one sees first. */
const ranked = agents.flatMap(({ moments }, agent) =>
  moments.slice(0, 1).map(({ step, estimate }) => ({ step, agent, estimate })),
);
const opening = ranked.sort((a, b) => b.estimate - a.estimate)[0] ?? { step: 0, agent: 0 };
let place = placeOf(location.hash, opening, steps, agents.length);
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {{ readonly cursors: readonly SVGElement[], readonly x: (step: number) => number }} */
let plots;

const image = pictures.kind === "svg" ? html("img", { alt: "" }) : html("pre");
byId("picture").append(image);

/** Who is shown: the chosen agent, or whoever decides where it does not. */
function deciding() {
  if (decisionsAt[place.agent].has(place.step)) return place.agent;
  return decisionsAt.findIndex((decisions) => decisions.has(place.step));
}

/** @param {typeof place} to */
function go(to) {
  const turned = to.agent !== place.agent;
  place = to;
  if (turned) drawPlots();
  show();
}

function show() {
  const { step, agent } = place;
  history.replaceState(null, "", hashOf(place));
  const picture = pictureAt(step);
  if (image instanceof HTMLImageElement) {
    image.src = `data:image/svg+xml,${encodeURIComponent(picture.text)}`;
    image.alt = `The world at step ${picture.step}`;
  } else image.textContent = picture.text;
  byId("picture-note").hidden = picture.step === step;
  byId("picture-note").textContent = `The picture is of step ${picture.step}: the episode is too long for one of each.`;
  byId("step").textContent = `${step} of ${steps}`;
  slider.value = String(step);
  for (const cursor of plots.cursors) {
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, plots.x(step).toFixed(1));
  }

  const shown = deciding();
  const decision = decisionsAt[shown]?.get(step);
  const panel = byId("panel");
  let said = step === steps ? "The episode is over." : "Nobody has a choice at this step.";
  if (decision) {
    const moment = momentsAt[shown].get(step);
    panel.replaceChildren(...drawPanel(explanation, agents[shown], decision, moment));
    said = `${agents[shown].name} took ${decision.taken.label}. ${sentenceOf(explanation, decision, moment)}`;
  } else panel.replaceChildren(html("p", {}, said));
  slider.setAttribute("aria-valuetext", `step ${step} of ${steps}: ${said}`);
  // Whoever listens is not read every step of a film.
  if (timer === undefined) byId("announcement").textContent = `Step ${step}. ${said}`;
  for (const button of document.querySelectorAll("#moments button")) {
    const { step: at, agent: of } = /** @type {HTMLElement} */ (button).dataset;
    button.setAttribute("aria-current", String(Number(at) === step && Number(of) === shown));
  }
  document.querySelectorAll(".strip").forEach((strip, i) => {
    strip.classList.toggle("chosen", i === agent);
    strip.querySelector("button")?.setAttribute("aria-pressed", String(i === agent));
  });
}

function drawPlots() {
  const width = Math.max(240, byId("strips").clientWidth);
  const strips = drawStrips(explanation, width - STRIP_FRAME, night.matches, (agent) => go({ ...place, agent }));
  byId("strips").replaceChildren(...strips.map(({ element }) => element));
  const curve = drawCurve(explanation, width - STRIP_FRAME, place.agent);
  byId("curve").replaceChildren(curve.element);
  const x = stepScale(steps, width - STRIP_FRAME);
  plots = { x, cursors: [...strips.flatMap((strip) => strip.plots), curve].map(({ cursor }) => cursor) };
  strips.forEach((strip, agent) => {
    for (const { element } of strip.plots) listen(element, agent, width - STRIP_FRAME);
  });
  listen(curve.element, null, width - STRIP_FRAME);
}

/** Pixels that the frame of a strip takes from its width. */
const STRIP_FRAME = 11;

/**
 * @param {SVGElement} element
 * @param {number | null} agent whose strip it is
 * @param {number} width units of its picture
 */
function listen(element, agent, width) {
  const tip = byId("tip");
  /** @param {MouseEvent} event */
  const placeUnder = (event) => {
    const box = element.getBoundingClientRect();
    const at = stepAt(steps, width)(((event.clientX - box.left) / box.width) * width);
    const step = Math.min(steps, Math.max(0, Math.round(at)));
    if (agent === null) return { ...place, step };
    // The nearest decision is meant, where one is near.
    const near = [0, 1, -1, 2, -2].map((by) => step + by).find((each) => decisionsAt[agent].has(each));
    return { agent, step: near ?? step };
  };
  element.addEventListener("click", (event) => go(placeUnder(/** @type {MouseEvent} */ (event))));
  element.addEventListener("pointermove", (event) => {
    const under = placeUnder(/** @type {MouseEvent} */ (event));
    const decision = decisionsAt[under.agent].get(under.step);
    tip.hidden = !decision;
    if (!decision) return;
    tip.textContent = `Step ${under.step}: ${sentenceOf(explanation, decision, momentsAt[under.agent].get(under.step))}`;
    const { clientX, clientY } = /** @type {MouseEvent} */ (event);
    tip.style.left = `${Math.max(4, Math.min(clientX + 12, innerWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${clientY + 16}px`;
  });
  element.addEventListener("pointerleave", () => {
    tip.hidden = true;
  });
}

function play() {
  if (timer !== undefined) return pause();
  if (place.step === steps) go({ ...place, step: 0 });
  const tick = () => {
    timer = setTimeout(tick, 1000 / Number(speed.value));
    go({ ...place, step: place.step + 1 });
    if (place.step === steps) pause();
  };
  timer = setTimeout(tick, 1000 / Number(speed.value));
  byId("play").textContent = "Pause";
}

function pause() {
  clearTimeout(timer);
  timer = undefined;
  byId("play").textContent = "Play";
  show();
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.altKey || event.metaKey || target.closest("select")) return;
  // A button or a table that has the focus keeps the keys that are its own.
  if (event.key === " " && target.closest("button, summary")) return;
  const asked = placeAfterKey(event.key, place, momentSteps, steps);
  if (asked === null) return;
  event.preventDefault();
  if (asked === "play") play();
  else go(asked);
}

function describe() {
  byId("result").textContent = agents
    .map(({ name, outcome, return: total }) => `${name} ${outcome ? `${outcome}, ` : ""}return ${formatFigure(total)}`)
    .join("; ");
  const stops = [0, 0.25, 0.5, 0.75, 1].map((t) => criticalityColour(t, night.matches)).join(", ");
  byId("legend").replaceChildren(
    "Estimate: low",
    html("span", { class: "ramp", style: `background: linear-gradient(to right, ${stops})` }),
    "high. ",
    (method.explainer.endsWith("lookahead")
      ? `A bar is what ${withholding(explanation)} costs in return by ${method.explainer}, ± two standard errors; those of a look ahead are over few continuations, V taken as it is. `
      : `A bar is the ${100 * method.level} % interval of what the mask (${method.explainer}) estimates that ${withholding(explanation)} costs, in return, as far as its nets differ: how far all of them are off it does not say. `) +
      `Diamonds were measured by ${method.rollouts} fresh rollouts per action after they were picked: ` +
      "filled where the effect is significant. Dashed: decisions picked at random, measured alike.",
  );
  byId("curve-note").textContent =
    `The critic's value of the chosen agent at its decisions (others thin), discounted by ${method.discount} per decision. ` +
    `! !! !!!: ${withholding(explanation)} significantly costs at least 0.1, 0.2, 0.3 of the ${scale}.`;
  const measured = agents.flatMap(({ moments }) => moments);
  byId("lack").hidden = method.measurable && (measured.length === 0 || measured.some(({ significant }) => significant));
  const lots = agents.flatMap(({ name, baseline }) =>
    baseline.effect ? [`${name} ${formatRange(baseline.effect)}`] : [],
  );
  if (!method.measurable) {
    byId("lack").textContent =
      "This world cannot be copied, so what a step costs cannot be measured: bars are the mask's estimates.";
  } else
    byId("lack").replaceChildren(
      html("strong", {}, "No step is significant."),
      ` None of ${measured.length} measured steps can be told from no effect by ${method.rollouts} rollouts; steps picked at random cost ${lots.join(", ") || "n/a"}. Run 256 more rollouts? `,
      html("code", {}, `${source.command.replace(/ --rollouts \S+/, "")} --rollouts ${method.rollouts + 256}`),
    );
  const facts = {
    Episode: explanation.title,
    Run: source.run,
    Command: source.command,
    Environment: `${source.environment.id} ${JSON.stringify(source.environment.options)}`,
    Seeds: `${source.seed}, episode ${source.episodeSeed}`,
    "Trajectory hash": source.hash ?? "n/a",
    Measured: `${method.simulated} simulated decisions, n = ${method.rollouts} per action, perturbation ${method.perturbation}`,
  };
  const entries = Object.entries(facts).flatMap(([name, value]) => [html("dt", {}, name), html("dd", {}, value)]);
  byId("footer").replaceChildren(html("dl", {}, ...entries));
}

slider.max = String(steps);
speed.value = String(speedFor(steps));
describe();
byId("moments").replaceChildren(...drawMoments(explanation, go));
drawPlots();
show();

document.addEventListener("keydown", onKey);
slider.addEventListener("input", () => go({ ...place, step: Number(slider.value) }));
byId("play").addEventListener("click", play);
byId("next").addEventListener("click", () =>
  go({ ...place, step: neighbour(momentSteps[place.agent], place.step, 1) }),
);
byId("previous").addEventListener("click", () =>
  go({ ...place, step: neighbour(momentSteps[place.agent], place.step, -1) }),
);
byId("top").addEventListener("click", () => go({ ...place, step: momentSteps[place.agent][0] ?? place.step }));
byId("table").addEventListener("toggle", () => {
  if (byId("table").querySelector("table") === null) byId("table").append(drawTable(explanation));
});
addEventListener("hashchange", () => go(placeOf(location.hash, place, steps, agents.length)));
addEventListener("resize", () => {
  drawPlots();
  show();
});
night.addEventListener("change", () => {
  describe();
  drawPlots();
  show();
});
