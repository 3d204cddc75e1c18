/** The tokens of an example. */

/** How many positions an example has, by its words. */
function lengthOf(/** @type {string[]} */ words) {
  return words.findLastIndex((word) => word !== "") + 1;
}

/**
 * Tokens in a line, each shaded by a value; the pointer and the focus look at one, a click keeps it.
 * @param {string} title
 * @param {string[]} words
 * @param {(position: number) => number} value
 * @param {Extent} range
 * @param {number} at the position that is looked at
 * @param {(position: number, keep: boolean) => void} look
 */
function strip(title, words, value, range, at, look) {
  const each = words.map((word, position) => {
    const colour = colourOf(value(position), range);
    return element(
      "button",
      {
        type: "button", class: "token", "aria-pressed": String(position === at), title: `position ${position}: ${number(value(position))}`,
        style: `background:${css(colour)};color:${inkOn(colour)}`,
        onmouseenter: () => look(position, false), onfocus: () => look(position, false), onclick: () => look(position, true),
      },
      word,
    );
  });
  return element("div", { class: "strip" }, element("span", { class: "name" }, title), element("span", { class: "tokens" }, ...each));
}

/** Words with their positions, so that two of the same can be told apart. */
function numberedWords(/** @type {string[]} */ words) {
  return words.map((word, position) => `${position} ${word}`);
}
