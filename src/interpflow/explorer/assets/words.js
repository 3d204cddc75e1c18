/** Numbers and names, as one says them. */

/** A number in few digits. */
function number(/** @type {any} */ value) {
  if (typeof value !== "number") return String(value);
  if (Number.isNaN(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en").replaceAll(",", "\u202f").replace("-", "−");
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e5)) return value.toExponential(2).replace("-", "−");
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

/** A name of the files, as words. */
function readable(/** @type {any} */ name) {
  return String(name).replaceAll("_", " ");
}

/** What a variable is called along an axis, with its unit. */
function axisLabel(/** @type {Variable} */ variable) {
  return variable.units === "1" ? variable.long_name : `${variable.long_name} (${variable.units})`;
}

/** How exact the values of a variable are, and what is held of it where that is not all, in words. */
function heldOf(/** @type {Dataset} */ dataset, /** @type {Variable} */ variable) {
  const parts = Object.entries(variable.at).map(
    ([dim, places]) => `${places.length} of ${dataset.labels[dim].length} along ${readable(dim)}`,
  );
  return `Values are ${variable.off ? `held to ${variable.maps > 1 ? "1/508 of the range of their map, at most " : ""}± ${number(variable.off)}` : "exact"}${parts.length ? `, of ${parts.join(", ")}` : ""}.`;
}
