/** A map of values: canvas cells with words along both axes, a cursor for keys, and a part that is shown. */

/**
 * @typedef {(row: number, column: number) => any} AtCell
 * @typedef {{rows: string[], columns: string[], value: AtCell, range: Extent, rowTitle: string,
 *   columnTitle: string, label: string, word?: AtCell, picked?: number[], pick?: AtCell,
 *   over?: AtCell}} MapOf
 * @typedef {{row: number, column: number, rows: number, columns: number}} Part
 * @typedef {{left: number, top: number, turned: boolean, cell: {width: number, height: number}}} Plan
 */

const ARROWS = /** @type {Object<string, number[]>} */ ({
  ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
});
const ZOOMS = [
  { sign: "+", word: "closer", by: 0.5 }, { sign: "-", word: "farther", by: 2 },
  { sign: "0", word: "all", by: Infinity },
];

/** What a map says of an array along two dims.
 * @type {(array: Labelled, y: string, x: string, range: Extent) => MapOf} */
function mapOf(array, y, x, range) {
  const [rows, columns] = [y, x].map((dim) => array.labels[dim].map(labelWord));
  const titles = { rowTitle: readable(y), columnTitle: readable(x), label: array.variable.long_name };
  return { rows, columns, ...titles, value: table(array, y, x), range };
}

/** The map, with what is under the cursor told below. */
function heatmap(/** @type {MapOf} */ map) {
  const canvas = element("canvas", { tabindex: "0", role: "img", "aria-label": map.label });
  const told = element("output", { class: "told", "aria-live": "polite" }, " ");
  const cells = thumbnail(map);
  const part = { row: 0, column: 0, rows: map.rows.length, columns: map.columns.length };
  const cursor = { row: map.picked?.[0] ?? -1, column: map.picked?.[1] ?? -1 };
  let plan = laidOut(map, part, 600);

  /** Draw the cells that are shown, their words and the cursor. */
  function paint() {
    plan = laidOut(map, part, canvas.parentElement?.clientWidth || 600);
    const [width, height] = [plan.cell.width * part.columns, plan.cell.height * part.rows];
    const context = sized(canvas, plan.left + width + 6, plan.top + height + 6);
    context.imageSmoothingEnabled = false;
    const source = [part.column, part.row, part.columns, part.rows];
    context.drawImage(cells, ...source, plan.left, plan.top, width, height);
    paintValues(context, map, part, plan);
    paintLabels(context, map, part, plan);
    if (cursor.row < part.row || cursor.row >= part.row + part.rows) return;
    const whole = cursor.column < part.column;
    const left = plan.left + (whole ? 0 : cursor.column - part.column) * plan.cell.width;
    const top = plan.top + (cursor.row - part.row) * plan.cell.height;
    context.lineWidth = 2;
    context.strokeRect(left, top, whole ? width : plan.cell.width, plan.cell.height);
  }

  /** Put the cursor somewhere and say what is there. */
  function move(/** @type {number} */ row, /** @type {number} */ column) {
    cursor.row = Math.min(Math.max(row, part.row), part.row + part.rows - 1);
    cursor.column = Math.min(Math.max(column, part.column), part.column + part.columns - 1);
    const place = `${map.rowTitle} ${map.rows[cursor.row]}, ${map.columnTitle} ${map.columns[cursor.column]}`;
    const word = map.word ? `${map.word(cursor.row, cursor.column)} ` : "";
    told.textContent = `${place}: ${word}${number(map.value(cursor.row, cursor.column))}`;
    paint();
    map.over?.(cursor.row, cursor.column);
  }

  /** Show a smaller or larger part about the cursor. */
  function zoom(/** @type {number} */ by) {
    for (const [at, size] of /** @type {const} */ ([["row", "rows"], ["column", "columns"]])) {
      const all = map[size].length;
      const wanted = Math.min(Math.max(Math.round(part[size] * by), Math.min(4, all)), all);
      const middle = cursor[at] < 0 ? part[at] + part[size] / 2 : cursor[at] + 0.5;
      part[at] = Math.min(Math.max(Math.round(middle - wanted / 2), 0), all - wanted);
      part[size] = wanted;
    }
    paint();
  }

  /** Do something at the cell at a place on the screen, if there is one. */
  function under(/** @type {MouseEvent} */ event, /** @type {AtCell|undefined} */ act) {
    const column = Math.floor((event.offsetX - plan.left) / plan.cell.width);
    const row = Math.floor((event.offsetY - plan.top) / plan.cell.height);
    if (column >= 0 && row >= 0 && column < part.columns && row < part.rows)
      act?.(part.row + row, part.column + column);
  }

  canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const [arrow, zoomed] = [ARROWS[event.key], ZOOMS.find(({ sign }) => sign === event.key)];
    if (arrow) move(cursor.row + arrow[0], cursor.column + arrow[1]);
    else if (zoomed) zoom(zoomed.by);
    else if (event.key === "Enter") map.pick?.(cursor.row, cursor.column);
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("mousemove", (/** @type {MouseEvent} */ event) =>
    under(event, (row, column) => (row !== cursor.row || column !== cursor.column) && move(row, column)));
  canvas.addEventListener("click", (/** @type {MouseEvent} */ event) => under(event, map.pick));
  canvas.addEventListener("dblclick", () => zoom(0.5));
  const large = map.rows.length > 12 || map.columns.length > 12;
  const buttons = (large ? ZOOMS : []).map(({ sign, word, by }) =>
    element("button", { type: "button", title: `key ${sign}`, onclick: () => zoom(by) }, word));
  const below = element("div", { class: "under" }, key(map.range), ...buttons, told);
  const figure = element("div", { class: "map" }, canvas, below);
  new ResizeObserver(() => requestAnimationFrame(paint)).observe(figure);
  return figure;
}

/** What draws on a canvas, which is made so large on the screen. */
function sized(/** @type {any} */ canvas, /** @type {number} */ width, /** @type {number} */ height) {
  const ratio = devicePixelRatio || 1;
  Object.assign(canvas, { width: width * ratio, height: height * ratio });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  Object.assign(context, { font: "11px system-ui, sans-serif", textAlign: "center", textBaseline: "middle" });
  context.strokeStyle = ofStyle("ink");
  return context;
}

/** Where everything stands: cells, and the margins that words take. @returns {Plan} */
function laidOut(/** @type {MapOf} */ map, /** @type {Part} */ part, /** @type {number} */ room) {
  const longest = (/** @type {string[]} */ words) => Math.max(1, ...words.map((word) => word.length));
  const [down, across] = [longest(map.rows), longest(map.columns)];
  const left = 26 + Math.min(down, 22) * 7;
  const width = Math.min(Math.max((room - left - 6) / part.columns, 3), 54);
  const height = Math.min(Math.max(Math.min(width, 520 / part.rows), map.word ? 18 : 3), 36);
  const turned = across * 7 + 4 > width;
  return { left, top: turned ? 28 + Math.min(across, 16) * 7 : 40, turned, cell: { width, height } };
}

/** Words or numbers in the cells, where they fit.
 * @type {(context: any, map: MapOf, part: Part, plan: Plan) => void} */
function paintValues(context, map, part, { left, top, cell }) {
  if (cell.height < 14 || (!map.word && cell.width < 46)) return;
  for (let row = 0; row < part.rows; row++)
    for (let column = 0; column < part.columns; column++) {
      const [down, across] = [part.row + row, part.column + column];
      const value = map.value(down, across);
      const little = Math.abs(value) < map.range.high / 200;
      const text = map.word ? map.word(down, across) : little ? "" : number(value, 2);
      if (Number.isNaN(value) || (map.word && text.length * 6.5 >= cell.width)) continue;
      context.fillStyle = inkOn(colourOf(value, map.range));
      context.fillText(text, left + (column + 0.5) * cell.width, top + (row + 0.5) * cell.height);
    }
}

/** Words along the axes; where they are too many, some.
 * @type {(context: any, map: MapOf, part: Part, plan: Plan) => void} */
function paintLabels(context, map, part, { left, top, turned, cell }) {
  /** @type {(text: string, x: number, y: number, align?: string, turn?: boolean) => void} */
  const write = (text, x, y, align = "right", turn = false) => {
    context.save();
    context.translate(x, y);
    if (turn) context.rotate(-Math.PI / 2);
    context.textAlign = align;
    context.fillText(text, 0, 0);
    context.restore();
  };
  context.fillStyle = ofStyle("ink");
  for (let row = 0; row < part.rows; row += Math.ceil(12 / cell.height))
    write(map.rows[part.row + row].slice(0, 22), left - 5, top + (row + 0.5) * cell.height);
  for (let column = 0; column < part.columns; column += Math.ceil(12 / cell.width)) {
    const [word, x] = [map.columns[part.column + column].slice(0, 16), left + (column + 0.5) * cell.width];
    write(word, x, top - (turned ? 5 : 10), turned ? "left" : "center", turned);
  }
  context.fillStyle = ofStyle("quiet");
  write(`${map.columnTitle} →`, left, 10, "left");
  write(`← ${map.rowTitle}`, 10, top, "right", true);
}

/** What the colours mean. */
function key(/** @type {Extent} */ range) {
  const colours = (range.signed ? SIGNED : CIVIDIS).join(",");
  const bar = element("span", { class: "bar", style: `background:linear-gradient(to right,${colours})` });
  return element("span", { class: "key" }, number(range.low), bar, number(range.high));
}

/** A small map without words. */
function thumbnail(/** @type {MapOf} */ { rows, columns, value, range }) {
  const canvas = element("canvas", { width: columns.length, height: rows.length });
  const context = canvas.getContext("2d");
  rows.forEach((_, row) => columns.forEach((_, column) => {
    context.fillStyle = css(colourOf(value(row, column), range));
    context.fillRect(column, row, 1, 1);
  }));
  return canvas;
}
