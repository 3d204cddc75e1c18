/** Circuits: the OV and QK maps of every head, token by token, over checkpoints. */

VIEWS.circuits = {
  title: "Circuits",
  there: () => INDEX.datasets.some((each) => each.kind === "circuits" && each.variables.length),
  async draw() {
    const now = shown();
    const dataset = datasetOf("circuits", experimentNow());
    if (!dataset?.variables.length) return nothingOf("circuits");
    const name = variableOf(dataset, now.circuit ?? "") ? now.circuit : dataset.variables[0].name;
    const array = await load(dataset, name);
    const where = chosen(array, ["seed", "step"]);
    const whole = pick(array, where);
    const [layer, head] = [placeOf(whole.labels.layer, now.layer), placeOf(whole.labels.head, now.head)];
    const [down, across] = whole.dims.slice(-2);
    const signed = signedRange(whole.values);
    const of = (/** @type {number} */ l, /** @type {number} */ h) => table(pick(whole, { layer: whole.labels.layer[l], head: whole.labels.head[h] }), down, across);
    const [rows, columns] = [down, across].map((dim) => whole.labels[dim].map(String));
    const body = [
      remark(name === "ov" ? "What attending to a source token adds to the logit of each output." : "The score of each query token for each key token, of the embeddings alone."),
      element("div", { class: "beside" },
        whole.labels.layer.length * whole.labels.head.length > 1
          ? headGrid(whole.labels.layer.length, whole.labels.head.length, (l, h) => thumbnail(`L${l}H${h}`, { rows: rows.length, columns: columns.length, value: of(l, h), range: signed }, l === layer && h === head, () => show({ layer: l, head: h })))
          : null,
        heatmap({ rows, columns, value: of(layer, head), range: signed, rowTitle: down, columnTitle: across, label: `${name.toUpperCase()} circuit of layer ${layer}, head ${head}` })),
    ];
    const choices = [...choicesAlong(array, ["seed", "step"]), choice("Circuit", "circuit", dataset.variables.map((each) => each.name), name, (each) => each.toUpperCase())];
    return { choices, body, figure: circuitFigure(dataset, name, { ...where, head: whole.labels.head[head] }, Number(whole.labels.layer[layer]), across, down), held: [heldOf(dataset, array.variable)] };
  },
};

/** A view with nothing to show of this experiment. @returns {Shown} */
function nothingOf(/** @type {string} */ what) {
  const choices = [choice("Experiment", "experiment", experimentNames(), experimentNow())];
  return { choices, body: [remark(`No ${what} of ${readable(experimentNow())} are held.`)], figure: "", held: [] };
}

/** The figure of one map. */
function circuitFigure(/** @type {Dataset} */ dataset, /** @type {string} */ variable, /** @type {Object<string, any>} */ where, /** @type {number} */ layer, /** @type {string} */ x, /** @type {string} */ y) {
  const { experiment, seed, select } = selected(where);
  const name = `circuits_of_layer_${layer}`;
  const analyses = { [name]: { method: "circuits", experiments: [experiment], layer, steps: dataset.labels.step.length } };
  const caption = `The ${variable.toUpperCase()} circuit of layer ${layer}, head ${select.head}.`;
  return pasted(named(variable, experiment, layer, select.head), { plot: "cell_map", data: name, experiment, seed, select, variable, x, y, signed: true, caption }, analyses);
}
