/** What several views ask about the inside of a model: what is held of it, its heads, and figures of it. */

/** Whether a variable of activations is held of any experiment. */
function isHeld(/** @type {string} */ name) {
  return INDEX.datasets.some((each) => each.kind === "activations" && variableOf(each, name));
}

/**
 * What is held of the experiment that is looked at: a variable, where the address says that one looks, the words of
 * the example, and how to get at this and other variables there.
 * @typedef {{dataset: Dataset, array: Labelled, where: Object<string, any>, words: string[], roles: string[],
 *   examples: Dataset|undefined, of: (name: string, other?: Object<string, any>) => Promise<Labelled>}} Inside
 */

/** @returns {Promise<Inside>} */
async function insideOf(/** @type {string} */ name) {
  const all = INDEX.datasets.filter((each) => each.kind === "activations");
  const dataset = all.find((each) => each.experiment === experimentNow()) ?? all[0];
  const array = await load(dataset, name);
  const where = chosen(array, ["seed", "step", "shown_example"]);
  const examples = datasetOf("examples", dataset.experiment);
  const words = pick(await load(dataset, "word"), where).values;
  const named = examples && variableOf(examples, "role_word") ? pick(await load(examples, "role_word"), where).values : [];
  const length = lengthOf(words);
  const of = async (/** @type {string} */ one, other = {}) => shortened(pick(await load(dataset, one), { ...where, ...other }), length);
  const roles = words.map((/** @type {string} */ _, /** @type {number} */ at) => named[at] ?? "");
  return { dataset, array, where, words: words.slice(0, length), roles: roles.slice(0, length), examples, of };
}

/** An array whose dims of positions end with the example. @returns {Labelled} */
function shortened(/** @type {Labelled} */ array, /** @type {number} */ length) {
  let found = array;
  for (const dim of ["query", "key", "position"].filter((each) => array.dims.includes(each))) {
    const at = found.dims.indexOf(dim);
    const shape = shapeOf(found);
    const inner = shape.slice(at + 1).reduce((product, size) => product * size, 1);
    const within = (/** @type {any} */ _, /** @type {number} */ place) => Math.floor(place / inner) % shape[at] < length;
    found = { ...found, labels: { ...found.labels, [dim]: found.labels[dim].slice(0, length) }, values: found.values.filter(within) };
  }
  return found;
}

/** The values of one array minus those of another of its form. @returns {Labelled} */
function difference(/** @type {Labelled} */ one, /** @type {Labelled} */ other) {
  return { ...one, values: one.values.map((/** @type {number} */ value, /** @type {number} */ at) => value - other.values[at]) };
}

/** The layer and the head that the address names. */
function headNow(/** @type {Labelled} */ array) {
  const now = shown();
  const { layer, head } = array.labels;
  return { layer: layer[placeOf(layer, now.layer)], head: head[placeOf(head, now.head)] };
}

/** Buttons of all heads, a row for each layer, the last on top; none of a single head. */
function headGrid(/** @type {Labelled} */ array, /** @type {(head: {layer: Label, head: Label}) => Node} */ picture) {
  const now = headNow(array);
  if (array.labels.layer.length * array.labels.head.length < 2) return null;
  const rows = [...array.labels.layer].reverse().map((layer) =>
    element("div", { class: "heads" }, ...array.labels.head.map((head) => {
      const pressed = String(layer === now.layer && head === now.head);
      const act = () => show({ layer, head });
      return element("button", { type: "button", class: "thumbnail", "aria-pressed": pressed, onclick: act }, picture({ layer, head }), `L${layer}H${head}`);
    })));
  return element("div", { class: "grid", role: "group", "aria-label": "Heads by layer" }, ...rows);
}

/** The same, with a small map of each head. */
function headMaps(/** @type {Labelled} */ array, /** @type {string} */ down, /** @type {string} */ across, /** @type {Extent} */ range) {
  const [rows, columns] = [array.labels[down].length, array.labels[across].length];
  return headGrid(array, (head) => thumbnail({ rows, columns, value: table(pick(array, head), down, across), range }));
}

/**
 * A figure of cells of the inside of a model.
 * @type {(variable: string, axes: {x: string, y: string}, where: Object<string, any>, words: string[], caption: string) => string}
 */
function insideFigure(variable, axes, where, words, caption) {
  const { experiment, seed, select } = selected(where);
  const { name, analyses } = activationsOf(experiment);
  // Labels are of both axes, and layers have numbers as positions do.
  const labels = axes.y === "query" ? Object.fromEntries(words.map((word, position) => [String(position), word])) : undefined;
  const figure = { plot: "cell_map", data: name, experiment, seed, select, variable, ...axes, labels, caption };
  return pasted(named(variable, experiment, ...Object.values(select)), figure, analyses);
}
