/** Attention: all heads of an example or of a mean, one of them large; what a token looks at. */

VIEWS.attention = {
  title: "Attention",
  there: () => holding("attention").length > 0,
  async draw() {
    const inside = await insideOf("attention");
    const { array, where, shown: examples } = inside;
    const [step, shown_example] = [asked("minus"), asked("minus_example")];
    const less = Object.entries({ step, shown_example }).filter(([, label]) => label !== "");
    const other = less.length ? await insideOf("attention", { ...where, ...Object.fromEntries(less) }) : null;
    const length = Math.min(inside.words.length, other?.words.length ?? Infinity);
    const [words, roles] = [inside.words.slice(0, length), inside.roles.slice(0, length)];
    const here = shortened(await inside.of("attention"), length);
    const there = other && shortened(await other.of("attention"), length);
    const whole = there ? combined([here, there], ([one, two]) => one - two) : here;
    const range = other ? rangeOf(flat(whole), true) : SHARES;
    const chosen = headNow(whole);
    const large = table(pick(whole, chosen), "query", "key");
    const role = roles.includes(asked("role")) ? asked("role") : "";
    const kept = words.map((_, at) => at).filter((at) => !role || roles[at] === role);
    const names = numberedWords(words);
    const at = Math.min(Number(shown().position ?? length - 1), length - 1);
    const looked = element("div", {});
    const look = (/** @type {number} */ position) => lookAt(looked, words, large, range, position);
    look(at);
    const maps = headMaps(whole, "query", "key", range, {
      rows: kept.map((each) => names[each]), columns: names, value: (row, column) => large(kept[row], column),
      picked: [kept.indexOf(at), -1], over: (row) => look(kept[row]),
      pick: (row) => show({ position: kept[row] }),
    });
    const kinds = [...new Set(roles)];
    return {
      choices: [
        ...inside.choices, optional("Minus step", "minus", array.labels.step, step, number),
        optional("Minus example", "minus_example", examples, shown_example),
        ...(kinds.length > 1 ? [optional("Queries", "role", kinds, role)] : []),
      ],
      body: [maps, heading("A token, what it looks at and who looks at it"), looked],
      figure: attentionFigure(inside, other, { ...chosen, query: role ? kept : undefined }, words),
      held: [array.variable.exact],
    };
  },
};

/** The figure of one head, or of the difference of two places of it.
 * @type {(inside: Inside, other: Inside|null, at: Where, words: string[]) => string} */
function attentionFigure(inside, other, at, words) {
  const cells = { x: "key", y: "query", labels: { ...words } };
  if (!other) return insideFigure(inside, "attention", at, { ...cells, caption: "Attention of one head." });
  const [one, two] = [inside, other].map((each) => saidOf(each));
  const { dataset: { experiment }, where: { seed } } = inside;
  return pasted(named("attention_difference", experiment, at.layer, at.head), {
    data: [...new Set([one, two].flatMap((each) => each.data))],
    analyses: { ...one.analyses, ...two.analyses },
  }, {
    plot: "cell_map", experiment, seed, select: at, variable: "attention", ...cells, signed: true,
    panels: { difference: { data: one.data, select: one.select } },
    minus: { data: two.data, select: two.select }, caption: "Attention of one head, less that elsewhere.",
  });
}

/** Two lines of tokens: shaded by what one of them looks at, and by how much they look at it.
 * @type {(into: HTMLElement, words: string[], value: AtCell, range: Extent, at: number) => void} */
function lookAt(into, words, value, range, at) {
  const strip = (/** @type {string} */ title, /** @type {(position: number) => number} */ weight) => {
    const tokens = words.map((word, position) => {
      const colour = colourOf(weight(position), range);
      return element("button", {
        type: "button", class: "token", "data-key": `${title} ${position}`, onclick: () => show({ position }),
        style: `background:${css(colour)};color:${inkOn(colour)}`, "aria-pressed": String(position === at),
        title: `position ${position}: ${number(weight(position))}`,
        onmouseenter: () => position !== at && lookAt(into, words, value, range, position),
      }, word);
    });
    const name = element("span", { class: "name" }, title);
    return element("div", { class: "strip" }, name, element("span", { class: "tokens" }, ...tokens));
  };
  into.replaceChildren(
    element("p", { class: "told" }, `Token ${words[at]} at position ${at}`),
    strip("looks at", (key) => value(at, key)), strip("is looked at by", (query) => value(query, at)));
}
