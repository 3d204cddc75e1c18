/** Queries and keys of a head in one plane; lines lead from a query to the keys that it attends to. */

VIEWS.plane = {
  title: "Queries and keys",
  there: () => isHeld("query_place"),
  async draw() {
    const now = shown();
    const inside = await insideOf("query_place");
    const { array, where, words, examples } = inside;
    const [queries, keys, attention, share] = await Promise.all(
      ["query_place", "key_place", "attention", "plane_share"].map((name) => inside.of(name)),
    );
    const states = (examples?.variables ?? []).filter((each) => each.dims.length === 2).map((each) => each.name);
    const by = states.find((each) => each === now.by) ?? (states.includes("role_word") ? "role_word" : "word");
    const groups = examples ? pick(await load(examples, by), where).values.slice(0, words.length) : words;
    const kinds = [...new Set(groups)];
    const colours = groups.map((/** @type {any} */ group) => SERIES[kinds.indexOf(group) % SERIES.length]);
    const at = now.position === undefined ? -1 : Math.min(Number(now.position), words.length - 1);
    const picture = (/** @type {Object<string, Label>} */ head, size = 90) =>
      scatter({
        queries: pick(queries, head), keys: pick(keys, head), attention: table(pick(attention, head), "query", "key"), words, colours, at, size,
      });
    const head = headNow(queries);
    const legend = kinds.slice(0, 16).map((kind, row) =>
      element("span", {}, element("i", { style: `background:${SERIES[row % SERIES.length]}` }), readable(kind)));
    const held = number(pick(share, head).values[0] * 100);
    const { experiment, seed, select } = selected({ ...where, ...head });
    const { name, analyses } = activationsOf(experiment);
    const caption = "Queries and keys of one head in one plane.";
    const figure = { plot: "query_key_plane", data: name, experiment, seed, select, position: at < 0 ? undefined : at, caption };
    const positions = words.map((_, each) => each);
    return {
      choices: [
        ...choicesAlong(array, ["seed", "step", "shown_example"]), choice("Colours", "by", states, by),
        slider("Lines of position", "position", positions, Math.max(at, 0), (each) => `${each} ${words[each]}`),
      ],
      body: [
        remark(`Triangles are queries, circles keys. The plane holds ${held} % of their squared lengths. Keys are moved and queries scaled in ways that leave attention as it is.`),
        element("div", { class: "beside" }, headGrid(queries, picture),
          element("div", { class: "plot" }, picture(head, 420), element("div", { class: "legend" }, ...legend))),
      ],
      figure: pasted(named("plane", experiment, ...Object.values(select)), figure, analyses),
      held: [heldOf(inside.dataset, array.variable)],
    };
  },
};

/**
 * Points of queries and keys; of the position that is looked at, lines to keys as strong as its attention.
 * @param {{queries: Labelled, keys: Labelled, attention: (query: number, key: number) => number, words: string[],
 *   colours: string[], at: number, size: number}} plot
 */
function scatter({ queries, keys, attention, words, colours, at, size }) {
  const [query, key] = [queries, keys].map((each) => table(each, "position", "axis"));
  const most = Math.max(1e-9, ...[...queries.values, ...keys.values].filter(Number.isFinite).map(Math.abs)) * 1.1;
  const small = size < 200;
  const x = (/** @type {number} */ value) => (((value / most + 1) * size) / 2).toFixed(1);
  const y = (/** @type {number} */ value) => (((1 - value / most) * size) / 2).toFixed(1);
  const svg = drawn("svg", { viewBox: `0 0 ${size} ${size}`, class: small ? "small" : "scatter", role: "img", "aria-label": "Queries and keys" });
  svg.append(drawn("path", { d: `M0 ${y(0)}H${size}M${x(0)} 0V${size}`, class: "rule" }));
  for (let to = 0; !small && at >= 0 && to < words.length; to++) {
    const [weight, from] = [attention(at, to), { x1: x(query(at, 0)), y1: y(query(at, 1)) }];
    if (weight > 0.02) svg.append(drawn("line", { ...from, x2: x(key(to, 0)), y2: y(key(to, 1)), "stroke-width": weight * 5, class: "arc" }));
  }
  words.forEach((word, each) => {
    const context = [words.slice(Math.max(each - 4, 0), each).join(" "), `[${word}]`, words.slice(each + 1, each + 5).join(" ")].join(" ");
    const marks = { fill: colours[each], class: each === at ? "looked" : undefined, ...(small ? {} : { onclick: () => show({ position: each }) }) };
    const about = (/** @type {string} */ what) => drawn("title", {}, `${what}, position ${each}: ${context}`);
    const r = small ? 2 : 5;
    svg.append(
      drawn("circle", { cx: x(key(each, 0)), cy: y(key(each, 1)), r: r * 0.8, ...marks }, about("key")),
      drawn("path", { d: `M0 ${-r}L${r} ${r * 0.8}L${-r} ${r * 0.8}Z`, transform: `translate(${x(query(each, 0))} ${y(query(each, 1))})`, ...marks }, about("query")),
    );
  });
  return svg;
}
