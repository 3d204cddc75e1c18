/** Blocks of a spec that draw as a figure what is on the screen. */

/** A value as it stands in a spec, on one line. @returns {string} */
function spelt(/** @type {any} */ value) {
  if (Array.isArray(value)) return `[${value.map(spelt).join(", ")}]`;
  if (value && typeof value === "object")
    return `{${said(value).map(([key, each]) => `${spelt(key)}: ${spelt(each)}`).join(", ")}}`;
  if (typeof value !== "string") return String(value);
  const plain = /^[A-Za-z_][\w.]*( [\w.]+)*$/.test(value);
  const means = /^(y|n|yes|no|on|off|true|false|null)$/i.test(value);
  return plain && !means ? value : JSON.stringify(value);
}

/** The keys and values of what a section says. */
function said(/** @type {Where} */ section) {
  return Object.entries(section).filter(([, value]) => value !== undefined);
}

/** A name as specs take it, of some words. */
function named(/** @type {...any} */ ...words) {
  const name = words.join("_").toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "");
  return /^[a-z]/.test(name) ? name.slice(0, 60) : `shown_${name}`.slice(0, 60);
}

/** A section with an entry for each name, with one line for each key. */
function section(/** @type {string} */ title, /** @type {Object<string, Where>} */ entries) {
  const lines = Object.entries(entries).flatMap(([name, says]) =>
    [`  ${name}:`, ...said(says).map(([key, value]) => `    ${key}: ${spelt(value)}`)]);
  return lines.length ? [`${title}:`, ...lines, ""].join("\n") : "";
}

/** What is pasted into a spec: a figure, and the analyses that it is of where the spec has none.
 * @type {(name: string, source: Source, figure: Where) => string} */
function pasted(name, { data, analyses }, figure) {
  const says = { plot: figure.plot, data, ...figure };
  return section("analyses", analyses) + section("figures", { [name]: says });
}
