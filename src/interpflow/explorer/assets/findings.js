/** Any finding: a variable of a dataset, its dims as axes, colours and choices. */

const MEAN = "mean";

/** @typedef {{x: string, y: string, hue: string}} Axes dims across, and down (a map) or by colour (curves) */

VIEWS.findings = {
  title: "Findings",
  there: () => INDEX.datasets.some((each) => each.variables.length),
  async draw() {
    const now = shown();
    const datasets = INDEX.datasets.filter((each) => each.variables.length);
    const dataset = datasets.find((each) => each.name === now.data) ?? datasets[0];
    const { variables, left_out } = dataset;
    const variable = variableOf(dataset, now.variable) ?? variables[0];
    const array = along(await load(dataset, variable.name), variable.once, last);
    const axes = axesOf(array);
    const { sliced, where } = slicedBy(array, axes);
    const draws = variable.words || !axes.x ? wordTable : axes.y ? findingMap : findingCurves;
    return {
      choices: [
        choice("Dataset", "data", datasets.map((each) => each.name), dataset.name),
        choice("Variable", "variable", variables.map((each) => each.name), variable.name),
        ...axisChoices(array, axes), ...Object.keys(where).map((dim) => dimChoice(array, dim, where[dim])),
      ],
      body: [remark(`${capital(variable.axis)}.`), draws(sliced, axes)],
      figure: findingFigure(dataset, sliced, axes, where),
      held: [variable.exact, left_out.length ? `Too large to be held: ${left_out.join(", ")}.` : ""],
    };
  },
};

/** The axes that the address names, or those that the page begins with. @returns {Axes} */
function axesOf(/** @type {Labelled} */ { dims, variable: { axes } }) {
  const given = { ...axes, ...shown() };
  const [x, y, hue] = [given.x, given.y, given.hue].map((dim) => (dims.includes(dim) ? dim : ""));
  return { x, y: y === x ? "" : y, hue: y || hue === x ? "" : hue };
}

/** The choices of the axes. @returns {Node[]} */
function axisChoices(/** @type {Labelled} */ { dims }, /** @type {Axes} */ { x, y, hue }) {
  if (!dims.length) return [];
  const colours = y ? [] : [optional("Colours", "hue", dims, hue)];
  return [choice("Across", "x", dims, x), optional("Down", "y", dims, y), ...colours];
}

/** Whether the mean along a dim can be shown. */
const hasMean = (/** @type {Labelled} */ { variable, labels }, /** @type {string} */ dim) =>
  dim === "seed" && !variable.words && labels.seed.length > 1;

/** The choice of a place of a dim; of seeds also their mean.
 * @type {(array: Labelled, dim: string, now: any) => Node} */
function dimChoice(array, dim, now) {
  const labels = array.labels[dim];
  if (dim === "step") return slider("Training step", "at.step", labels, now);
  return choice(capital(readable(dim)), `at.${dim}`, hasMean(array, dim) ? [MEAN, ...labels] : labels, now);
}

/** The part of an array that is shown, and where it lies along the dims that are no axes. */
function slicedBy(/** @type {Labelled} */ array, /** @type {Axes} */ axes) {
  /** @type {Where} */
  const where = {};
  let sliced = array;
  for (const dim of array.dims.filter((each) => !Object.values(axes).includes(each))) {
    const key = `at.${dim}`;
    const isMean = hasMean(array, dim) && (shown()[key] ?? MEAN) === MEAN;
    where[dim] = isMean ? MEAN : labelNow(array.labels[dim], key);
    sliced = isMean ? along(sliced, dim, mean) : pick(sliced, { [dim]: where[dim] });
  }
  return { sliced, where };
}

/** A map of a variable along two dims. */
function findingMap(/** @type {Labelled} */ sliced, /** @type {Axes} */ { x, y }) {
  return heatmap(mapOf(sliced, y, x, rangeOf(flat(sliced))));
}

/** Curves of a variable along a dim, in colours by another. */
function findingCurves(/** @type {Labelled} */ sliced, /** @type {Axes} */ { x, hue }) {
  const labels = sliced.labels[x];
  const numeric = labels.every((label) => typeof label === "number");
  const value = table(sliced, hue, x);
  const [low, high] = ends(flat(sliced));
  const stepped = x === "step";
  return curves({
    curves: (hue ? sliced.labels[hue] : [""]).map((kind, row) => ({
      label: hue ? `${readable(hue)} ${labelWord(kind)}` : readable(sliced.variable.name),
      colour: SERIES[row % SERIES.length],
      points: labels.map((label, at) => [numeric ? Number(label) : at, value(row, at)]),
    })),
    xTitle: stepped ? "training step" : readable(x), yTitle: sliced.variable.axis, logX: stepped,
    logY: low > 0 && high / low > 300, words: numeric ? undefined : labels.map(labelWord),
    label: sliced.variable.long_name, height: 340, ...(stepped ? cursor() : {}),
  });
}

/** Words, or a value alone, along two dims. */
function wordTable(/** @type {Labelled} */ sliced, /** @type {Axes} */ { x, y, hue }) {
  const down = y || hue;
  const [rows, columns] = [down, x].map((dim) => (dim ? sliced.labels[dim] : [""]));
  const value = table(sliced, down, x);
  const head = (/** @type {Label} */ label) => element("th", {}, labelWord(label));
  const lines = rows.map((row, at) =>
    element("tr", {}, head(row), ...columns.map((_, place) => element("td", {}, number(value(at, place))))));
  const first = element("tr", {}, head([down, x].filter(Boolean).join(" \\ ")), ...columns.map(head));
  return element("div", { class: "wide" }, element("table", {}, first, ...lines));
}

/** The figure of the finding that is shown.
 * @type {(dataset: Dataset, sliced: Labelled, axes: Axes, where: Where) => string} */
function findingFigure({ labels, experiment, sources }, sliced, { x, y, hue }, where) {
  const { experiment: other, seed, ...at } = where;
  const { name, long_name, words } = sliced.variable;
  const source = sources[at.layer] ?? sources[""];
  if (words || !x || !source) return "";
  const select = Object.fromEntries(said(at).filter(([dim]) => labels[dim].length > 1 || dim !== "step"));
  const range = rangeOf(flat(sliced));
  const lines = (hue ? labels[hue].slice(0, SERIES.length) : [""]).map((label) => {
    const chosen = ["experiment", "seed"].includes(hue) ? { [hue]: label } : { select: { [hue]: label } };
    return [readable(hue ? `${hue} ${label}` : name), { variable: name, ...(hue ? chosen : {}) }];
  });
  const drawn = y
    ? { plot: "cell_map", variable: name, y, signed: range.signed || undefined }
    : { plot: "group_curves", lines: Object.fromEntries(lines), y: range.high === 1 ? "share" : "plain" };
  return pasted(named(source.data, name, "by", x, y), source, {
    ...drawn, x, experiment: other ?? (experiment || undefined), seed: seed === MEAN ? undefined : seed,
    select, caption: `${capital(long_name)}, by ${readable(x)}${y ? ` and ${readable(y)}` : ""}.`,
  });
}
