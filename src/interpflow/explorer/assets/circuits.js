/** Circuits: the OV and QK maps of every head, token by token, over checkpoints. */

const MEANINGS = /** @type {Object<string, string>} */ ({
  ov: "What attending to a source token adds to the logit of each output.",
  qk: "The score of each query token for each key token, of the embeddings alone.",
});

VIEWS.circuits = {
  title: "Circuits",
  there: () => INDEX.datasets.some((each) => each.kind === "circuits" && each.variables.length),
  async draw() {
    const dataset = datasetOf("circuits", experimentNow());
    if (!dataset?.variables.length) return nothingOf("circuits");
    const circuit = (variableOf(dataset, shown().circuit ?? "") ?? dataset.variables[0]).name;
    const array = await load(dataset, circuit);
    const where = chosen(array, ["seed", "step"]);
    const whole = pick(array, where);
    const head = headNow(whole);
    const [down, across] = whole.dims.slice(-2);
    const range = signedRange(whole.values);
    const map = heatmap({
      rows: whole.labels[down].map(String), columns: whole.labels[across].map(String), rowTitle: down, columnTitle: across, range,
      value: table(pick(whole, head), down, across), label: `${circuit.toUpperCase()} circuit of layer ${head.layer}, head ${head.head}`,
    });
    const names = dataset.variables.map((each) => each.name);
    const choices = [...choicesAlong(array, ["seed", "step"]), choice("Circuit", "circuit", names, circuit, (each) => each.toUpperCase())];
    const { experiment, seed, select } = selected({ ...where, head: head.head });
    const name = `circuits_of_layer_${head.layer}`;
    const caption = `The ${circuit.toUpperCase()} circuit of layer ${head.layer}, head ${head.head}.`;
    const figure = { plot: "cell_map", data: name, experiment, seed, select, variable: circuit, x: across, y: down, signed: true, caption };
    const analysis = { method: "circuits", experiments: [experiment], layer: head.layer, steps: dataset.labels.step.length };
    return {
      choices,
      body: [remark(MEANINGS[circuit]), element("div", { class: "beside" }, headMaps(whole, down, across, range), map)],
      figure: pasted(named(circuit, experiment, head.layer, head.head), figure, { [name]: analysis }),
      held: [heldOf(dataset, array.variable)],
    };
  },
};

/** A view with nothing to show of this experiment. @returns {Shown} */
function nothingOf(/** @type {string} */ what) {
  const choices = [choice("Experiment", "experiment", experimentNames(), experimentNow())];
  return { choices, body: [remark(`No ${what} of ${readable(experimentNow())} are held.`)], figure: "", held: [] };
}
