/** What can be chosen, and what is chosen now. */

/** The choice of none of what there is. */
const NONE = "none";

/** A list to choose from; `key` is where the address keeps the choice.
 * @type {(title: string, key: string, labels: any[], now: any, words?: (label: any) => string) => Node} */
function choice(title, key, labels, now, words = readable) {
  const options = labels.map((label) =>
    element("option", { value: String(label), selected: String(label) === String(now) }, words(label)));
  const act = () => show({ [key]: list.value });
  const list = element("select", { onchange: act, "data-key": key }, ...options);
  return element("label", {}, title, list);
}

/** The same, where also none can be chosen: what the address does not name. @type {typeof choice} */
function optional(title, key, labels, now, words = readable) {
  const none = ["", undefined].includes(now) ? NONE : now;
  return choice(title, key, [NONE, ...labels], none, (label) => (label === NONE ? "–" : words(label)));
}

/** What the address names by a key, "" for none. */
function asked(/** @type {string} */ key) {
  const now = shown()[key];
  return now === undefined || now === NONE ? "" : now;
}

/** The choice of a position, or of none. @type {(title: string, words: string[]) => Node} */
function positionChoice(title, words) {
  const positions = words.map((_, each) => each);
  return optional(title, "position", positions, asked("position"), (each) => `${each} ${words[each]}`);
}

/** A slider along labels. @type {typeof choice} */
function slider(title, key, labels, now, words = number) {
  const told = element("b", {}, words(now));
  if (labels.length < 2) return element("label", {}, title, told);
  const range = element("input", {
    type: "range", min: 0, max: labels.length - 1, value: placeOf(labels, now), "data-key": key,
    "aria-valuetext": words(now), oninput: () => show({ [key]: labels[Number(range.value)] }),
  });
  return element("label", {}, title, range, told);
}

/** The datasets of the experiment that the address names, or of the first; and the choice of it. */
function ofExperiment(/** @type {Dataset[]} */ all) {
  const names = [...new Set(all.map((each) => each.experiment))];
  const experiment = String(labelNow(names, "experiment"));
  const choices = names.length > 1 ? [choice("Experiment", "experiment", names, experiment)] : [];
  return { experiment, choices, datasets: all.filter((each) => each.experiment === experiment) };
}

/** The label that the address, or `wanted`, names; of training steps the last if it names none. */
function labelNow(/** @type {Label[]} */ labels, /** @type {string} */ key, wanted = shown()[key]) {
  if (wanted === undefined && key.endsWith("step")) return labels[labels.length - 1];
  return labels[placeOf(labels, wanted)];
}

/** The seed and the step of an array that the address, or else `wanted`, names. @returns {Where} */
function modelNow(/** @type {Labelled} */ array, /** @type {Where} */ wanted = {}) {
  const dims = ["seed", "step"].filter((dim) => array.dims.includes(dim));
  return Object.fromEntries(dims.map((dim) => [dim, labelNow(array.labels[dim], dim, wanted[dim])]));
}

/** The choices of the seed and the step of an array. @returns {Node[]} */
function modelChoices(/** @type {Labelled} */ { labels }, /** @type {Where} */ { seed, step }) {
  const made = seed === undefined ? [] : [choice("Seed", "seed", labels.seed, seed)];
  return step === undefined ? made : [...made, slider("Training step", "step", labels.step, step)];
}

/**
 * A view of the page: what it is called, and what it shows now.
 * @typedef {{choices: Node[], body: (Node|null)[], figure: string, held: string[]}} Shown
 * @typedef {{title: string, there: () => boolean, draw: () => Promise<Shown>}} View
 */

/** All views by name, in their order. @type {Object<string, View>} */
const VIEWS = {};
