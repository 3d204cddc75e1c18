/** Structures: the tokens of an example and what the task draws behind them, with attention as arcs. */

/**
 * @typedef {{query: number, key: number, weight: number}} Arc
 * @typedef {{word: string, right: number, down: number, positions: number[], marked: boolean}} Placed
 */

VIEWS.structure = {
  title: "Structures",
  there: () => isHeld("attention"),
  async draw() {
    const now = shown();
    const inside = await insideOf("attention");
    const { array, where, words } = inside;
    const whole = await inside.of("attention");
    const { layer, head } = headNow(whole);
    const all = now.head === undefined || now.head === "all";
    const tables = whole.labels.head.filter((each) => all || each === head).map((each) => table(pick(whole, { layer, head: each }), "query", "key"));
    const at = now.position === undefined || now.position === "all" ? -1 : Number(now.position);
    const pairs = words.flatMap((_, query) =>
      words.map((__, key) => ({ query, key, weight: Math.max(...tables.map((each) => each(query, key))) })));
    const least = Math.min(0.15, 0.5 * Math.max(...pairs.map((arc) => arc.weight).filter(Number.isFinite)));
    const arcs = pairs.filter((arc) => arc.weight >= least && (at < 0 || arc.query === at || arc.key === at));
    arcs.sort((one, other) => one.weight - other.weight);
    const drawing = INDEX.drawings[inside.dataset.experiment]?.[array.labels.shown_example.indexOf(where.shown_example)];
    const positions = words.map((_, each) => each);
    return {
      choices: [
        ...choicesAlong(array, ["seed", "step", "shown_example"]), choice("Layer", "layer", whole.labels.layer, layer),
        choice("Head", "head", ["all", ...whole.labels.head], all ? "all" : head, (each) => (each === "all" ? "the most of all" : String(each))),
        choice("Position", "position", ["all", ...positions], at < 0 ? "all" : at, (each) => (each === "all" ? "all" : `${each} ${words[each]}`)),
      ],
      body: [
        remark(`Arcs lead from a token to those that it attends to, with ${number(least)} or more. A token that is clicked shows its own arcs alone.`),
        element("div", { class: "wide" }, arcsOf(words, arcs, at)),
        ...(drawing ? [heading("What the task draws"), element("div", { class: "wide" }, structureOf(drawing, arcs, at))] : []),
      ],
      figure: insideFigure("attention", { x: "key", y: "query" }, { ...where, layer, head }, words, "Attention of one head in one example."),
      held: [heldOf(inside.dataset, array.variable)],
    };
  },
};

/** How an arc looks. */
function strength(/** @type {Arc} */ arc) {
  return { class: "arc", "stroke-width": 0.5 + arc.weight * 3, opacity: 0.2 + arc.weight * 0.7 };
}

/** Tokens in a line, with arcs above. */
function arcsOf(/** @type {string[]} */ words, /** @type {Arc[]} */ arcs, /** @type {number} */ at) {
  const cell = Math.max(26, Math.max(...words.map((word) => word.length)) * 8 + 8);
  const height = Math.min(40 + Math.max(0, ...arcs.map((arc) => Math.abs(arc.query - arc.key))) * 7, 190);
  const x = (/** @type {number} */ place) => (place + 0.5) * cell;
  const svg = drawn("svg", { width: cell * words.length, height: height + 34, class: "arcs", role: "img", "aria-label": "Attention as arcs" });
  for (const arc of arcs) {
    const [from, to] = [x(arc.query), x(arc.key)];
    const up = height - Math.min(18 + Math.abs(arc.query - arc.key) * 9, height * 1.3 - 8);
    const d = from === to ? `M${from - 5} ${height}c-8 -20 18 -20 10 0` : `M${from} ${height}C${from} ${up} ${to} ${up} ${to} ${height}`;
    const said = `${words[arc.query]} (${arc.query}) to ${words[arc.key]} (${arc.key}): ${number(arc.weight)}`;
    svg.append(drawn("path", { d, ...strength(arc) }, drawn("title", {}, said)));
  }
  words.forEach((word, place) => {
    const act = () => show({ position: place === at ? "all" : place });
    svg.append(drawn("text", { x: x(place), y: height + 16, class: `middle token${place === at ? " looked" : ""}`, onclick: act }, word));
  });
  return svg;
}

/** Nodes and lines as the task draws them, with arcs between the nodes that positions speak of. */
function structureOf(/** @type {{nodes: Placed[], lines: number[][]}} */ drawing, /** @type {Arc[]} */ arcs, /** @type {number} */ at) {
  const { nodes, lines } = drawing;
  const pitch = 52;
  const x = (/** @type {Placed} */ node) => (node.right + 0.7) * pitch;
  const y = (/** @type {Placed} */ node) => (node.down + 0.7) * pitch;
  const [width, height] = [x, y].map((along) => Math.max(...nodes.map(along)) + pitch * 0.7);
  const svg = drawn("svg", { width, height, class: "structure", role: "img", "aria-label": "The structure of the example" });
  for (const [a, b] of lines.map((ends) => ends.map((end) => nodes[end])))
    svg.append(drawn("line", { x1: x(a), y1: y(a), x2: x(b), y2: y(b), class: a.marked && b.marked ? "edge marked" : "edge" }));
  for (const arc of arcs) {
    const [a, b] = [arc.query, arc.key].map((position) => nodes.find((node) => node.positions.includes(position)));
    if (!a || !b || a === b) continue;
    const [mx, my] = [(x(a) + x(b)) / 2 + (y(b) - y(a)) * 0.25, (y(a) + y(b)) / 2 - (x(b) - x(a)) * 0.25];
    svg.append(drawn("path", { d: `M${x(a)} ${y(a)}Q${mx} ${my} ${x(b)} ${y(b)}`, ...strength(arc) }));
  }
  for (const node of nodes) {
    const kind = `node${node.marked ? " marked" : ""}${node.positions.includes(at) ? " looked" : ""}`;
    const act = () => node.positions.length && show({ position: node.positions[0] });
    svg.append(
      drawn("circle", { cx: x(node), cy: y(node), r: 15, class: kind, onclick: act }),
      drawn("text", { x: x(node), y: y(node), class: "middle node" }, node.word),
    );
  }
  return svg;
}
