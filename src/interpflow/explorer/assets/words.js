/** Numbers and names, as one says them. */

/** Words with their positions, so that two of the same can be told apart. */
const numberedWords = (/** @type {string[]} */ words) =>
  words.map((word, position) => `${position} ${word}`);

/** A number in few digits. */
function number(/** @type {any} */ value, digits = 3) {
  if (typeof value !== "number") return String(value);
  if (Number.isNaN(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en").replaceAll(",", "\u202f").replace("-", "−");
  const size = Math.abs(value);
  const far = size !== 0 && (size < 0.001 || size >= 1e5);
  const text = far ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
}

/** A name of the files, as words. */
const readable = (/** @type {any} */ name) => String(name).replaceAll("_", " ");

/** Words with a capital. */
const capital = (/** @type {string} */ words) => words.charAt(0).toUpperCase() + words.slice(1);

/** A label as words. */
const labelWord = (/** @type {Label} */ label) =>
  typeof label === "number" ? number(label) : readable(label);
