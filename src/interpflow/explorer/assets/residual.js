/** The residual stream: what lenses read at each layer and position, and which parts made a logit. */

const WHOSE = /** @type {Where} */ ({ right: "right answer", top: "most probable output" });

VIEWS.residual = {
  title: "Residual stream",
  there: () => holding("top").length > 0,
  async draw() {
    const inside = await insideOf("top");
    const { dataset, words } = inside;
    const names = ["top", "top_output", "right", "answer"];
    const [top, output, right, answer] = await Promise.all(names.map((name) => inside.of(name)));
    const what = shown().show === "top" ? "top" : "right";
    const at = what === "top" ? { rank: 0 } : {};
    const layers = right.labels.lens_layer;
    const scored = table(right, "lens_layer", "position");
    const first = words.findIndex((_, each) => Number.isFinite(scored(layers.length - 1, each)));
    const position = Math.min(Number(shown().position ?? Math.max(first, 0)), words.length - 1);
    const map = lensMap({
      label: "Logit lens", layers, columns: numberedWords(words), at: position,
      value: table(what === "top" ? pick(top, at) : right, "lens_layer", "position"),
      tops: (layer, column) => {
        const here = { lens_layer: layers[layer], position: column };
        const [p, outputs, answers] = [top, output, answer].map((each) => flat(pick(each, here)));
        const bars = outputs.map((each, rank) => (
          { value: p[rank], name: dataset.labels.output[each], right: answers[each] === 1 }));
        return answers.length === 1 ? yesOrNo(bars[0], answers[0] === 0) : bars;
      },
      pick: (column) => show({ position: column }),
    });
    const parts = variableOf(dataset, "contribution") && (await inside.of("contribution"));
    const caption = `Probability of the ${WHOSE[what]}, as the logit lens reads it.`;
    return {
      choices: [...inside.choices, choice("Colours", "show", ["right", "top"], what, (each) => WHOSE[each])],
      body: [
        remark(`${caption} The words are those of the most probable output.`), map,
        ...(parts ? contributions(parts, position, words) : []), ...(await lensesOf(inside, position)),
      ],
      figure: insideFigure(inside, what, at, { x: "position", y: "lens_layer", caption }),
      held: [right.variable.exact],
    };
  },
};

/**
 * A map of what a lens reads, and the most probable outputs at the place that is looked at, at first in the
 * column `at` after the last layer. Layers and columns are told by their places.
 * @typedef {{label: string, layers: Label[], columns: string[], value: AtCell, at: number,
 *   tops: (layer: number, column: number) => Bar[], pick: (column: number) => void}} Lens
 */
function lensMap(/** @type {Lens} */ { label, layers, columns, value, at, tops, pick }) {
  const every = layers.map((_, layer) => columns.map((_, column) => tops(layer, column))).reverse();
  const rows = layers.map((each) => (each === 0 ? "embedding" : `after layer ${Number(each) - 1}`)).reverse();
  const list = element("div", {});
  const tell = (/** @type {number} */ row, /** @type {number} */ column) => {
    const caption = `Most probable outputs ${rows[row]}, at ${columns[column]}`;
    list.replaceChildren(bars(every[row][column], caption));
  };
  tell(0, at);
  const map = heatmap({
    rows, columns, rowTitle: "stream", columnTitle: "position", range: SHARES, label: `${label} by layer`,
    value: (row, column) => value(rows.length - 1 - row, column), picked: [0, at], over: tell,
    word: (row, column) => every[row][column][0].name, pick: (_, column) => pick(column),
  });
  return element("div", { class: "lens" }, heading(label), map, list);
}

/** The one output that there is and its opposite, the more probable first. */
const yesOrNo = (/** @type {Bar} */ yes, /** @type {boolean} */ right) =>
  [yes, { value: 1 - yes.value, name: `not ${yes.name}`, right }].sort((one, two) => two.value - one.value);

/** A list of values with bars from 0; what is right is marked.
 * @typedef {{name: Label, value: number, right: boolean}} Bar
 */
function bars(/** @type {Bar[]} */ lines, /** @type {string} */ caption) {
  const values = lines.map((line) => line.value || 0);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const wide = (/** @type {number} */ value) => Math.round((Math.abs(value) / (high - low || 1)) * 200);
  const rows = lines.map(({ name, value, right }, at) => {
    const less = values[at] < 0;
    const left = wide(low) - (less ? wide(values[at]) : 0);
    const colour = css(between(SIGNED, less ? 0.95 : 0.05));
    const style = `width:${wide(values[at])}px;margin-left:${left}px;background:${colour}`;
    const bar = element("span", { class: "share", style });
    return element("tr", { class: right ? "right" : undefined },
      element("td", {}, `${name}${right ? " ✓ right" : ""}`),
      element("td", { class: "number" }, number(value)), element("td", {}, bar));
  });
  return element("table", {}, element("caption", {}, caption), ...rows);
}

/** What each part of the model adds to the right logit at a position.
 * @type {(every: Labelled, position: number, words: string[]) => Node[]} */
function contributions(every, position, words) {
  const values = flat(pick(every, { position }));
  const title = heading("Direct contributions to the right output's logit");
  const here = `position ${position}, ${words[position]}`;
  if (!values.some(Number.isFinite)) return [title, remark(`There is no answer at ${here}.`)];
  const lines = every.labels.part.map((name, at) => ({ name, value: values[at], right: false }));
  return [title, bars(lines, `At ${here}; logits are centred over all outputs`)];
}

/** The lenses of an analysis of the spec, beside each other, on the examples that it keeps whole.
 * @type {(inside: Inside, position: number) => Promise<(Node|string)[]>} */
async function lensesOf({ dataset: { experiment }, where }, wanted) {
  const dataset = INDEX.datasets.find((each) =>
    each.method === "lens" && each.labels.experiment.includes(experiment) && variableOf(each, "probability"));
  if (!dataset) return [remark("No tuned lens is here: no analysis lens of the spec has examples shown.")];
  const { seed } = where;
  const whole = pick(await load(dataset, "probability"), { experiment, seed });
  const { lens: lenses, output: outputs } = whole.labels;
  const first = pick(whole, { lens: lenses[0] });
  const there = (/** @type {Where} */ at) => flat(pick(first, at)).some(Number.isFinite);
  const layers = whole.labels.layer.filter((layer) => there({ layer })); // other models may have more
  const { shown_example: all, position: every } = whole.labels;
  const examples = all.filter((shown_example) => there({ shown_example }));
  const shown_example = labelNow(examples, "shown_example", asked("lens_example") || where.shown_example);
  const positions = every.map(Number).filter((position) => there({ shown_example, position }));
  const position = Number(labelNow(positions, "position", String(wanted)));
  const words = numberedWords(await ofPositions(experiment, "word", shown_example));
  const targets = await ofPositions(experiment, "targets", shown_example);
  const output = asked("output") || outputs[targets[position]];
  const columns = positions.map((each) => words[each]);
  const maps = lenses.map((lens) => {
    const at = (/** @type {number} */ layer, /** @type {number} */ column) =>
      pick(whole, { lens, shown_example, layer: layers[layer], position: positions[column] });
    return lensMap({
      label: `${capital(String(lens))} lens`, layers, columns, at: positions.indexOf(position),
      value: (layer, column) => flat(pick(at(layer, column), { output }))[0],
      tops: (layer, column) => flat(at(layer, column))
        .map((value, each) => ({ value, name: outputs[each], right: each === targets[positions[column]] }))
        .sort((one, two) => two.value - one.value).slice(0, 5),
      pick: (column) => show({ position: positions[column] }),
    });
  });
  const caption = `Probability of the output ${output}, as lenses read it.`;
  const figure = {
    plot: "cell_map", experiment, seed, select: { shown_example, output }, variable: "probability",
    x: "position", y: "layer",
    panels: Object.fromEntries(lenses.map((lens) => [`${lens} lens`, { select: { lens } }])),
    labels_of: { position: Object.fromEntries(positions.map((each) => [each, words[each]])) }, caption,
  };
  return [
    heading(`Lenses of the analysis ${readable(dataset.name)}`),
    remark(`${caption} The words are those of the most probable output.`),
    element("form", {}, choice("Example of the lenses", "lens_example", examples, shown_example),
      choice("Output", "output", outputs, output)),
    element("div", { class: "beside" }, ...maps),
    asFigure(pasted(named("lenses", experiment), dataset.sources[""], figure)),
  ];
}
