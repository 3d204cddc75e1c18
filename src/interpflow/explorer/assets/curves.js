/** Curves along an axis, with a cursor. */

/**
 * @typedef {{label: string, colour: string, thin?: boolean, points: number[][]}} Curve
 * @typedef {{curves: Curve[], xTitle: string, yTitle: string, words?: string[], logX?: boolean,
 *   logY?: boolean, cursor?: number, move?: (x: number) => void, height?: number, label: string}} Curves
 * @typedef {(value: number) => number} OnScreen
 */

/** A drawing of curves; with `words` the places along x have names. */
function curves(/** @type {Curves} */ plot) {
  const { words, logX = false, logY = false } = plot;
  const [width, height] = [Math.max(300, Math.min(640, document.body.clientWidth - 30)), plot.height ?? 260];
  const [left, top, right, bottom] = [76, 12, width - 24, height - (words ? 62 : 42)];
  const every = plot.curves.flatMap((curve) => curve.points);
  const there = every.filter(([, y]) => Number.isFinite(y) && (!logY || y > 0));
  if (!there.length) return remark("There is nothing to draw here.");
  const x = axis(there.map((point) => point[0]), logX && !words, left, right, !!words);
  const y = axis(there.map((point) => point[1]), logY, bottom, top);
  const told = element("output", { class: "told", "aria-live": "polite" }, " ");
  const svg = picture("curves", plot.label, { viewBox: `0 0 ${width} ${height}` });
  const write = (/** @type {string} */ text, /** @type {Where} */ at) => svg.append(drawn("text", at, text));
  for (const at of y.ticks) {
    svg.append(drawn("line", { x1: left, x2: right, y1: y.at(at), y2: y.at(at), class: "rule" }));
    write(number(at), { x: left - 6, y: y.at(at), class: "end" });
  }
  if (words) {
    const some = Math.ceil(words.length / 40);
    words.forEach((word, at) => {
      const transform = `translate(${x.at(at)} ${bottom + 8}) rotate(-35)`;
      if (at % some === 0) write(word.slice(0, 14), { transform, class: "end" });
    });
  } else for (const at of x.ticks) write(number(at), { x: x.at(at), y: bottom + 14, class: "middle" });
  write(plot.xTitle, { x: (left + right) / 2, y: height - 6, class: "middle" });
  const title = plot.yTitle.length * 6 > height ? `${plot.yTitle.slice(0, height / 6)}…` : plot.yTitle;
  write(title, { transform: `translate(11 ${(top + bottom) / 2}) rotate(-90)`, class: "middle" });
  for (const curve of plot.curves) svg.append(...line(curve, x.at, y.at, logY));
  if (plot.cursor !== undefined) {
    const at = x.at(plot.cursor);
    svg.append(drawn("line", { x1: at, x2: at, y1: top, y2: bottom, class: "cursor" }));
  }
  /** The place along x nearest to the pointer. */
  const nearest = (/** @type {MouseEvent} */ event) => {
    const box = svg.getBoundingClientRect();
    const here = ((event.clientX - box.left) / box.width) * width;
    const far = there.map(([at]) => Math.abs(x.at(at) - here));
    return there[far.indexOf(Math.min(...far))][0];
  };
  svg.addEventListener("mousemove", (/** @type {MouseEvent} */ event) => {
    const at = nearest(event);
    const values = plot.curves.flatMap((curve) =>
      curve.points.filter(([place]) => place === at).map(([, value]) => `${curve.label} ${number(value)}`));
    told.textContent = `${words?.[at] ?? `${plot.xTitle} ${number(at)}`}: ${values.slice(0, 8).join(", ")}`;
  });
  svg.addEventListener("click", (/** @type {MouseEvent} */ event) => plot.move?.(nearest(event)));
  const names = new Map(plot.curves.map((curve) => [curve.label, curve.colour]));
  return element("div", { class: "plot" }, svg, element("div", { class: "under" }, told),
    legendOf([...names].slice(0, 24)));
}

/** Names, each with its colour. */
function legendOf(/** @type {string[][]} */ names) {
  return element("div", { class: "legend" }, ...names.map(([name, colour]) =>
    element("span", {}, element("i", { style: `background:${colour}` }), readable(name))));
}

/** A line with marks where points are few.
 * @type {(curve: Curve, x: OnScreen, y: OnScreen, log: boolean) => Node[]} */
function line({ points, colour, thin }, x, y, log) {
  const there = points.filter(([, value]) => Number.isFinite(value) && (!log || value > 0))
    .map(([place, value]) => [x(place).toFixed(1), y(value).toFixed(1)]);
  const path = drawn("path", { d: `M${there.join("L")}`, stroke: colour, class: thin ? "thin" : "line" });
  const marks = there.length > 24 ? [] : there.map(([cx, cy]) =>
    drawn("circle", { cx, cy, r: thin ? 1.5 : 3, fill: colour }));
  return there.length ? [path, ...marks] : [];
}

/** From values to places on the screen; 0 stands at the end of a logarithmic axis.
 * @typedef {{at: OnScreen, ticks: number[]}} Axis
 * @type {(values: number[], log: boolean, from: number, to: number, words?: boolean) => Axis} */
function axis(values, log, from, to, words = false) {
  const positive = values.filter((value) => value > 0);
  const last = Math.max(...values);
  let first = log ? Math.min(...positive) / (values.length > positive.length ? 3 : 1) : Math.min(...values);
  if (!log && first >= 0 && first < 0.4 * last) first = 0;
  const shift = !log && (words || first === last) ? 0.5 : 0;
  const on = (/** @type {number} */ value) => (log ? Math.log10(Math.max(value, first)) : value);
  const [low, high] = [on(first) - shift, on(last) + shift];
  const at = (/** @type {number} */ value) => from + ((on(value) - low) / (high - low || 1)) * (to - from);
  const ticks = log ? powers(low, high) : rounds(low, high);
  return { at, ticks: ticks.length > 1 ? ticks : rounds(first, last) };
}

/** Powers of ten within an axis; of a short one also 2 and 5 times these. */
function powers(/** @type {number} */ low, /** @type {number} */ high) {
  const length = Math.ceil(high) - Math.floor(low) + 1;
  const tens = Array.from({ length }, (_, at) => 10 ** (Math.floor(low) + at));
  const all = tens.flatMap((ten) => (high - low > 2 ? [1] : [1, 2, 5]).map((by) => by * ten));
  return all.filter((each) => Math.log10(each) >= low - 1e-9 && Math.log10(each) <= high + 1e-9);
}

/** About five round numbers within an axis. */
function rounds(/** @type {number} */ low, /** @type {number} */ high) {
  const rough = (high - low) / 5;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((by) => by * ten).find((each) => each >= rough) ?? ten;
  const [first, last] = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}
