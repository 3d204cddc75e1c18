/** Attention: all heads of one example, one of them large, and a token that looks and is looked at. */

VIEWS.attention = {
  title: "Attention",
  there: () => INDEX.datasets.some((each) => each.kind === "activations" && variableOf(each, "attention")),
  async draw() {
    const now = shown();
    const found = await insideOf("attention");
    const { dataset, array, where, words, roles } = found;
    const whole = shortened(pick(array, where), words.length);
    const steps = array.labels.step ?? [];
    const other = now.minus !== undefined && now.minus !== "none" ? steps[placeOf(steps, now.minus)] : undefined;
    const shownAttention = other === undefined ? whole : difference(whole, shortened(pick(array, { ...where, step: other }), words.length));
    const range = other === undefined ? { low: 0, high: 1, signed: false } : signedRange(shownAttention.values);
    const heads = whole.labels.head.length;
    const layers = whole.labels.layer.length;
    const [layer, head] = [placeOf(whole.labels.layer, now.layer), placeOf(whole.labels.head, now.head)];
    const of = (/** @type {number} */ l, /** @type {number} */ h) =>
      table(pick(shownAttention, { layer: whole.labels.layer[l], head: whole.labels.head[h] }), "query", "key");
    const large = of(layer, head);
    const kept = words.map((_, at) => at).filter((at) => !now.role || now.role === "all" || roles[at] === now.role);
    const names = numberedWords(words);
    const looked = element("div", {});
    const at = Math.min(Number(now.position ?? words.length - 1), words.length - 1);
    lookAt(looked, words, large, range, at);
    const body = [
      element("div", { class: "beside" },
        heads * layers > 1
          ? headGrid(layers, heads, (l, h) => thumbnail(`L${l}H${h}`, { rows: words.length, columns: words.length, value: of(l, h), range }, l === layer && h === head, () => show({ layer: l, head: h })))
          : null,
        heatmap({
          rows: kept.map((each) => names[each]), columns: names, value: (row, column) => large(kept[row], column), range,
          rowTitle: "query", columnTitle: "key", label: `Attention of layer ${layer}, head ${head}`,
          picked: kept.includes(at) ? [kept.indexOf(at), -1] : null,
          over: (row) => lookAt(looked, words, large, range, kept[row]), pick: (row) => show({ position: kept[row] }),
        })),
      heading("A token, what it looks at and who looks at it"), looked,
    ];
    const choices = [
      ...choicesAlong(array, ["seed", "step", "shown_example"]),
      choice("Minus step", "minus", ["none", ...steps], other ?? "none", (label) => (label === "none" ? "–" : number(Number(label)))),
      ...(roles.some((role) => role) ? [choice("Queries", "role", ["all", ...new Set(roles)], now.role ?? "all")] : []),
    ];
    const labels = { layer: whole.labels.layer[layer], head: whole.labels.head[head] };
    return { choices, body, figure: insideFigure("attention", { x: "key", y: "query" }, { ...where, ...labels }, words, "Attention of one head in one example."), held: [heldOf(dataset, array.variable)] };
  },
};

/**
 * What is held of the inside of the experiment that is looked at: a variable, and the words of the example.
 * @returns {Promise<{experiment: string, dataset: Dataset, array: Labelled, where: Object<string, any>,
 *   examples: Dataset|undefined, words: string[], roles: string[]}>}
 */
async function insideOf(/** @type {string} */ name) {
  const experiment = experimentNow();
  const dataset = datasetOf("activations", experiment) ?? INDEX.datasets.filter((each) => each.kind === "activations")[0];
  const array = await load(dataset, name);
  const where = chosen(array, ["seed", "step", "shown_example"]);
  const examples = datasetOf("examples", dataset.experiment);
  const words = pick(await load(dataset, "word"), where).values;
  const roles = examples && variableOf(examples, "role_word") ? pick(await load(examples, "role_word"), where).values : words.map(() => "");
  const length = lengthOf(words);
  return { experiment, dataset, array, where, examples, words: words.slice(0, length), roles: roles.slice(0, length) };
}

/** An array whose dims of positions end with the example. @returns {Labelled} */
function shortened(/** @type {Labelled} */ array, /** @type {number} */ length) {
  let found = array;
  for (const dim of ["query", "key", "position"].filter((each) => array.dims.includes(each))) {
    const at = found.dims.indexOf(dim);
    const shape = shapeOf(found);
    const inner = shape.slice(at + 1).reduce((product, size) => product * size, 1);
    const values = found.values.filter((/** @type {any} */ _, /** @type {number} */ place) => Math.floor(place / inner) % shape[at] < length);
    found = { ...found, labels: { ...found.labels, [dim]: found.labels[dim].slice(0, length) }, values };
  }
  return found;
}

/** The values of one array minus those of another of its form. @returns {Labelled} */
function difference(/** @type {Labelled} */ one, /** @type {Labelled} */ other) {
  return { ...one, values: one.values.map((/** @type {number} */ value, /** @type {number} */ at) => value - other.values[at]) };
}

/** Two lines of tokens: shaded by what one of them looks at, and by how much they look at it. */
function lookAt(
  /** @type {HTMLElement} */ into,
  /** @type {string[]} */ words,
  /** @type {(query: number, key: number) => number} */ value,
  /** @type {Extent} */ range,
  /** @type {number} */ at,
) {
  const look = (/** @type {number} */ position, /** @type {boolean} */ keep) => {
    if (keep) show({ position });
    else if (into.dataset.at !== String(position)) lookAt(into, words, value, range, position);
  };
  if (into.dataset.at === undefined) {
    into.replaceChildren(
      element("p", { class: "told" }),
      strip("looks at", words, (key) => value(at, key), range, at, look),
      strip("is looked at by", words, (query) => value(query, at), range, at, look),
    );
  }
  into.dataset.at = String(at);
  into.children[0].textContent = `Token ${words[at]} at position ${at}`;
  // The buttons stay, so that the focus does.
  for (const [line, of] of /** @type {[number, (each: number) => number][]} */ ([[1, (key) => value(at, key)], [2, (query) => value(query, at)]])) {
    const tokens = into.children[line].querySelectorAll("button");
    tokens.forEach((token, position) => {
      const colour = colourOf(of(position), range);
      token.setAttribute("style", `background:${css(colour)};color:${inkOn(colour)}`);
      token.setAttribute("aria-pressed", String(position === at));
      token.title = `position ${position}: ${number(of(position))}`;
    });
  }
}

/** A figure of cells of the inside of a model. */
function insideFigure(
  /** @type {string} */ variable,
  /** @type {{x: string, y: string}} */ axes,
  /** @type {Object<string, any>} */ where,
  /** @type {string[]} */ words,
  /** @type {string} */ caption,
) {
  const experiment = experimentNow();
  const { name, analyses } = activationsOf(experiment);
  const { seed, select } = selected(where);
  const labels = Object.fromEntries(words.map((word, position) => [String(position), word]));
  const figure = { plot: "cell_map", data: name, experiment, seed, select, variable, ...axes, labels, caption };
  return pasted(named(variable, experiment, ...Object.values(select)), figure, analyses);
}
