/** The tokens of an example. */

/** How many positions an example has, by its words. */
function lengthOf(/** @type {string[]} */ words) {
  return words.findLastIndex((word) => word !== "") + 1;
}

/** Words with their positions, so that two of the same can be told apart. */
function numberedWords(/** @type {string[]} */ words) {
  return words.map((word, position) => `${position} ${word}`);
}

/**
 * Tokens in a line; the pointer and the focus look at one, a click keeps it.
 * @param {string} title
 * @param {string[]} words
 * @param {(position: number, keep: boolean) => void} look
 */
function strip(title, words, look) {
  const each = words.map((word, position) => {
    const passing = () => look(position, false);
    const acts = { onmouseenter: passing, onfocus: passing, onclick: () => look(position, true) };
    return element("button", { type: "button", class: "token", ...acts }, word);
  });
  const tokens = element("span", { class: "tokens" }, ...each);
  return element("div", { class: "strip" }, element("span", { class: "name" }, title), tokens);
}

/**
 * Shade the tokens of a line by values, and mark one; they stay, so that the focus does.
 * @type {(line: Element, value: (position: number) => number, range: Extent, at: number) => void}
 */
function shade(line, value, range, at) {
  line.querySelectorAll("button").forEach((token, position) => {
    const colour = colourOf(value(position), range);
    token.setAttribute("style", `background:${css(colour)};color:${inkOn(colour)}`);
    token.setAttribute("aria-pressed", String(position === at));
    token.title = `position ${position}: ${number(value(position))}`;
  });
}
