/** Colours that the colour-blind can tell apart: cividis for shares, blue to red for signed values. */

const CIVIDIS = [
  "#00224e", "#123570", "#3b496c", "#575d6d", "#707173",
  "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838",
];
const SIGNED = ["#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"];
// Okabe & Ito 2008, without black, which a dark page hides.
const SERIES = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8a8678", "#b59b00"];

/**
 * What gives values their colours: low and high ends, and whether colours stand for the sign.
 * @typedef {{low: number, high: number, signed: boolean}} Extent
 */
const SHARES = { low: 0, high: 1, signed: false };

/** A colour of a map, from 0 to 1, as [red, green, blue]. @returns {number[]} */
function between(/** @type {string[]} */ map, /** @type {number} */ share) {
  const at = Math.min(Math.max(share, 0), 1) * (map.length - 1);
  const first = Math.min(Math.floor(at), map.length - 2);
  const [a, b] = [map[first], map[first + 1]].map((hex) =>
    [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16)));
  return a.map((value, place) => Math.round(value + (b[place] - value) * (at - first)));
}

/** The least and the largest of some values. @returns {number[]} */
function ends(/** @type {number[]} */ values) {
  const found = [Infinity, -Infinity];
  for (const value of values)
    if (Number.isFinite(value)) [found[0], found[1]] = [Math.min(found[0], value), Math.max(found[1], value)];
  return found;
}

/** The range of some values; shares keep to 0 and 1, signed ones lie about 0. @returns {Extent} */
function rangeOf(/** @type {number[]} */ values, signed = false) {
  const [low, high] = ends(values);
  const most = Math.max(-low, high);
  if (signed || low < 0) return { low: -most || -1, high: most || 1, signed: true };
  return high > 1.0001 ? { ...SHARES, high } : SHARES;
}

/** The colour of a value, as [red, green, blue]; none where there is no value. @returns {number[]|null} */
function colourOf(/** @type {number} */ value, /** @type {Extent} */ { low, high, signed }) {
  return Number.isNaN(value) ? null : between(signed ? SIGNED : CIVIDIS, (value - low) / (high - low || 1));
}

/** A colour as the style takes it. */
function css(/** @type {number[]|null} */ colour) {
  return colour ? `rgb(${colour.join(",")})` : "transparent";
}

/** Black or white, whichever can be read on a colour. */
function inkOn(/** @type {number[]|null} */ colour) {
  if (!colour) return ofStyle("ink");
  const [red, green, blue] = colour;
  return red * 0.299 + green * 0.587 + blue * 0.114 > 140 ? "#000" : "#fff";
}
