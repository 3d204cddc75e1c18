/** Training: curves over its steps, with a cursor that sets the checkpoint of the other views. */

VIEWS.training = {
  title: "Training",
  there: () => INDEX.datasets.some((each) => each.kind === "history" && each.variables.length),
  async draw() {
    const experiment = experimentNow();
    const history = datasetOf("history", experiment);
    const now = shown();
    const others = INDEX.datasets.flatMap((each) =>
      each.kind === "findings" ? each.variables.filter((one) => one.dims.includes("step") && one.kind !== "text").map((one) => `${each.name} · ${one.name}`) : [],
    );
    const body = [];
    const held = /** @type {string[]} */ ([]);
    let wide = false;
    for (const [title, ...names] of [["Loss", "train_loss", "validation_loss"], ["Accuracy", "validation_accuracy"]]) {
      const there = names.filter((name) => history && variableOf(history, name));
      if (!history || !there.length) continue;
      const arrays = await Promise.all(there.map((name) => load(history, name)));
      const [low, high] = ends(arrays.flatMap((array) => [...array.values]));
      const log = title === "Loss" && low > 0 && high > 5 * low;
      wide ||= log;
      body.push(heading(title), overSteps(arrays.flatMap((array, row) => linesAlong(array, readable(array.variable.name), SERIES[row])), title.toLowerCase(), log));
      held.push(`${title}: ${heldOf(history, arrays[0].variable)}`);
    }
    if (now.also && others.includes(now.also)) body.push(...(await alsoOverSteps(now.also, experiment)));
    const kept = datasetOf("activations", experiment);
    const steps = kept?.labels.step ?? history?.labels.step ?? [];
    const choices = [
      ...(experimentNames().length > 1 ? [choice("Experiment", "experiment", experimentNames(), experiment)] : []),
      slider("Training step", "step", steps, steps[place(steps, "step", now)]),
      choice("And a finding", "also", ["none", ...others], now.also ?? "none", (name) => (name === "none" ? "–" : readable(name))),
    ];
    return { choices, body, figure: trainingFigure(experiment, wide ? "log" : "plain"), held };
  },
};

/** Curves over training steps, with the cursor. */
function overSteps(/** @type {Curve[]} */ lines, /** @type {string} */ title, /** @type {boolean} */ log) {
  return curves({
    curves: lines, xTitle: "training step", yTitle: title, logX: true, logY: log, label: `${title} over training`,
    cursor: shown().step === undefined ? undefined : Number(shown().step), move: (step) => show({ step }),
  });
}

/** The mean over seeds, and each seed thinly. @returns {Curve[]} */
function linesAlong(/** @type {Labelled} */ array, /** @type {string} */ label, /** @type {string} */ colour) {
  const points = (/** @type {Labelled} */ one) => one.labels.step.map((step, at) => [Number(step), one.values[at]]);
  const mean = { label, colour, points: points(meanAlong(array, "seed")) };
  const seeds = array.dims.includes("seed") ? array.labels.seed : [];
  if (seeds.length < 2) return [mean];
  return [mean, ...seeds.map((seed) => ({ label, colour, thin: true, points: points(pick(array, { seed })) }))];
}

/** A finding over training: a line for each label of its last further dim, at the first of the others. */
async function alsoOverSteps(/** @type {string} */ also, /** @type {string} */ experiment) {
  const [name, variable] = also.split(" · ");
  const dataset = INDEX.datasets.find((each) => each.name === name);
  if (!dataset) return [];
  const array = pick(await load(dataset, variable), { experiment });
  const further = array.dims.filter((dim) => !["seed", "step"].includes(dim));
  const hue = further.pop();
  const first = pick(array, Object.fromEntries(further.map((dim) => [dim, array.labels[dim][0]])));
  const lines = hue
    ? array.labels[hue].flatMap((label, row) => linesAlong(pick(first, { [hue]: label }), `${readable(hue)} ${label}`, SERIES[row % SERIES.length]))
    : linesAlong(first, readable(variable), SERIES[0]);
  return [heading(capital(array.variable.long_name)), overSteps(lines, axisLabel(array.variable), false)];
}

/** The analysis that hands on the history of an experiment. @returns {Source} */
function historyOf(/** @type {string} */ experiment) {
  const there = INDEX.datasets.find((each) => each.method === "training_curves" && each.labels.experiment?.includes(experiment));
  if (there) return { name: there.name, analyses: {} };
  return { name: "training", analyses: { training: { method: "training_curves", experiments: [experiment] } } };
}

/** The figure of the loss over training. */
function trainingFigure(/** @type {string} */ experiment, /** @type {string} */ y) {
  const { name, analyses } = historyOf(experiment);
  const lines = { "training loss": { variable: "train_loss" }, "validation loss": { variable: "validation_loss" } };
  const caption = "Training and validation loss over training.";
  return pasted(named("loss", experiment), { plot: "group_curves", data: name, experiment, x: "step", lines, y, caption }, analyses);
}
