/** What several views ask about the inside of a model: what is held of it, its heads, and figures of it. */

const MEANS = "attention_map"; // the kind of datasets of the mean over a split

/** The datasets of the inside of models, of examples or of their mean, that hold a variable. */
function holding(/** @type {string} */ name) {
  const all = [...datasetsOf("activations"), ...datasetsOf(MEANS)];
  return all.filter((each) => variableOf(each, name));
}

/**
 * What is held of one example: a variable of its dataset, where one looks by the address, the choices of it,
 * the words of the example and what stands at its positions, and how to get at any variable of it.
 * @typedef {{dataset: Dataset, array: Labelled, where: Where, choices: Node[], shown: Label[],
 *   words: string[], roles: string[], of: (name: string) => Promise<Labelled>}} Inside
 */

/** The example that the address, or else `wanted`, names. @returns {Promise<Inside>} */
async function insideOf(/** @type {string} */ name, /** @type {Where} */ wanted = {}) {
  const { experiment, datasets, choices } = ofExperiment(holding(name));
  const arrays = await Promise.all(datasets.map((each) => load(each, name)));
  const examples = arrays.flatMap((each) => each.labels.shown_example);
  const shown_example = labelNow(examples, "shown_example", wanted.shown_example);
  const at = arrays.findIndex((each) => each.labels.shown_example.includes(shown_example));
  const [dataset, array] = [datasets[at], arrays[at]];
  const where = { ...modelNow(array, wanted), shown_example };
  const words = flat(pick(await load(dataset, "word"), where));
  const length = words.findLastIndex((word) => word !== "") + 1;
  const roles = dataset.kind === MEANS ? words : await ofPositions(experiment, "role_word", shown_example);
  choices.push(...modelChoices(array, where), choice("Example", "shown_example", examples, shown_example));
  const of = async (/** @type {string} */ one) => shortened(pick(await load(dataset, one), where), length);
  const tokens = { words: words.slice(0, length), roles: roles.slice(0, length) };
  return { dataset, array, where, shown: examples, choices, of, ...tokens };
}

/** What the task says of each position of an example; nothing if it does not.
 * @type {(experiment: string, name: string, shown_example: Label) => Promise<any[]>} */
async function ofPositions(experiment, name, shown_example) {
  const examples = datasetsOf("examples", experiment).find((each) => variableOf(each, name));
  if (!examples) return [];
  return flat(pick(await load(examples, name), { shown_example }));
}

/** An array whose dims of positions end with the example. @returns {Labelled} */
function shortened(/** @type {Labelled} */ array, /** @type {number} */ length) {
  const dims = array.dims.filter((dim) => ["query", "key", "position"].includes(dim));
  const labels = Object.fromEntries(dims.map((dim) => [dim, array.labels[dim].slice(0, length)]));
  return { ...array, labels: { ...array.labels, ...labels } };
}

/** The layer and the head that the address names. */
function headNow(/** @type {Labelled} */ { labels }) {
  return { layer: labelNow(labels.layer, "layer"), head: labelNow(labels.head, "head") };
}

/** Buttons of all heads, a row for each layer, the last on top; none of a single head.
 * @type {(array: Labelled, picture: (head: {layer: Label, head: Label}) => Node) => Node|null} */
function headGrid(array, picture) {
  const now = headNow(array);
  const { layer: layers, head: heads } = array.labels;
  if (layers.length * heads.length < 2) return null;
  const rows = [...layers].reverse().map((layer) => heads.map((head) => element("button", {
    type: "button", class: "thumbnail", "aria-pressed": String(layer === now.layer && head === now.head),
    onclick: () => show({ layer, head }),
  }, picture({ layer, head }), `L${layer}H${head}`)));
  const lines = rows.map((row) => element("div", { class: "heads" }, ...row));
  return element("div", { class: "grid", role: "group", "aria-label": "Heads by layer" }, ...lines);
}

/** A map of the head that is looked at, with `more` that it says, beside small ones of all heads.
 * @type {(array: Labelled, y: string, x: string, range: Extent, more?: Partial<MapOf>) => Node} */
function headMaps(array, y, x, range, more = {}) {
  const of = (/** @type {Where} */ head) => mapOf(pick(array, head), y, x, range);
  const grid = headGrid(array, (head) => thumbnail(of(head)));
  return element("div", { class: "beside" }, grid, heatmap({ ...of(headNow(array)), ...more }));
}

/** What a spec calls the example, or the mean, that is looked at; with a `state` of the task where it can.
 * @type {(inside: Inside, state?: string) => Source & {select: Where}} */
function saidOf({ dataset, where: { step, shown_example } }, state = "") {
  const { labels, sources } = dataset;
  if (dataset.kind !== MEANS) return { ...(sources[state] ?? sources[""]), select: { step, shown_example } };
  return { ...sources[step === labels.step[labels.step.length - 1] ? "last" : "first"], select: {} };
}

/** The figure of a variable at some labels of its other dims, with a `state` of the task.
 * @type {(inside: Inside, variable: string, at: Where, says: Where, state?: string) => string} */
function insideFigure(inside, variable, at, says, state = "") {
  const { select, ...source } = saidOf(inside, state);
  const { dataset: { experiment }, where: { seed } } = inside;
  const labels = Object.values({ ...select, ...at }).filter((each) => !Array.isArray(each));
  const figure = { plot: "cell_map", experiment, seed, select: { ...select, ...at }, variable, ...says };
  return pasted(named(variable, experiment, ...labels), source, figure);
}
