/**
 * What the page holds: datasets with labelled dims, whose arrays are unpacked when they are first looked at.
 *
 * @typedef {string|number|boolean|null} Label
 * @typedef {Object<string, Label[]>} Labels of dims
 * @typedef {Object<string, any>} Where labels of some dims
 * @typedef {{name: string, dims: string[], at: Object<string, number[]>, long_name: string, axis: string,
 *   axes: Axes, once: string, exact: string, block: number, kind: string, maps: number, words?: string[]
 * }} Variable
 * @typedef {{data: string|string[], analyses: Object<string, Where>}} Source what a spec says of it
 * @typedef {{name: string, kind: string, experiment: string, method: string, labels: Labels,
 *   sources: Object<string, Source>, variables: Variable[], left_out: string[]}} Dataset
 * @typedef {{variable: Variable, dims: string[], labels: Labels, strides: Object<string, number>,
 *   start: number, values: any}} Labelled at place i of a dim is values[start + i * stride], of any type
 */

/** @type {{study: string, datasets: Dataset[], drawings: Where}} */
const INDEX = JSON.parse(document.getElementById("index")?.textContent ?? "{}");

/** @type {Map<Variable, Promise<Labelled>>} */
const unpacked = new Map();

/** The datasets of a kind that hold something, of one experiment or of all. */
function datasetsOf(/** @type {string} */ kind, experiment = "") {
  const all = INDEX.datasets.filter((each) => each.kind === kind && each.variables.length);
  return experiment ? all.filter((each) => each.experiment === experiment) : all;
}

/** The variable of a dataset, if it is held. @returns {Variable|undefined} */
function variableOf(/** @type {Dataset|undefined} */ dataset, /** @type {string} */ name) {
  return dataset?.variables.find((each) => each.name === name);
}

/** A variable with its values. @returns {Promise<Labelled>} */
function load(/** @type {Dataset} */ dataset, /** @type {string} */ name) {
  const variable = variableOf(dataset, name);
  if (!variable) throw new Error(`${dataset.name} holds no ${name}`);
  const found = unpacked.get(variable) ?? unpack(dataset, variable);
  unpacked.set(variable, found);
  return found;
}

/** @returns {Promise<Labelled>} */
async function unpack(/** @type {Dataset} */ dataset, /** @type {Variable} */ variable) {
  /** @type {Labels} */
  const labels = {};
  for (const dim of variable.dims)
    labels[dim] = variable.at[dim]?.map((place) => dataset.labels[dim][place]) ?? dataset.labels[dim];
  const text = document.getElementById(`b${variable.block}`)?.textContent ?? "";
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  return labelled(variable, variable.dims, labels, decoded(variable, bytes));
}

/** The values behind the bytes of a variable; every machine that browsers run on is little-endian. */
function decoded(/** @type {Variable} */ { kind, maps, words }, /** @type {ArrayBuffer} */ bytes) {
  if (kind === "f4") return new Float32Array(bytes);
  const [lows, steps] = [0, maps].map((first) => new Float64Array(bytes, first * 8, maps));
  const [Codes, none] = kind === "u1" ? [Uint8Array, 255] : [Uint16Array, 65535];
  const codes = new Codes(bytes, maps * 16);
  const values = Array.from(codes, (code, at) => {
    const map = Math.floor(at / (codes.length / maps));
    return code === none ? NaN : lows[map] + steps[map] * code;
  });
  return words ? values.map((value) => words[value]) : values;
}

/** Values in the order of their dims, the last the fastest.
 * @type {(variable: Variable, dims: string[], labels: Labels, values: any) => Labelled} */
function labelled(variable, dims, labels, values) {
  let size = 1;
  /** @type {Object<string, number>} */
  const strides = {};
  for (const dim of [...dims].reverse()) {
    strides[dim] = size;
    size *= labels[dim].length;
  }
  return { variable, dims, labels, strides, start: 0, values };
}

/** The place of a label; of a number that is not there the nearest, of any other the first. */
function placeOf(/** @type {Label[]} */ labels, /** @type {any} */ wanted) {
  const same = labels.findIndex((label) => String(label) === String(wanted));
  if (same >= 0 || wanted === undefined || wanted === "" || isNaN(Number(wanted))) return Math.max(same, 0);
  const far = labels.map((label) => Math.abs(Number(label) - Number(wanted)));
  return Math.max(far.indexOf(Math.min(...far)), 0);
}

/** The array at one label of each of some dims, without the dims; those that it lacks are passed over. */
function pick(/** @type {Labelled} */ array, /** @type {Where} */ where) {
  const gone = array.dims.filter((dim) => dim in where);
  const steps = gone.map((dim) => placeOf(array.labels[dim], where[dim]) * array.strides[dim]);
  const start = steps.reduce((sum, step) => sum + step, array.start);
  return { ...array, start, dims: array.dims.filter((dim) => !gone.includes(dim)) };
}

/** All values of an array, in the order of its dims. @returns {any[]} */
function flat(/** @type {Labelled} */ array) {
  let places = [array.start];
  for (const dim of array.dims)
    places = places.flatMap((place) => array.labels[dim].map((_, at) => place + at * array.strides[dim]));
  return places.map((place) => array.values[place]);
}

/** One array of some with the same labels, of what becomes of their values at a place.
 * @type {(arrays: Labelled[], one: (values: any[]) => any) => Labelled} */
function combined(arrays, one) {
  const [{ variable, dims, labels }] = arrays;
  const parts = arrays.map(flat);
  return labelled(variable, dims, labels, parts[0].map((_, at) => one(parts.map((values) => values[at]))));
}

/** The array without a dim, of what becomes of the values along it that are there.
 * @type {(array: Labelled, dim: string, one: (values: any[]) => any) => Labelled} */
function along(array, dim, one) {
  if (!array.dims.includes(dim)) return array;
  const parts = array.labels[dim].map((label) => pick(array, { [dim]: label }));
  return combined(parts, (values) => one(values.filter((value) => !Number.isNaN(value))));
}

const mean = (/** @type {number[]} */ values) => values.reduce((sum, each) => sum + each, 0) / values.length;
const last = (/** @type {any[]} */ values) => values.at(-1) ?? NaN;

/** Values by row and column of an array of two dims; of one where the other is "". @returns {AtCell} */
function table(/** @type {Labelled} */ array, /** @type {string} */ rows, /** @type {string} */ columns) {
  const [down, across] = [rows, columns].map((dim) => (dim && array.strides[dim]) || 0);
  return (row, column) => array.values[array.start + row * down + column * across];
}
