/** The residual stream: what the logit lens reads at each layer and position, and which parts made a logit. */

VIEWS.residual = {
  title: "Residual stream",
  there: () => INDEX.datasets.some((each) => each.kind === "activations" && variableOf(each, "top")),
  async draw() {
    const now = shown();
    const { dataset, array, where, words } = await insideOf("top");
    const outputs = dataset.labels.output;
    const [top, first, right, answer] = await Promise.all(
      ["top", "top_output", "right", "answer"].map(async (name) => shortened(pick(await load(dataset, name), where), words.length)),
    );
    const what = now.show === "top" ? "top" : "right";
    const values = what === "top" ? pick(top, { rank: 0 }) : right;
    const best = pick(first, { rank: 0 });
    const layers = [...right.labels.lens_layer].reverse();
    const value = table(values, "lens_layer", "position");
    const said = table(best, "lens_layer", "position");
    const turned = (/** @type {number} */ row) => layers.length - 1 - row;
    const scored = words.map((_, at) => at).filter((at) => Number.isFinite(table(right, "lens_layer", "position")(layers.length - 1, at)));
    const at = Math.min(Number(now.position ?? scored[0] ?? 0), words.length - 1);
    const layer = now.lens === undefined ? layers.length - 1 : placeOf(right.labels.lens_layer, now.lens);
    const list = element("div", {});
    /** Show the most probable outputs at a place. */
    const tell = (/** @type {number} */ row, /** @type {number} */ position) =>
      list.replaceChildren(probabilities(pick(pick(top, { lens_layer: right.labels.lens_layer[row] }), { position }), pick(pick(first, { lens_layer: right.labels.lens_layer[row] }), { position }), pick(answer, { position }), outputs, `${capital(streamAfter(right.labels.lens_layer[row]))}, at position ${position}, ${words[position]}`));
    tell(layer, at);
    const body = [
      remark(what === "top" ? "Probability of the most probable output, which the cell names." : "Probability of the right answer, with the most probable output; positions without one are empty."),
      heatmap({
        rows: layers.map(streamAfter), columns: numberedWords(words),
        value: (row, column) => value(turned(row), column), word: (row, column) => String(outputs[said(turned(row), column)]),
        range: { low: 0, high: 1, signed: false }, rowTitle: "stream", columnTitle: "position", label: "Logit lens by layer and position",
        picked: [turned(layer), at], over: (row, column) => tell(turned(row), column),
        pick: (row, column) => show({ position: column, lens: right.labels.lens_layer[turned(row)] }),
      }),
      heading("Most probable outputs"), list,
    ];
    if (variableOf(dataset, "contribution")) body.push(...(await contributions(dataset, where, at, words)));
    const choices = [...choicesAlong(array, ["seed", "step", "shown_example"]), choice("Colours", "show", ["right", "top"], what, (each) => (each === "top" ? "most probable output" : "right answer"))];
    const figure = what === "right"
      ? insideFigure("right", { x: "position", y: "lens_layer" }, where, words, "Probability of the right answer that the logit lens reads, by layer and position.")
      : insideFigure("top", { x: "position", y: "lens_layer" }, { ...where, rank: 0 }, words, "Probability of the most probable output that the logit lens reads.");
    return { choices, body, figure, held: [heldOf(dataset, right.variable)] };
  },
};

/** Where in the model the residual stream is read. */
function streamAfter(/** @type {Label} */ layers) {
  return layers === 0 ? "embedding" : `after layer ${Number(layers) - 1}`;
}

/** A list of outputs with bars; the right ones are marked. */
function probabilities(/** @type {Labelled} */ top, /** @type {Labelled} */ first, /** @type {Labelled} */ answer, /** @type {Label[]} */ outputs, /** @type {string} */ where) {
  const rows = top.values.map((/** @type {number} */ value, /** @type {number} */ rank) => {
    const right = answer.values[first.values[rank]] === 1;
    return element(
      "tr", { class: right ? "right" : undefined }, element("td", {}, `${outputs[first.values[rank]]}${right ? " ✓ right" : ""}`),
      element("td", { class: "number" }, number(value)),
      element("td", {}, element("span", { class: "share", style: `width:${Math.round((value || 0) * 120)}px` })),
    );
  });
  return element("table", {}, element("caption", {}, where), ...rows);
}

/** Bars of what each part of the model adds to the right logit at a position. */
async function contributions(/** @type {Dataset} */ dataset, /** @type {Object<string, any>} */ where, /** @type {number} */ position, /** @type {string[]} */ words) {
  const array = pick(await load(dataset, "contribution"), { ...where, position });
  const most = Math.max(...array.values.map(Math.abs));
  if (!Number.isFinite(most)) return [heading("Direct contributions"), remark(`Position ${position}, ${words[position]}, has no answer.`)];
  const rows = array.labels.part.map((part, at) => {
    const value = array.values[at];
    const width = Math.round((Math.abs(value) / (most || 1)) * 120);
    const colour = css(between(SIGNED, value < 0 ? 0.1 : 0.9));
    return element(
      "tr", {}, element("td", {}, String(part)), element("td", { class: "number" }, number(value)),
      element("td", { class: "about" }, element("span", { class: "share", style: `width:${width}px;background:${colour};margin-left:${value < 0 ? 120 - width : 120}px` })),
    );
  });
  return [
    heading("Direct contributions to the right output's logit"),
    remark(`At position ${position}, ${words[position]}, logits centred over all outputs. ${heldOf(dataset, array.variable)}`),
    element("table", {}, ...rows),
  ];
}
