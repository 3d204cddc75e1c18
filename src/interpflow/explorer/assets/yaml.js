/** Blocks of a spec that draw as a figure what is on the screen. */

/** A value as it stands in a spec, on one line. @returns {string} */
function spelt(/** @type {any} */ value) {
  if (Array.isArray(value)) return `[${value.map(spelt).join(", ")}]`;
  if (value && typeof value === "object")
    return `{${Object.entries(value).map(([key, each]) => `${spelt(key)}: ${spelt(each)}`).join(", ")}}`;
  if (typeof value !== "string") return String(value);
  const plain = /^[A-Za-z_][\w.]*( [\w.]+)*$/.test(value);
  const means = /^(y|n|yes|no|on|off|true|false|null)$/i.test(value);
  return plain && !means ? value : JSON.stringify(value);
}

/** A name as specs take it, of some words. */
function named(/** @type {...any} */ ...words) {
  const name = words.join("_").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  return /^[a-z]/.test(name) ? name.slice(0, 60) : `shown_${name}`.slice(0, 60);
}

/** An entry of a section, with one line for each key. */
function entry(/** @type {string} */ name, /** @type {Object<string, any>} */ says) {
  const lines = Object.entries(says).filter(([, value]) => value !== undefined);
  return [`  ${name}:`, ...lines.map(([key, value]) => `    ${key}: ${spelt(value)}`)].join("\n");
}

/**
 * What is pasted into a spec: a figure, and the analysis that it is of where the spec has none.
 * @param {string} name of the figure
 * @param {Object<string, any>} figure what it says
 * @param {Object<string, Object<string, any>>} analyses those that the spec lacks, by name
 */
function pasted(name, figure, analyses = {}) {
  const parts = [];
  if (Object.keys(analyses).length)
    parts.push("analyses:", ...Object.entries(analyses).map(([each, says]) => entry(each, says)));
  parts.push("figures:", entry(name, figure));
  return `${parts.join("\n")}\n`;
}

/**
 * An analysis of a spec, and what the spec still has to say for it.
 * @typedef {{name: string, analyses: Object<string, Object<string, any>>}} Source
 */

/** The analysis behind activations of an experiment. @returns {Source} */
function activationsOf(/** @type {string} */ experiment) {
  const { analysis, options } = INDEX.experiments[experiment];
  if (analysis) return { name: analysis, analyses: {} };
  return { name: "activations", analyses: { activations: { method: "activations", experiments: [experiment], ...options } } };
}
