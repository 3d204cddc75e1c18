/** Structures: the tokens of an example and what the task draws behind them, with attention as arcs. */

VIEWS.structure = {
  title: "Structures",
  there: () => INDEX.datasets.some((each) => each.kind === "activations" && variableOf(each, "attention")),
  async draw() {
    const now = shown();
    const { experiment, dataset, array, where, words } = await insideOf("attention");
    const whole = shortened(pick(array, where), words.length);
    const layer = placeOf(whole.labels.layer, now.layer);
    const heads = ["all", ...whole.labels.head];
    const head = heads.find((each) => String(each) === now.head) ?? "all";
    const tables = whole.labels.head.filter((each) => head === "all" || each === head).map((each) => table(pick(whole, { layer: whole.labels.layer[layer], head: each }), "query", "key"));
    const value = (/** @type {number} */ query, /** @type {number} */ key) => Math.max(...tables.map((each) => each(query, key)));
    const at = now.position === undefined || now.position === "all" ? -1 : Number(now.position);
    const least = Math.min(0.15, 0.5 * Math.max(...words.flatMap((_, query) => words.map((__, key) => value(query, key))).filter(Number.isFinite)));
    const arcs = words.flatMap((_, query) => words.map((__, key) => ({ query, key, weight: value(query, key) })))
      .filter((arc) => arc.weight >= least && (at < 0 || arc.query === at || arc.key === at)).sort((one, other) => one.weight - other.weight).slice(-400);
    const body = [remark(`Arcs lead from a token to those that it attends to, with ${number(least)} or more; they are as strong as its attention. A token that is clicked shows its own arcs alone.`), element("div", { class: "wide" }, arcsOf(words, arcs, at))];
    const task = INDEX.drawings[experiment];
    const drawing = task?.[array.labels.shown_example.indexOf(where.shown_example)];
    if (drawing) body.push(heading("What the task draws"), element("div", { class: "wide" }, structureOf(drawing, arcs, at)));
    const choices = [
      ...choicesAlong(array, ["seed", "step", "shown_example"]), choice("Layer", "layer", whole.labels.layer, layer),
      choice("Head", "head", heads, head, (each) => (each === "all" ? "the most of all" : String(each))),
      choice("Position", "position", ["all", ...words.map((_, each) => each)], at < 0 ? "all" : at, (each) => (each === "all" ? "all" : `${each} ${words[each]}`)),
    ];
    const figure = insideFigure("attention", { x: "key", y: "query" }, { ...where, layer: whole.labels.layer[layer], head: head === "all" ? whole.labels.head[0] : head }, words, "Attention of one head in one example.");
    return { choices, body, figure, held: [heldOf(dataset, array.variable)] };
  },
};

/** Tokens in a line, with arcs above. */
function arcsOf(/** @type {string[]} */ words, /** @type {{query: number, key: number, weight: number}[]} */ arcs, /** @type {number} */ at) {
  const cell = Math.max(26, Math.max(...words.map((word) => word.length)) * 8 + 8);
  const height = Math.min(40 + Math.max(0, ...arcs.map((arc) => Math.abs(arc.query - arc.key))) * 7, 190);
  const x = (/** @type {number} */ place) => (place + 0.5) * cell;
  const svg = drawn("svg", { width: cell * words.length, height: height + 34, class: "arcs", role: "img", "aria-label": "Attention as arcs" });
  for (const { query, key, weight } of arcs) {
    const up = Math.min(18 + Math.abs(query - key) * 9, height * 1.3 - 8);
    const d = query === key ? `M${x(query) - 5} ${height}c-8 -20 18 -20 10 0` : `M${x(query)} ${height}C${x(query)} ${height - up} ${x(key)} ${height - up} ${x(key)} ${height}`;
    svg.append(drawn("path", { d, class: "arc", "stroke-width": 0.5 + weight * 3, opacity: 0.25 + weight * 0.7 }, drawn("title", {}, `${words[query]} (${query}) to ${words[key]} (${key}): ${number(weight)}`)));
  }
  words.forEach((word, place) =>
    svg.append(drawn("text", { x: x(place), y: height + 16, class: `middle token${place === at ? " looked" : ""}`, onclick: () => show({ position: place === at ? "all" : place }) }, word)));
  return svg;
}

/** Nodes and lines as the task draws them, with arcs between the nodes that positions speak of. */
function structureOf(/** @type {{nodes: {word: string, right: number, down: number, positions: number[], marked: boolean}[], lines: number[][]}} */ drawing, /** @type {{query: number, key: number, weight: number}[]} */ arcs, /** @type {number} */ at) {
  const pitch = 52;
  const x = (/** @type {any} */ node) => (node.right + 0.7) * pitch;
  const y = (/** @type {any} */ node) => (node.down + 0.7) * pitch;
  const [width, height] = [Math.max(...drawing.nodes.map(x)) + pitch * 0.7, Math.max(...drawing.nodes.map(y)) + pitch * 0.7];
  const svg = drawn("svg", { width, height, class: "structure", role: "img", "aria-label": "The structure of the example" });
  const line = (/** @type {any} */ a, /** @type {any} */ b, /** @type {any} */ more) => drawn("line", { x1: x(a), y1: y(a), x2: x(b), y2: y(b), ...more });
  for (const [from, to] of drawing.lines) svg.append(line(drawing.nodes[from], drawing.nodes[to], { class: drawing.nodes[from].marked && drawing.nodes[to].marked ? "edge marked" : "edge" }));
  const speaks = (/** @type {number} */ position) => drawing.nodes.find((node) => node.positions.includes(position));
  for (const { query, key, weight } of arcs) {
    const [a, b] = [speaks(query), speaks(key)];
    if (!a || !b || a === b) continue;
    const [mx, my] = [(x(a) + x(b)) / 2 + (y(b) - y(a)) * 0.25, (y(a) + y(b)) / 2 - (x(b) - x(a)) * 0.25];
    svg.append(drawn("path", { d: `M${x(a)} ${y(a)}Q${mx} ${my} ${x(b)} ${y(b)}`, class: "arc", "stroke-width": 0.5 + weight * 3, opacity: 0.2 + weight * 0.7 }));
  }
  for (const node of drawing.nodes) {
    const looked = node.positions.includes(at) ? " looked" : "";
    svg.append(
      drawn("circle", { cx: x(node), cy: y(node), r: 15, class: `node${node.marked ? " marked" : ""}${looked}`, onclick: () => node.positions.length && show({ position: node.positions[0] }) }),
      drawn("text", { x: x(node), y: y(node), class: "middle node" }, node.word),
    );
  }
  return svg;
}
