/** Attention: all heads of one example, one of them large, and a token that looks and is looked at. */

VIEWS.attention = {
  title: "Attention",
  there: () => isHeld("attention"),
  async draw() {
    const now = shown();
    const inside = await insideOf("attention");
    const { array, where, words, roles } = inside;
    const steps = array.labels.step;
    const other = now.minus && now.minus !== "none" ? steps[placeOf(steps, now.minus)] : undefined;
    const here = await inside.of("attention");
    const whole = other === undefined ? here : difference(here, await inside.of("attention", { step: other }));
    const range = other === undefined ? { low: 0, high: 1, signed: false } : signedRange(whole.values);
    const chosen = headNow(whole);
    const large = table(pick(whole, chosen), "query", "key");
    const kept = words.map((_, at) => at).filter((at) => !now.role || now.role === "all" || roles[at] === now.role);
    const names = numberedWords(words);
    const at = Math.min(Number(now.position ?? words.length - 1), words.length - 1);
    const looked = element("div", {});
    lookAt(looked, words, large, range, at);
    const map = heatmap({
      rows: kept.map((each) => names[each]), columns: names, value: (row, column) => large(kept[row], column), range,
      rowTitle: "query", columnTitle: "key", label: `Attention of layer ${chosen.layer}, head ${chosen.head}`,
      picked: kept.includes(at) ? [kept.indexOf(at), -1] : null,
      over: (row) => lookAt(looked, words, large, range, kept[row]), pick: (row) => show({ position: kept[row] }),
    });
    const choices = [
      ...choicesAlong(array, ["seed", "step", "shown_example"]),
      choice("Minus step", "minus", ["none", ...steps], other ?? "none", (label) => (label === "none" ? "–" : number(Number(label)))),
    ];
    if (roles.some((role) => role)) choices.push(choice("Queries", "role", ["all", ...new Set(roles)], now.role ?? "all"));
    return {
      choices,
      body: [
        element("div", { class: "beside" }, headMaps(whole, "query", "key", range), map),
        heading("A token, what it looks at and who looks at it"), looked,
      ],
      figure: insideFigure("attention", { x: "key", y: "query" }, { ...where, ...chosen }, words, "Attention of one head in one example."),
      held: [heldOf(inside.dataset, array.variable)],
    };
  },
};

/**
 * Two lines of tokens: shaded by what one of them looks at, and by how much they look at it.
 * @type {(into: HTMLElement, words: string[], value: (query: number, key: number) => number, range: Extent, at: number) => void}
 */
function lookAt(into, words, value, range, at) {
  const look = (/** @type {number} */ position, /** @type {boolean} */ keep) => {
    if (keep) show({ position });
    else if (into.dataset.at !== String(position)) lookAt(into, words, value, range, position);
  };
  if (into.dataset.at === undefined)
    into.replaceChildren(element("p", { class: "told" }), strip("looks at", words, look), strip("is looked at by", words, look));
  into.dataset.at = String(at);
  into.children[0].textContent = `Token ${words[at]} at position ${at}`;
  shade(into.children[1], (key) => value(at, key), range, at);
  shade(into.children[2], (query) => value(query, at), range, at);
}
