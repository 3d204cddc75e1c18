/** Circuits: the OV and QK maps of every head, token by token, over checkpoints. */

VIEWS.circuits = {
  title: "Circuits",
  there: () => datasetsOf("circuits").length > 0,
  async draw() {
    const { experiment, datasets: [dataset], choices } = ofExperiment(datasetsOf("circuits"));
    const variable = variableOf(dataset, asked("circuit")) ?? dataset.variables[0];
    const array = await load(dataset, variable.name);
    const where = modelNow(array);
    const whole = pick(array, where);
    const { layer, head } = headNow(whole);
    const [y, x] = whole.dims.slice(-2);
    const range = rangeOf(flat(whole), true);
    const words = (/** @type {string} */ circuit) => circuit.toUpperCase();
    const circuits = dataset.variables.map((each) => each.name);
    const circuit = choice("Circuit", "circuit", circuits, variable.name, words);
    const figure = {
      plot: "cell_map", experiment, seed: where.seed, select: { step: where.step, head },
      variable: variable.name, x, y, signed: true,
      caption: `The ${words(variable.name)} circuit of layer ${layer}, head ${head}.`,
    };
    return {
      choices: [...choices, ...modelChoices(array, where), circuit],
      body: [remark(`${capital(variable.axis)}.`), headMaps(whole, y, x, range)],
      figure: pasted(named(variable.name, experiment, layer, head), dataset.sources[String(layer)], figure),
      held: [variable.exact],
    };
  },
};
