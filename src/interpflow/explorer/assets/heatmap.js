/** A map of values: canvas cells with words along both axes, a cursor for keys, and a part that is shown. */

/**
 * @typedef {{rows: string[], columns: string[], value: (row: number, column: number) => number, range: Extent,
 *   rowTitle: string, columnTitle: string, word?: (row: number, column: number) => string, label: string,
 *   picked?: number[]|null, pick?: (row: number, column: number) => void,
 *   over?: (row: number, column: number) => void}} MapOf
 */

const MARGIN = { left: 12, top: 6, right: 6, bottom: 6 };

/** The map, with what is under the cursor told below. */
function heatmap(/** @type {MapOf} */ map) {
  const canvas = element("canvas", { tabindex: "0", role: "img", "aria-label": map.label });
  const told = element("output", { class: "told", "aria-live": "polite" }, " ");
  const part = { row: 0, column: 0, rows: map.rows.length, columns: map.columns.length };
  const cursor = { row: map.picked?.[0] ?? -1, column: map.picked?.[1] ?? -1 };
  let plan = laidOut(map, part, 600);

  /** Draw the cells that are shown, their words and the cursor. */
  function paint() {
    const width = canvas.parentElement?.clientWidth || 600;
    plan = laidOut(map, part, width);
    const ratio = window.devicePixelRatio || 1;
    canvas.width = plan.width * ratio;
    canvas.height = plan.height * ratio;
    canvas.style.width = `${plan.width}px`;
    canvas.style.height = `${plan.height}px`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    paintCells(context, map, part, plan);
    paintWords(context, map, part, plan);
    if (cursor.row < part.row || cursor.row >= part.row + part.rows) return;
    const whole = cursor.column < part.column;
    context.strokeStyle = ofStyle("ink");
    context.lineWidth = 2;
    context.strokeRect(
      plan.left + (whole ? 0 : cursor.column - part.column) * plan.cell.width,
      plan.top + (cursor.row - part.row) * plan.cell.height,
      plan.cell.width * (whole ? part.columns : 1), plan.cell.height,
    );
  }

  /** Put the cursor somewhere and say what is there. */
  function move(/** @type {number} */ row, /** @type {number} */ column) {
    cursor.row = Math.min(Math.max(row, part.row), part.row + part.rows - 1);
    cursor.column = Math.min(Math.max(column, part.column), part.column + part.columns - 1);
    const word = map.word ? `${map.word(cursor.row, cursor.column)} ` : "";
    told.textContent =
      `${map.rowTitle} ${map.rows[cursor.row]}, ${map.columnTitle} ${map.columns[cursor.column]}: ` +
      `${word}${number(map.value(cursor.row, cursor.column))}`;
    paint();
    map.over?.(cursor.row, cursor.column);
  }

  /** Show a smaller or larger part about the cursor. */
  function zoom(/** @type {number} */ by) {
    for (const [at, size, all] of /** @type {const} */ ([["row", "rows", map.rows], ["column", "columns", map.columns]])) {
      const wanted = Math.min(Math.max(Math.round(part[size] * by), Math.min(4, all.length)), all.length);
      const middle = cursor[at] < 0 ? part[at] + part[size] / 2 : cursor[at] + 0.5;
      part[at] = Math.min(Math.max(Math.round(middle - wanted / 2), 0), all.length - wanted);
      part[size] = wanted;
    }
    paint();
  }

  /** The cell at a place on the screen. @returns {number[]|null} */
  function under(/** @type {MouseEvent} */ event) {
    const column = Math.floor((event.offsetX - plan.left) / plan.cell.width);
    const row = Math.floor((event.offsetY - plan.top) / plan.cell.height);
    const inside = column >= 0 && row >= 0 && column < part.columns && row < part.rows;
    return inside ? [part.row + row, part.column + column] : null;
  }

  const keys = /** @type {Object<string, () => void>} */ ({
    ArrowLeft: () => move(cursor.row, cursor.column - 1),
    ArrowRight: () => move(cursor.row, cursor.column + 1),
    ArrowUp: () => move(cursor.row - 1, cursor.column),
    ArrowDown: () => move(cursor.row + 1, cursor.column),
    Enter: () => map.pick?.(cursor.row, cursor.column),
    "+": () => zoom(0.5),
    "-": () => zoom(2),
    0: () => zoom(1000),
  });
  canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  canvas.addEventListener("mousemove", (/** @type {MouseEvent} */ event) => {
    const at = under(event);
    if (at && (at[0] !== cursor.row || at[1] !== cursor.column)) move(at[0], at[1]);
  });
  canvas.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const at = under(event);
    if (at) map.pick?.(at[0], at[1]);
  });
  canvas.addEventListener("dblclick", () => zoom(0.5));
  const large = map.rows.length > 12 || map.columns.length > 12;
  const buttons = [["+", "closer", 0.5], ["−", "farther", 2], ["all", "show all", 1000]].map(([sign, title, by]) =>
    element("button", { type: "button", title, onclick: () => zoom(Number(by)) }, String(sign)));
  const figure = element("div", { class: "map" }, canvas, element("div", { class: "under" }, key(map.range), ...(large ? buttons : []), told));
  new ResizeObserver(() => requestAnimationFrame(paint)).observe(figure);
  return figure;
}

/** Where everything stands: cells, and the margins that words take. */
function laidOut(/** @type {MapOf} */ map, /** @type {any} */ part, /** @type {number} */ room) {
  const longest = (/** @type {string[]} */ words) => Math.max(1, ...words.map((word) => word.length));
  const left = MARGIN.left + Math.min(longest(map.rows), 22) * 7 + 14;
  const fits = (room - left - MARGIN.right) / part.columns;
  const width = Math.min(Math.max(fits, 3), 54);
  const height = Math.min(Math.max(Math.min(width, 520 / part.rows), map.word ? 18 : 3), 36);
  const turned = longest(map.columns) * 7 + 4 > width;
  const top = MARGIN.top + 16 + (turned ? Math.min(longest(map.columns), 16) * 7 + 6 : 18);
  const right = left + width * part.columns + MARGIN.right;
  return { left, top, turned, cell: { width, height }, width: right, height: top + height * part.rows + MARGIN.bottom };
}

/** Cells, with words or numbers where they fit. */
function paintCells(/** @type {any} */ context, /** @type {MapOf} */ map, /** @type {any} */ part, /** @type {any} */ plan) {
  const { cell } = plan;
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let row = 0; row < part.rows; row++) {
    for (let column = 0; column < part.columns; column++) {
      const value = map.value(part.row + row, part.column + column);
      const colour = colourOf(value, map.range);
      const [x, y] = [plan.left + column * cell.width, plan.top + row * cell.height];
      if (!colour) continue;
      context.fillStyle = css(colour);
      context.fillRect(x, y, cell.width - (cell.width > 6 ? 1 : 0), cell.height - (cell.height > 6 ? 1 : 0));
      const text = map.word ? map.word(part.row + row, part.column + column) : Math.abs(value) < map.range.high / 200 ? "" : inShort(value);
      if (cell.height >= 14 && (map.word ? text.length * 6.5 < cell.width : cell.width >= 36)) {
        context.fillStyle = inkOn(colour);
        context.fillText(text, x + cell.width / 2, y + cell.height / 2);
      }
    }
  }
}

/** A number in at most five characters. */
function inShort(/** @type {number} */ value) {
  const size = Math.abs(value);
  if (size >= 999.5 || (size !== 0 && size < 0.005)) return value.toExponential(0).replace("-", "−").replace("e+", "e");
  return String(Number(size >= 100 ? value.toFixed(0) : value.toPrecision(2))).replace("-", "−");
}

/** Words along the axes; where they are too many, some. */
function paintWords(/** @type {any} */ context, /** @type {MapOf} */ map, /** @type {any} */ part, /** @type {any} */ plan) {
  const { cell } = plan;
  context.fillStyle = ofStyle("ink");
  context.textBaseline = "middle";
  context.textAlign = "right";
  const everyRow = Math.ceil(12 / cell.height);
  for (let row = 0; row < part.rows; row += everyRow)
    context.fillText(map.rows[part.row + row].slice(0, 22), plan.left - 5, plan.top + (row + 0.5) * cell.height);
  const everyColumn = Math.ceil(12 / cell.width);
  for (let column = 0; column < part.columns; column += everyColumn) {
    context.save();
    context.translate(plan.left + (column + 0.5) * cell.width, plan.top - 5);
    if (plan.turned) context.rotate(-Math.PI / 2);
    context.textAlign = plan.turned ? "left" : "center";
    context.fillText(map.columns[part.column + column].slice(0, 16), 0, plan.turned ? 0 : -5);
    context.restore();
  }
  context.fillStyle = ofStyle("quiet");
  context.textAlign = "left";
  context.fillText(`${map.columnTitle} →`, plan.left, MARGIN.top + 4);
  context.save();
  context.translate(MARGIN.left - 2, plan.top);
  context.rotate(-Math.PI / 2);
  context.textAlign = "right";
  context.fillText(`← ${map.rowTitle}`, 0, 0);
  context.restore();
}

/** What the colours mean. */
function key(/** @type {Extent} */ range) {
  const colours = (range.signed ? SIGNED : CIVIDIS).join(",");
  const bar = element("span", { class: "bar", style: `background:linear-gradient(to right,${colours})` });
  return element("span", { class: "key" }, number(range.low), bar, number(range.high));
}

/** A small map without words. */
function thumbnail(/** @type {{rows: number, columns: number, value: (row: number, column: number) => number, range: Extent}} */ map) {
  const canvas = element("canvas", { width: map.columns, height: map.rows });
  const context = canvas.getContext("2d");
  for (let row = 0; row < map.rows; row++)
    for (let column = 0; column < map.columns; column++) {
      const colour = colourOf(map.value(row, column), map.range);
      if (!colour) continue;
      context.fillStyle = css(colour);
      context.fillRect(column, row, 1, 1);
    }
  return canvas;
}
