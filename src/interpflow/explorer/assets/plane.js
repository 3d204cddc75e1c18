/** Queries and keys of a head in one plane; lines lead from a query to the keys that it attends to. */

VIEWS.plane = {
  title: "Queries and keys",
  there: () => INDEX.datasets.some((each) => each.kind === "activations" && variableOf(each, "query_place")),
  async draw() {
    const now = shown();
    const { dataset, array, where, words, examples } = await insideOf("query_place");
    const keys = shortened(pick(await load(dataset, "key_place"), where), words.length);
    const queries = shortened(pick(array, where), words.length);
    const attention = shortened(pick(await load(dataset, "attention"), where), words.length);
    const share = pick(await load(dataset, "plane_share"), where);
    const [layer, head] = [placeOf(queries.labels.layer, now.layer), placeOf(queries.labels.head, now.head)];
    const states = examples ? examples.variables.filter((each) => each.dims.length === 2).map((each) => each.name) : [];
    const by = states.includes(now.by) ? now.by : states.includes("role_word") ? "role_word" : "word";
    const groups = by === "position" || !examples ? words.map(String) : pick(await load(examples, by), where).values.slice(0, words.length);
    const kinds = [...new Set(groups)];
    const colours = groups.map((/** @type {any} */ group) => SERIES[kinds.indexOf(group) % SERIES.length]);
    const at = now.position === undefined ? -1 : Math.min(Number(now.position), words.length - 1);
    const of = (/** @type {number} */ l, /** @type {number} */ h, /** @type {number} */ size) => {
      const one = (/** @type {Labelled} */ each) => pick(each, { layer: queries.labels.layer[l], head: queries.labels.head[h] });
      return scatter({ queries: one(queries), keys: one(keys), attention: table(one(attention), "query", "key"), words, colours, at, size });
    };
    const grid = queries.labels.layer.length * queries.labels.head.length > 1
      ? headGrid(queries.labels.layer.length, queries.labels.head.length, (l, h) =>
        element("button", { type: "button", class: "thumbnail", "aria-pressed": String(l === layer && h === head), onclick: () => show({ layer: l, head: h }) }, of(l, h, 90), `L${l}H${h}`))
      : null;
    const legend = kinds.slice(0, 16).map((kind, row) => element("span", {}, element("i", { style: `background:${SERIES[row % SERIES.length]}` }), String(kind)));
    const held = Number(pick(pick(share, { layer: queries.labels.layer[layer] }), { head: queries.labels.head[head] }).values[0]);
    const body = [
      remark(`Triangles are queries, circles keys. The plane holds ${number(held * 100)} % of their squared lengths. Keys are moved and queries scaled in a way that leaves attention as it is.`),
      element("div", { class: "beside" }, grid, element("div", { class: "plot" }, of(layer, head, 420), element("div", { class: "legend" }, ...legend))),
    ];
    const choices = [...choicesAlong(array, ["seed", "step", "shown_example"]), choice("Colours", "by", states, by), slider("Position", "position", words.map((_, each) => each), Math.max(at, 0), (each) => `${each} ${words[each]}`)];
    const { name, analyses } = activationsOf(experimentNow());
    const { experiment, seed, select } = selected({ ...where, layer: queries.labels.layer[layer], head: queries.labels.head[head] });
    const figure = { plot: "query_key_plane", data: name, experiment, seed, select, position: at < 0 ? undefined : at, caption: "Queries and keys of one head in one plane." };
    return { choices, body, figure: pasted(named("plane", experiment, ...Object.values(select)), figure, analyses), held: [heldOf(dataset, array.variable)] };
  },
};

/** Points of queries and keys; of the position that is looked at, lines to keys as strong as its attention. */
function scatter(/** @type {{queries: Labelled, keys: Labelled, attention: (query: number, key: number) => number, words: string[], colours: string[], at: number, size: number}} */ plot) {
  const [query, key] = [plot.queries, plot.keys].map((each) => table(each, "position", "axis"));
  const most = Math.max(1e-9, ...[...plot.queries.values, ...plot.keys.values].filter(Number.isFinite).map(Math.abs)) * 1.1;
  const small = plot.size < 200;
  const x = (/** @type {number} */ value) => ((value / most + 1) * plot.size) / 2;
  const y = (/** @type {number} */ value) => ((1 - value / most) * plot.size) / 2;
  const svg = drawn("svg", { viewBox: `0 0 ${plot.size} ${plot.size}`, class: small ? "small" : "scatter", role: "img", "aria-label": "Queries and keys" });
  svg.append(drawn("path", { d: `M0 ${y(0)}H${plot.size}M${x(0)} 0V${plot.size}`, class: "rule" }));
  if (!small && plot.at >= 0)
    plot.words.forEach((_, at) => {
      const weight = plot.attention(plot.at, at);
      if (weight > 0.02) svg.append(drawn("line", { x1: x(query(plot.at, 0)), y1: y(query(plot.at, 1)), x2: x(key(at, 0)), y2: y(key(at, 1)), "stroke-width": weight * 5, class: "arc" }));
    });
  plot.words.forEach((word, at) => {
    const [qx, qy, r] = [x(query(at, 0)), y(query(at, 1)), small ? 2 : 5];
    const looked = at === plot.at ? "looked" : undefined;
    const context = [plot.words.slice(Math.max(at - 4, 0), at).join(" "), `[${word}]`, plot.words.slice(at + 1, at + 5).join(" ")].join(" ");
    const act = small ? {} : { onclick: () => show({ position: at }) };
    svg.append(
      drawn("circle", { cx: x(key(at, 0)), cy: y(key(at, 1)), r: small ? 1.5 : 4, fill: plot.colours[at], class: looked, ...act }, drawn("title", {}, `key, position ${at}: ${context}`)),
      drawn("path", { d: `M${qx} ${qy - r}L${qx + r} ${qy + r * 0.8}L${qx - r} ${qy + r * 0.8}Z`, fill: plot.colours[at], class: looked, ...act }, drawn("title", {}, `query, position ${at}: ${context}`)),
    );
  });
  return svg;
}
