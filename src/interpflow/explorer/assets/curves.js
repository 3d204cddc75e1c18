/** Curves along an axis, with a cursor. */

/**
 * @typedef {{label: string, colour: string, thin?: boolean, points: number[][]}} Curve
 * @typedef {{curves: Curve[], xTitle: string, yTitle: string, words?: string[], logX?: boolean, logY?: boolean,
 *   cursor?: number, move?: (x: number) => void, height?: number, label: string}} Curves
 */

/** A drawing of curves; with `words` the places along x have names. */
function curves(/** @type {Curves} */ plot) {
  const [width, height] = [Math.max(300, Math.min(640, document.body.clientWidth - 30)), plot.height ?? 260];
  const [left, right, top, bottom] = [68, 12, 12, plot.words ? 62 : 42];
  const every = plot.curves.flatMap((curve) => curve.points).filter(([, y]) => Number.isFinite(y) && (!plot.logY || y > 0));
  if (!every.length) return remark("There is nothing to draw here.");
  const x = axis(every.map((point) => point[0]), !!plot.logX && !plot.words, left, width - right, !!plot.words);
  const y = axis(every.map((point) => point[1]), !!plot.logY, height - bottom, top, false);
  const told = element("output", { class: "told", "aria-live": "polite" }, " ");
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": plot.label, class: "curves" });
  for (const at of y.ticks)
    svg.append(
      drawn("line", { x1: left, x2: width - right, y1: y.at(at), y2: y.at(at), class: "rule" }),
      drawn("text", { x: left - 6, y: y.at(at), class: "end" }, number(at)),
    );
  const some = plot.words ? Math.ceil(plot.words.length / 40) : 1;
  for (const at of plot.words ? plot.words.map((_, place) => place) : x.ticks)
    if (at % some === 0 || !plot.words) svg.append(tick(x.at(at), height - bottom + 14, plot.words ? plot.words[at] : number(at), plot.words));
  svg.append(
    drawn("text", { x: (left + width - right) / 2, y: height - 6, class: "middle" }, plot.xTitle),
    drawn("text", { transform: `translate(13 ${(top + height - bottom) / 2}) rotate(-90)`, class: "middle" }, plot.yTitle),
  );
  for (const curve of plot.curves) svg.append(...line(curve, x.at, y.at, !!plot.logY));
  const cursor = drawn("line", { y1: top, y2: height - bottom, class: "cursor" });
  if (plot.cursor !== undefined) {
    cursor.setAttribute("x1", String(x.at(plot.cursor)));
    cursor.setAttribute("x2", String(x.at(plot.cursor)));
    svg.append(cursor);
  }
  const places = [...new Set(every.map((point) => point[0]))].sort((a, b) => a - b);
  /** The place along x nearest to the pointer. */
  const nearest = (/** @type {MouseEvent} */ event) => {
    const box = svg.getBoundingClientRect();
    const here = ((event.clientX - box.left) / box.width) * width;
    return places.reduce((best, each) => (Math.abs(x.at(each) - here) < Math.abs(x.at(best) - here) ? each : best));
  };
  svg.addEventListener("mousemove", (/** @type {MouseEvent} */ event) => {
    const at = nearest(event);
    const values = plot.curves.flatMap((curve) =>
      curve.points.filter(([place]) => place === at).map(([, value]) => `${curve.label} ${number(value)}`),
    );
    told.textContent = `${plot.words ? plot.words[at] : `${plot.xTitle} ${number(at)}`}: ${values.slice(0, 8).join(", ")}`;
  });
  svg.addEventListener("click", (/** @type {MouseEvent} */ event) => plot.move?.(nearest(event)));
  const names = new Map(plot.curves.map((curve) => [curve.label, curve.colour]));
  const legend = [...names].slice(0, 24).map(([name, colour]) =>
    element("span", {}, element("i", { style: `background:${colour}` }), name),
  );
  return element("div", { class: "plot" }, svg, element("div", { class: "under" }, told), element("div", { class: "legend" }, ...legend));
}

/** The word at a tick; names of places are turned. */
function tick(/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ word, /** @type {any} */ turned) {
  if (!turned) return drawn("text", { x, y, class: "middle" }, word);
  return drawn("text", { transform: `translate(${x} ${y - 6}) rotate(-35)`, class: "end" }, word.slice(0, 14));
}

/** A line with marks where points are few. @returns {Node[]} */
function line(/** @type {Curve} */ curve, /** @type {any} */ x, /** @type {any} */ y, /** @type {boolean} */ log) {
  const there = curve.points.filter(([, value]) => Number.isFinite(value) && (!log || value > 0));
  const path = there.map(([place, value], at) => `${at ? "L" : "M"}${x(place).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const marks = there.length > 24 ? [] : there.map(([place, value]) =>
    drawn("circle", { cx: x(place).toFixed(1), cy: y(value).toFixed(1), r: curve.thin ? 1.5 : 3, fill: curve.colour }));
  return [drawn("path", { d: path, stroke: curve.colour, class: curve.thin ? "thin" : "line" }), ...marks];
}

/** From values to places on the screen; 0 stands at the end of a logarithmic axis. */
function axis(/** @type {number[]} */ values, /** @type {boolean} */ log, /** @type {number} */ from, /** @type {number} */ to, /** @type {boolean} */ words) {
  const positive = values.filter((value) => value > 0);
  const last = Math.max(...values);
  const first = log ? Math.min(...positive) / (values.length > positive.length ? 3 : 1) : Math.min(...values);
  const shift = words || first === last ? 0.5 : 0;
  const [low, high] = log ? [Math.log10(first), Math.log10(last)] : [Math.min(first, first >= 0 && first < 0.4 * last ? 0 : first) - shift, last + shift];
  const span = high - low || 1;
  const at = (/** @type {number} */ value) => {
    const place = log ? Math.log10(Math.max(value, first)) : value;
    return from + ((place - low) / span) * (to - from);
  };
  const ticks = log ? powers(low, high) : rounds(low, low + span);
  return { at, ticks: ticks.length > 1 ? ticks : rounds(first, last) };
}

/** Powers of ten within an axis; of a short one also 2 and 5 times these. */
function powers(/** @type {number} */ low, /** @type {number} */ high) {
  const times = high - low > 2 ? [1] : [1, 2, 5];
  const all = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, at) => 10 ** (Math.floor(low) + at));
  return all.flatMap((ten) => times.map((by) => by * ten)).filter((each) => Math.log10(each) >= low - 1e-9 && Math.log10(each) <= high + 1e-9);
}

/** About five round numbers within an axis. */
function rounds(/** @type {number} */ low, /** @type {number} */ high) {
  const rough = (high - low) / 5;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((by) => by * ten).find((each) => each >= rough) ?? ten;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}
