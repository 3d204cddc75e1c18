/** Queries and keys of a head in one plane; lines lead from a query to the keys that it attends to. */

/**
 * A position of an example: where its query and its key lie in the plane of a head, and what colours it.
 * @typedef {{example: Label, position: number, context: string, group: any, looked: boolean,
 *   places: (head: Where) => number[][]}} Mark
 */

VIEWS.plane = {
  title: "Queries and keys",
  there: () => holding("query_place").length > 0,
  async draw() {
    const inside = await insideOf("query_place");
    const { dataset, array, where, words, shown: examples } = inside;
    const { experiment } = dataset;
    const known = datasetsOf("examples", experiment).flatMap((each) => each.variables);
    const states = known.filter((each) => each.dims.length === 2).map((each) => each.name);
    const bys = [...states, "position", "example"];
    const by = bys.find((each) => each === shown().by) ?? (bys.includes("role_word") ? "role_word" : "word");
    const several = shown().points === "all";
    const at = Number(asked("position") || -1);
    const here = several ? examples : [where.shown_example];
    const marks = (await Promise.all(here.map(async (shown_example) =>
      marksOf(await insideOf("query_place", { shown_example }), by)))).flat();
    for (const mark of marks) mark.looked = mark.example === where.shown_example && mark.position === at;
    const names = ["query_place", "attention", "plane_share"];
    const [queries, attention, shares] = await Promise.all(names.map((name) => inside.of(name)));
    const head = headNow(queries);
    const share = number(flat(pick(shares, head))[0] * 100);
    const { colour, legend } = coloursOf(marks.map((mark) => mark.group));
    const plane = (/** @type {Where} */ head, size = 90) =>
      scatter(marks, head, table(pick(attention, head), "query", "key"), colour, size);
    const state = by === "role_word" ? "role" : by === "example" ? "shown_example" : by;
    const select = several ? { ...head, shown_example: here } : head;
    const figure = insideFigure(inside, "plane", select, {
      plot: "query_key_plane", variable: undefined, position: at < 0 ? undefined : at, colours: state,
      example: several && at >= 0 ? where.shown_example : undefined,
      caption: "Queries and keys of one head in one plane.",
    }, state);
    return {
      choices: [
        ...inside.choices, choice("Points of", "points", ["one example", "all"], shown().points),
        choice("Colours", "by", bys, by), positionChoice("Lines of", words),
      ],
      body: [
        remark(`Triangles are queries, circles keys. The plane holds ${share} % of their squared lengths.
          One vector is added to all keys, and keys are scaled by what queries are scaled down by: attention
          stays as it is.`),
        element("div", { class: "beside" }, headGrid(queries, plane),
          element("div", { class: "plot" }, plane(head, 420), legend)),
      ],
      figure, held: [array.variable.exact],
    };
  },
};

/** The positions of an example, with what they are coloured by. @returns {Promise<Mark[]>} */
async function marksOf(/** @type {Inside} */ { dataset, where, words, of }, /** @type {string} */ by) {
  const { shown_example: example } = where;
  const [queries, keys] = await Promise.all([of("query_place"), of("key_place")]);
  const states = await ofPositions(dataset.experiment, by, example);
  return words.map((word, position) => {
    const before = words.slice(Math.max(position - 4, 0), position);
    const context = [...before, `[${word}]`, ...words.slice(position + 1, position + 5)].join(" ");
    const places = (/** @type {Where} */ head) =>
      [queries, keys].map((each) => flat(pick(each, { ...head, position })));
    const group = { position, example }[by] ?? states[position];
    return { example, position, context, group, places, looked: false };
  });
}

/** Colours of groups, and their legend: of many numbers along a scale, of others one after the other. */
function coloursOf(/** @type {any[]} */ groups) {
  const kinds = [...new Set(groups)];
  if (kinds.length > SERIES.length && kinds.every((kind) => typeof kind === "number")) {
    const [low, high] = ends(kinds);
    const range = { low, high, signed: false };
    return { colour: (/** @type {any} */ group) => css(colourOf(group, range)), legend: key(range) };
  }
  const colour = (/** @type {any} */ group) => SERIES[kinds.indexOf(group) % SERIES.length];
  return { colour, legend: legendOf(kinds.slice(0, 16).map((kind) => [String(kind), colour(kind)])) };
}

/** Points of queries and keys; of the position that is looked at, lines to keys as strong as its attention.
 * @type {(marks: Mark[], head: Where, weight: AtCell, colour: (of: any) => string, size: number) => Node} */
function scatter(marks, head, weight, colour, size) {
  const places = marks.map((mark) => mark.places(head));
  const most = Math.max(1e-9, ...places.flat(2).filter(Number.isFinite).map(Math.abs)) * 1.1;
  const on = (/** @type {number[]} */ [across, up]) =>
    [1 + across / most, 1 - up / most].map((each) => ((each * size) / 2).toFixed(1));
  const small = size < 200;
  const r = small ? 2 : 5;
  const svg = picture(small ? "small" : "scatter", "Queries and keys", { viewBox: `0 0 ${size} ${size}` });
  svg.append(drawn("path", { d: `M0 ${size / 2}H${size}M${size / 2} 0V${size}`, class: "rule" }));
  const from = small ? -1 : marks.findIndex((mark) => mark.looked);
  marks.forEach(({ example, position }, to) => {
    const { example: same, position: query } = marks[from] ?? {};
    const strength = same === example ? weight(query, position) : 0;
    if (strength <= 0.02) return;
    const d = `M${on(places[from][0])}L${on(places[to][1])}`;
    svg.append(drawn("path", { d, "stroke-width": strength * 5, class: "arc" }));
  });
  marks.forEach(({ example, position, context, group, looked }, each) => {
    const act = small ? {} : { onclick: () => show({ shown_example: example, position }) };
    const look = { fill: colour(group), class: looked ? "mark looked" : "mark", ...act };
    const about = (/** @type {string} */ what) =>
      drawn("title", {}, `${what} of ${example}, position ${position}: ${context}`);
    const [query, [cx, cy]] = places[each].map(on);
    const d = `M0 ${-r}L${r} ${r * 0.8}L${-r} ${r * 0.8}Z`;
    svg.append(
      drawn("circle", { cx, cy, r: r * 0.8, ...look }, about("key")),
      drawn("path", { d, transform: `translate(${query})`, ...look }, about("query")),
    );
  });
  return svg;
}
