/** Any finding: a variable of a dataset, its dims as axes, colours and choices. */

VIEWS.findings = {
  title: "Findings",
  there: () => INDEX.datasets.some((each) => each.variables.length),
  async draw() {
    const now = shown();
    const datasets = INDEX.datasets.filter((each) => each.variables.length);
    const dataset = datasets.find((each) => each.name === now.data) ?? datasets[0];
    const variable = variableOf(dataset, now.variable) ?? dataset.variables[0];
    const array = await load(dataset, variable.name);
    const axes = axesOf(array, now);
    const { sliced, where } = slicedBy(array, axes, now);
    const choices = [
      choice("Dataset", "data", datasets.map((each) => each.name), dataset.name),
      choice("Variable", "variable", dataset.variables.map((each) => each.name), variable.name),
      ...axisChoices(array, axes),
      ...array.dims.filter((dim) => !Object.values(axes).includes(dim)).map((dim) => dimChoice(array, dim, where[dim])),
    ];
    const body = [remark(`${capital(axisLabel(variable))}.`)];
    if (variable.kind === "text") body.push(wordTable(sliced, axes));
    else if (axes.y) body.push(findingMap(sliced, axes, dataset.name));
    else if (axes.x) body.push(findingCurves(sliced, axes));
    else body.push(element("p", { class: "value" }, number(sliced.values[0])));
    const held = [heldOf(dataset, variable), dataset.left_out.length ? `Too large to be held: ${dataset.left_out.join(", ")}.` : ""];
    return { choices, body, figure: findingFigure(dataset, sliced, axes, where), held };
  },
};

/**
 * Which dims are axes: along x, and down (`y`, a map) or in colours (`hue`, curves).
 * @returns {{x: string, y: string, hue: string}}
 */
function axesOf(/** @type {Labelled} */ array, /** @type {Object<string, string>} */ now) {
  const long = array.dims.filter((dim) => array.labels[dim].length > 1);
  const free = long.filter((dim) => !["seed", "experiment"].includes(dim));
  const one = pick(array, { experiment: now["at.experiment"] });
  const stepped = long.includes("step") && array.labels.step.filter((step) => pick(one, { step }).values.some(Number.isFinite)).length > 1;
  const [first, ...rest] = [...(stepped ? ["step"] : []), ...free.filter((dim) => dim !== "step").reverse(), ...long];
  const others = rest.filter((dim) => dim !== first);
  const square = first !== "step" && free.length > 1 && free.length - (stepped ? 1 : 0) > 1;
  const given = (/** @type {string} */ key, /** @type {string} */ fallback) => {
    const wanted = now[key] ?? fallback ?? "";
    return array.dims.includes(wanted) ? wanted : "";
  };
  const x = given("x", first);
  const y = given("y", square ? others[0] : "");
  const hue = y ? "" : given("hue", others[0]);
  return { x, y: y === x ? "" : y, hue: hue === x ? "" : hue };
}

/** The choices of what the dims are. */
function axisChoices(/** @type {Labelled} */ array, /** @type {{x: string, y: string, hue: string}} */ axes) {
  const none = (/** @type {string} */ dim) => (dim === "none" ? "–" : readable(dim));
  if (!array.dims.length) return [];
  const made = [choice("Across", "x", array.dims, axes.x), choice("Down", "y", ["none", ...array.dims], axes.y || "none", none)];
  if (!axes.y) made.push(choice("Colours", "hue", ["none", ...array.dims], axes.hue || "none", none));
  return made;
}

const MEAN = "mean";
/** The choice of a place of a dim; of seeds also their mean. */
function dimChoice(/** @type {Labelled} */ array, /** @type {string} */ dim, /** @type {any} */ now) {
  const labels = array.labels[dim];
  if (dim === "step") return slider("Training step", `at.${dim}`, labels, now);
  return choice(capital(readable(dim)), `at.${dim}`, dim === "seed" && labels.length > 1 ? [MEAN, ...labels] : labels, now);
}

/** The part of an array that is shown, and where it lies along the dims that are no axes. */
function slicedBy(/** @type {Labelled} */ array, /** @type {Object<string, string>} */ axes, /** @type {Object<string, string>} */ now) {
  /** @type {Object<string, any>} */
  const where = {};
  let sliced = array;
  for (const dim of array.dims.filter((each) => !Object.values(axes).includes(each))) {
    const wanted = now[`at.${dim}`];
    const numbers = array.variable.kind !== "text";
    if (dim === "seed" && numbers && array.labels[dim].length > 1 && (wanted === undefined || wanted === MEAN)) {
      where[dim] = MEAN;
      sliced = meanAlong(sliced, dim);
      continue;
    }
    const labels = array.labels[dim];
    where[dim] = labels[wanted === undefined && dim === "step" ? labels.length - 1 : placeOf(labels, wanted)];
    sliced = pick(sliced, { [dim]: where[dim] });
  }
  return { sliced, where };
}

/** Words with a capital. */
function capital(/** @type {string} */ words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Labels as words. */
function labelWords(/** @type {Label[]} */ labels) {
  return labels.map((label) => (typeof label === "number" ? number(label) : readable(label)));
}

/** A map of a variable along two dims. */
function findingMap(/** @type {Labelled} */ sliced, /** @type {{x: string, y: string}} */ axes, /** @type {string} */ name) {
  return heatmap({
    rows: labelWords(sliced.labels[axes.y]), columns: labelWords(sliced.labels[axes.x]),
    value: table(sliced, axes.y, axes.x), range: rangeOf(sliced.values), rowTitle: readable(axes.y),
    columnTitle: readable(axes.x), label: `${sliced.variable.long_name} in ${name}, by ${axes.y} and ${axes.x}`,
  });
}

/** Curves of a variable along a dim, in colours by another. */
function findingCurves(/** @type {Labelled} */ sliced, /** @type {{x: string, hue: string}} */ axes) {
  const labels = sliced.labels[axes.x];
  const numeric = labels.every((label) => typeof label === "number");
  const kinds = axes.hue ? sliced.labels[axes.hue] : [""];
  const value = axes.hue ? table(sliced, axes.hue, axes.x) : (/** @type {number} */ _, /** @type {number} */ at) => sliced.values[at];
  const spread = Math.min(...sliced.values.filter((/** @type {number} */ each) => each > 0));
  return curves({
    curves: kinds.map((kind, row) => ({
      label: axes.hue ? `${readable(axes.hue)} ${labelWords([kind])[0]}` : readable(sliced.variable.name),
      colour: SERIES[row % SERIES.length], points: labels.map((label, at) => [numeric ? Number(label) : at, value(row, at)]),
    })),
    xTitle: axes.x === "step" ? "training step" : readable(axes.x), yTitle: axisLabel(sliced.variable), logX: axes.x === "step",
    logY: Math.min(...sliced.values) > 0 && Math.max(...sliced.values) / spread > 300,
    words: numeric ? undefined : labelWords(labels), label: sliced.variable.long_name, height: 340,
    cursor: axes.x === "step" && shown().step !== undefined ? Number(shown().step) : undefined,
    move: axes.x === "step" ? (step) => show({ step }) : undefined,
  });
}

/** Words along two dims. */
function wordTable(/** @type {Labelled} */ sliced, /** @type {{x: string, y: string, hue: string}} */ axes) {
  const down = axes.y || axes.hue;
  const rows = down ? sliced.labels[down] : [""];
  const columns = axes.x ? sliced.labels[axes.x] : [""];
  const value = down && axes.x ? table(sliced, down, axes.x) : (/** @type {number} */ row, /** @type {number} */ column) => sliced.values[row + column];
  const head = (/** @type {Label} */ label) => element("th", {}, labelWords([label])[0]);
  const lines = rows.map((row, at) => element("tr", {}, head(row), ...columns.map((_, place) => element("td", {}, String(value(at, place))))));
  const first = element("tr", {}, element("th", {}, `${readable(down)} \\ ${readable(axes.x)}`), ...columns.map(head));
  return element("div", { class: "wide" }, element("table", {}, first, ...lines));
}

/** The figure of the finding that is shown. */
function findingFigure(/** @type {Dataset} */ dataset, /** @type {Labelled} */ { variable, values }, /** @type {{x: string, y: string, hue: string}} */ axes, /** @type {Object<string, any>} */ where) {
  if (variable.kind === "text" || !axes.x) return "";
  const source = sourceOf(dataset);
  if (!source) return "";
  const { experiment, seed, ...rest } = where;
  const select = Object.fromEntries(Object.entries(rest).filter(([dim]) => dataset.labels[dim].length > 1 || dim !== "step"));
  const common = {
    data: source.name, experiment: experiment ?? (dataset.experiment || undefined),
    seed: seed === MEAN || seed === undefined ? undefined : seed, select: Object.keys(select).length ? select : undefined,
  };
  const caption = `${capital(variable.long_name)}, by ${readable(axes.x)}${axes.y ? ` and ${readable(axes.y)}` : ""}.`;
  const name = named(source.name, variable.name, "by", axes.x, axes.y);
  if (axes.y) {
    const signed = rangeOf(values).signed || undefined;
    return pasted(name, { plot: "cell_map", ...common, variable: variable.name, x: axes.x, y: axes.y, signed, caption }, source.analyses);
  }
  const lines = axes.hue ? linesOf(dataset, variable, axes.hue) : { [readable(variable.name)]: { variable: variable.name } };
  return pasted(name, { plot: "group_curves", ...common, x: axes.x, lines, y: rangeOf(values).high === 1 ? "share" : "plain", caption }, source.analyses);
}

/** A line for each label of a dim. */
function linesOf(/** @type {Dataset} */ dataset, /** @type {Variable} */ variable, /** @type {string} */ dim) {
  const says = (/** @type {Label} */ label) =>
    dim === "experiment" || dim === "seed" ? { [dim]: label } : { select: { [dim]: label } };
  return Object.fromEntries(
    dataset.labels[dim].slice(0, 8).map((label) => [`${readable(dim)} ${label}`, { variable: variable.name, ...says(label) }]),
  );
}

/** The analysis that a dataset comes from, if a spec can have it. @returns {Source|null} */
function sourceOf(/** @type {Dataset} */ dataset) {
  if (dataset.kind === "findings") return { name: dataset.name, analyses: {} };
  if (dataset.kind === "activations") return activationsOf(dataset.experiment);
  if (dataset.kind === "history") return historyOf(dataset.experiment);
  return null;
}
