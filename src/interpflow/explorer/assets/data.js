/**
 * What the page holds: datasets with labelled dims, whose arrays are unpacked when they are first looked at.
 *
 * @typedef {string|number|boolean|null} Label
 * @typedef {{name: string, dims: string[], at: Object<string, number[]>, units: string, long_name: string,
 *   block: number, kind: string, low: number, step: number, off: number, maps: number, width: string, words: string[]}} Variable
 * @typedef {{name: string, kind: string, experiment: string, method: string, labels: Object<string, Label[]>,
 *   variables: Variable[], left_out: string[]}} Dataset
 * @typedef {{variable: Variable, dims: string[], labels: Object<string, Label[]>, values: any}} Labelled
 *   values in the order of dims, the last the fastest: numbers (NaN: none) or words
 */

/** @type {{study: string, title: string, scale: string, datasets: Dataset[],
 *   experiments: Object<string, {analysis: string, options: Object<string, any>}>, drawings: Object<string, any[]>}} */
const INDEX = JSON.parse(document.getElementById("index")?.textContent ?? "{}");

/** @type {Map<string, Promise<Labelled>>} */
const unpacked = new Map();

/** The dataset of a kind and an experiment, if there is one. @returns {Dataset|undefined} */
function datasetOf(/** @type {string} */ kind, /** @type {string} */ experiment) {
  return INDEX.datasets.find((each) => each.kind === kind && each.experiment === experiment);
}

/** The variable of a dataset, if it is held. @returns {Variable|undefined} */
function variableOf(/** @type {Dataset} */ dataset, /** @type {string} */ name) {
  return dataset.variables.find((each) => each.name === name);
}

/** A variable with its values. @returns {Promise<Labelled>} */
function load(/** @type {Dataset} */ dataset, /** @type {string} */ name) {
  const key = `${dataset.name}/${name}`;
  let found = unpacked.get(key);
  if (!found) {
    found = unpack(dataset, name);
    unpacked.set(key, found);
  }
  return found;
}

/** @returns {Promise<Labelled>} */
async function unpack(/** @type {Dataset} */ dataset, /** @type {string} */ name) {
  const variable = variableOf(dataset, name);
  if (!variable) throw new Error(`${dataset.name} holds no ${name}`);
  /** @type {Object<string, Label[]>} */
  const labels = {};
  for (const dim of variable.dims) {
    const all = dataset.labels[dim];
    labels[dim] = variable.at[dim] ? variable.at[dim].map((place) => all[place]) : all;
  }
  const text = document.getElementById(`b${variable.block}`)?.textContent ?? "";
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  return { variable, dims: variable.dims, labels, values: decoded(variable, bytes) };
}

/** The values behind the bytes of a variable; every machine that browsers run on is little-endian. */
function decoded(/** @type {Variable} */ variable, /** @type {ArrayBuffer} */ bytes) {
  const { kind, maps } = variable;
  if (kind === "f4") return new Float32Array(bytes);
  const width = kind === "text" ? variable.width : kind;
  const codes = width === "u1" ? new Uint8Array(bytes, (maps || 0) * 8) : new Uint16Array(bytes);
  if (kind === "text") return Array.from(codes, (code) => variable.words[code]);
  const none = kind === "u1" ? 255 : 65535;
  const [low, step] = maps ? [new Float32Array(bytes, 0, maps), new Float32Array(bytes, maps * 4, maps)] : [[variable.low], [variable.step]];
  const size = codes.length / low.length;
  return Float64Array.from(codes, (code, at) => (code === none ? NaN : low[Math.floor(at / size)] + step[Math.floor(at / size)] * code));
}

/** The place of a label; of a number that is not there the nearest, of any other the first. */
function placeOf(/** @type {Label[]} */ labels, /** @type {any} */ wanted) {
  const same = labels.findIndex((label) => String(label) === String(wanted));
  if (same >= 0 || wanted === undefined || wanted === "" || isNaN(Number(wanted))) return Math.max(same, 0);
  const far = labels.map((label) => Math.abs(Number(label) - Number(wanted)));
  return Math.max(far.indexOf(Math.min(...far)), 0);
}

/** How many places each dim has. */
function shapeOf(/** @type {Labelled} */ array) {
  return array.dims.map((dim) => array.labels[dim].length);
}

/** The array at one place of each of some dims, by label; without the dims. Dims that it lacks are passed over.
 * @returns {Labelled} */
function pick(/** @type {Labelled} */ array, /** @type {Object<string, any>} */ where) {
  let found = array;
  for (const dim of array.dims.filter((each) => each in where)) {
    const place = placeOf(array.labels[dim], where[dim]);
    found = reduced(found, dim, (values) => values[place]);
  }
  return found;
}

/** The mean along a dim, without values that are not there. @returns {Labelled} */
function meanAlong(/** @type {Labelled} */ array, /** @type {string} */ dim) {
  if (!array.dims.includes(dim)) return array;
  return reduced(array, dim, (values) => {
    const there = values.filter((value) => !Number.isNaN(value));
    return there.length ? there.reduce((sum, value) => sum + value, 0) / there.length : NaN;
  });
}

/** The array without a dim, whose values become one. @type {(array: Labelled, dim: string, one: (values: any[]) => any) => Labelled} */
function reduced(array, dim, one) {
  const at = array.dims.indexOf(dim);
  const shape = shapeOf(array);
  const inner = shape.slice(at + 1).reduce((product, size) => product * size, 1);
  const size = shape[at];
  const values = new Array(array.values.length / size);
  for (let place = 0; place < values.length; place++) {
    const start = Math.floor(place / inner) * inner * size + (place % inner);
    values[place] = one(Array.from({ length: size }, (_, each) => array.values[start + each * inner]));
  }
  return { ...array, dims: array.dims.filter((each) => each !== dim), values };
}

/** Values by row and column of an array of the two dims. */
function table(/** @type {Labelled} */ array, /** @type {string} */ rows, /** @type {string} */ columns) {
  const across = array.labels[columns].length;
  const down = array.labels[rows].length;
  const turned = array.dims[0] !== rows;
  return (/** @type {number} */ row, /** @type {number} */ column) =>
    array.values[turned ? column * down + row : row * across + column];
}
