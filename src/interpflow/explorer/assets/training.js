/** Training: curves over its steps, with a cursor that sets the checkpoint of the other views. */

const HISTORY = { Loss: ["train_loss", "validation_loss"], Accuracy: ["validation_accuracy"] };

VIEWS.training = {
  title: "Training",
  there: () => datasetsOf("history").length > 0,
  async draw() {
    const { experiment, datasets: [history], choices } = ofExperiment(datasetsOf("history"));
    const also = datasetsOf("findings").flatMap((dataset) =>
      dataset.variables.filter((each) => each.dims.includes("step") && !each.words)
        .map(({ name }) => ({ title: `${dataset.name} · ${name}`, dataset, names: [name] })));
    const other = also.find((each) => each.title === shown().also);
    const charts = Object.entries(HISTORY).map(([title, names]) => ({ title, dataset: history, names }));
    const body = [];
    const held = [];
    let scale = "plain";
    for (const { title, dataset, names } of other ? [...charts, other] : charts) {
      const there = names.flatMap((name) => variableOf(dataset, name) ?? []);
      if (!there.length) continue;
      const arrays = await Promise.all(there.map((each) => load(dataset, each.name)));
      const lines = arrays.flatMap((array) => stepLines(pick(array, { experiment })));
      const labels = [...new Set(lines.map((line) => line.label))];
      for (const line of lines) line.colour = SERIES[labels.indexOf(line.label) % SERIES.length];
      const [low, high] = ends(lines.flatMap((line) => line.points.map((point) => point[1])));
      const logY = title === "Loss" && low > 0 && high > 5 * low;
      if (logY) scale = "log";
      const label = capital(title === other?.title ? there[0].axis : title);
      const axes = { xTitle: "training step", yTitle: label, logX: true, logY, label };
      body.push(heading(label), curves({ curves: lines, ...axes, ...cursor() }));
      held.push(`${title}: ${there[0].exact}`);
    }
    const steps = (datasetsOf("activations", experiment)[0] ?? history).labels.step;
    const figure = {
      plot: "group_curves", experiment, x: "step", y: scale, caption: "Loss over training.",
      lines: Object.fromEntries(HISTORY.Loss.map((name) => [readable(name), { variable: name }])),
    };
    return {
      choices: [
        ...choices, slider("Training step", "step", steps, labelNow(steps, "step")),
        optional("And a finding", "also", also.map((each) => each.title), other?.title),
      ],
      body, held, figure: pasted(named("loss", experiment), history.sources[""], figure),
    };
  },
};

/** The cursor of curves over training steps: the step of the address. */
function cursor() {
  const { step } = shown();
  const move = (/** @type {number} */ to) => show({ step: to });
  return { cursor: step === undefined ? undefined : Number(step), move };
}

/** A variable over training: a line for each label of its last further dim, at the first of the others;
 * of each the mean over seeds, and each seed thinly. @returns {Curve[]} */
function stepLines(/** @type {Labelled} */ array) {
  const further = array.dims.filter((dim) => !["seed", "step"].includes(dim));
  const hue = further.pop();
  const first = pick(array, Object.fromEntries(further.map((dim) => [dim, array.labels[dim][0]])));
  return (hue ? array.labels[hue] : [""]).flatMap((part) => {
    const one = hue ? pick(first, { [hue]: part }) : first;
    const label = readable(hue ? `${hue} ${part}` : array.variable.name);
    const seeds = one.dims.includes("seed") && one.labels.seed.length > 1 ? one.labels.seed : [];
    const curve = (/** @type {Labelled} */ of, thin = false) =>
      ({ label, colour: "", thin, points: flat(of).map((value, at) => [Number(of.labels.step[at]), value]) });
    return [curve(along(one, "seed", mean)), ...seeds.map((seed) => curve(pick(one, { seed }), true))];
  });
}
