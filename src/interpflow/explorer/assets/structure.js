/** Structures: the tokens of an example and what the task draws behind them, with attention as arcs. */

/**
 * @typedef {{query: number, key: number, weight: number}} Arc
 * @typedef {{word: string, right: number, down: number, positions: number[], marked: boolean}} Placed
 */

VIEWS.structure = {
  title: "Structures",
  there: () => holding("attention").length > 0,
  async draw() {
    const inside = await insideOf("attention");
    const { dataset, array, where, words, choices } = inside;
    const whole = await inside.of("attention");
    const { layer: layers, head: heads } = whole.labels;
    const { layer, head } = headNow(whole);
    const all = asked("head") === "";
    const seen = all ? heads : [head];
    const weights = seen.map((each) => table(pick(whole, { layer, head: each }), "query", "key"));
    const at = Number(asked("position") || -1);
    const pairs = words.flatMap((_, query) => words.map((_, key) =>
      ({ query, key, weight: Math.max(...weights.map((each) => each(query, key))) })));
    const least = Math.min(0.15, 0.5 * Math.max(...pairs.map((arc) => arc.weight).filter(Number.isFinite)));
    const arcs = pairs.filter(({ query, key, weight }) =>
      weight >= least && (at < 0 || query === at || key === at));
    arcs.sort((one, other) => one.weight - other.weight);
    const drawing = INDEX.drawings[dataset.experiment]?.[String(where.shown_example)];
    const position = at < 0 ? undefined : at;
    const says = { plot: "attention_arcs", variable: undefined, position, caption: "Attention as arcs." };
    return {
      choices: [
        ...choices, choice("Layer", "layer", layers, layer), optional("Head", "head", heads, all ? "" : head),
        positionChoice("Position", words),
      ],
      body: [
        remark(`Arcs lead from a token to those that it attends to, with ${number(least)} or more; of several
          heads with the most of all. A token that is clicked shows its own arcs alone.`),
        arcsOf(words, arcs, at),
        ...(drawing ? [heading("What the task draws"), structureOf(drawing, arcs, at)] : []),
      ],
      figure: insideFigure(inside, "arcs", all ? { layer } : { layer, head }, says),
      held: [array.variable.exact],
    };
  },
};

/** An arc along a path. */
function arcAlong(/** @type {string} */ d, /** @type {Arc} */ { weight }, /** @type {string} */ said) {
  const strength = { "stroke-width": 0.5 + weight * 3, opacity: 0.2 + weight * 0.7 };
  return drawn("path", { d, class: "arc", ...strength }, drawn("title", {}, `${said}: ${number(weight)}`));
}

/** Tokens in a line, with arcs above. */
function arcsOf(/** @type {string[]} */ words, /** @type {Arc[]} */ arcs, /** @type {number} */ at) {
  const cell = Math.max(26, ...words.map((word) => word.length * 8 + 8));
  const height = Math.min(40 + Math.max(0, ...arcs.map((arc) => Math.abs(arc.query - arc.key))) * 7, 190);
  const svg = picture("arcs", "Attention as arcs", { width: cell * words.length, height: height + 34 });
  for (const arc of arcs) {
    const { query, key } = arc;
    const [from, to] = [query, key].map((place) => (place + 0.5) * cell);
    const up = height - Math.min(18 + Math.abs(query - key) * 9, height * 1.3 - 8);
    const itself = `M${from - 5} ${height}c-8 -20 18 -20 10 0`;
    const d = query === key ? itself : `M${from} ${height}C${from} ${up} ${to} ${up} ${to} ${height}`;
    svg.append(arcAlong(d, arc, `${words[query]} (${query}) to ${words[key]} (${key})`));
  }
  words.forEach((word, place) => {
    const act = () => show({ position: place === at ? "" : place });
    const kind = `middle token${place === at ? " looked" : ""}`;
    svg.append(drawn("text", { x: (place + 0.5) * cell, y: height + 16, class: kind, onclick: act }, word));
  });
  return element("div", { class: "wide" }, svg);
}

/** Nodes and lines as the task draws them, with arcs between the nodes that positions speak of.
 * @type {(drawing: {nodes: Placed[], lines: number[][]}, arcs: Arc[], at: number) => Node} */
function structureOf({ nodes, lines }, arcs, at) {
  const pitch = 52;
  const places = nodes.map(({ right, down }) => [right, down].map((each) => (each + 0.7) * pitch));
  const [width, height] = [0, 1].map((axis) => Math.max(...places.map((place) => place[axis])) + pitch * 0.7);
  const svg = picture("structure", "The structure of the example", { width, height });
  for (const [a, b] of lines) {
    const [[x1, y1], [x2, y2]] = [places[a], places[b]];
    const kind = nodes[a].marked && nodes[b].marked ? "edge marked" : "edge";
    svg.append(drawn("line", { x1, y1, x2, y2, class: kind }));
  }
  for (const arc of arcs) {
    const [a, b] = [arc.query, arc.key].map((at) => nodes.findIndex((node) => node.positions.includes(at)));
    if (a < 0 || b < 0 || a === b) continue;
    const [[x1, y1], [x2, y2]] = [places[a], places[b]];
    const middle = `${(x1 + x2) / 2 + (y2 - y1) * 0.25} ${(y1 + y2) / 2 - (x2 - x1) * 0.25}`;
    svg.append(arcAlong(`M${x1} ${y1}Q${middle} ${x2} ${y2}`, arc, `${nodes[a].word} to ${nodes[b].word}`));
  }
  nodes.forEach(({ word, positions, marked }, each) => {
    const kind = `node${marked ? " marked" : ""}${positions.includes(at) ? " looked" : ""}`;
    const act = () => positions.length && show({ position: positions[0] });
    const [x, y] = places[each];
    svg.append(drawn("circle", { cx: x, cy: y, r: 15, class: kind, onclick: act }));
    svg.append(drawn("text", { x, y, class: "middle node" }, word));
  });
  return element("div", { class: "wide" }, svg);
}
