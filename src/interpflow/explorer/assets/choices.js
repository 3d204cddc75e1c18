/** What can be chosen, and what is chosen now. */

/** A list to choose from; `key` is where the address keeps the choice. */
function choice(/** @type {string} */ title, /** @type {string} */ key, /** @type {any[]} */ labels, /** @type {any} */ now, /** @type {(label: any) => string} */ words = readable) {
  const options = labels.map((label) =>
    element("option", { value: String(label), selected: String(label) === String(now) }, words(label)),
  );
  const list = element("select", { onchange: () => show({ [key]: list.value }), "data-key": key }, ...options);
  return element("label", {}, title, list);
}

/** A slider along labels. */
function slider(/** @type {string} */ title, /** @type {string} */ key, /** @type {any[]} */ labels, /** @type {any} */ now, /** @type {(label: any) => string} */ words = number) {
  if (labels.length < 2) return element("label", {}, title, element("b", {}, words(now)));
  const place = placeOf(labels, now);
  const range = element("input", {
    type: "range", min: 0, max: labels.length - 1, value: place, "data-key": key, "aria-valuetext": words(labels[place]),
    oninput: () => show({ [key]: labels[Number(range.value)] }),
  });
  return element("label", {}, title, range, element("b", {}, words(labels[place])));
}

/** The experiments that have models, or else none. */
function experimentNames() {
  return Object.keys(INDEX.experiments);
}

/** The experiment that is looked at. */
function experimentNow() {
  const names = experimentNames();
  const wanted = shown().experiment;
  return names.includes(wanted) ? wanted : names[0];
}

/** The choices of an experiment, and of some dims of what is held of it, by what the address says. */
function choicesAlong(/** @type {Labelled} */ array, /** @type {string[]} */ dims) {
  const names = experimentNames();
  const now = shown();
  const made = names.length > 1 ? [choice("Experiment", "experiment", names, experimentNow())] : [];
  const titles = /** @type {Object<string, string>} */ ({ seed: "Seed", step: "Training step", shown_example: "Example" });
  for (const dim of dims.filter((each) => array.dims.includes(each))) {
    const labels = array.labels[dim];
    const label = labels[place(labels, dim, now)];
    made.push(dim === "step" ? slider(titles[dim], dim, labels, label) : choice(titles[dim] ?? readable(dim), dim, labels, label));
  }
  return made;
}

/** The place of what the address says of a dim; of training steps the last if it says nothing. */
function place(/** @type {Label[]} */ labels, /** @type {string} */ dim, /** @type {Object<string, string>} */ now) {
  return now[dim] === undefined && dim === "step" ? labels.length - 1 : placeOf(labels, now[dim]);
}

/** The labels that the address says of some dims of an array. */
function chosen(/** @type {Labelled} */ array, /** @type {string[]} */ dims) {
  const now = shown();
  return Object.fromEntries(
    dims.filter((dim) => array.dims.includes(dim)).map((dim) => [dim, array.labels[dim][place(array.labels[dim], dim, now)]]),
  );
}

/** What a spec calls the model and the example that are looked at. */
function selected(/** @type {Object<string, any>} */ where) {
  const { seed, ...select } = where;
  return { experiment: experimentNow(), seed, select };
}

/**
 * A view of the page: what it is called, and what it shows now.
 * @typedef {{choices: Node[], body: Node[], figure: string, held: string[]}} Shown
 * @typedef {{title: string, there: () => boolean, draw: () => Promise<Shown>}} View
 */

/** All views by name, in their order. @type {Object<string, View>} */
const VIEWS = {};
