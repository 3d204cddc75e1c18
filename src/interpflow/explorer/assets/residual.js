/** The residual stream: what the logit lens reads at each layer and position, and which parts made a logit. */

VIEWS.residual = {
  title: "Residual stream",
  there: () => isHeld("top"),
  async draw() {
    const now = shown();
    const inside = await insideOf("top");
    const { dataset, array, where, words } = inside;
    const [top, first, right, answer] = await Promise.all(["top", "top_output", "right", "answer"].map((name) => inside.of(name)));
    const what = now.show === "top" ? "top" : "right";
    const value = table(what === "top" ? pick(top, { rank: 0 }) : right, "lens_layer", "position");
    const best = table(pick(first, { rank: 0 }), "lens_layer", "position");
    const layers = right.labels.lens_layer;
    const last = layers.length - 1;
    const asked = table(right, "lens_layer", "position");
    const at = Math.min(Number(now.position ?? words.findIndex((_, each) => Number.isFinite(asked(last, each)))), words.length - 1);
    const row = now.lens === undefined ? last : placeOf(layers, now.lens);
    const list = element("div", {});
    /** Show the most probable outputs at a place. */
    const tell = (/** @type {number} */ layer, /** @type {number} */ position) => {
      const [p, output] = [top, first].map((each) => pick(each, { lens_layer: layers[layer], position }).values);
      const caption = `${capital(streamAfter(layers[layer]))}, at position ${position}, ${words[position]}`;
      list.replaceChildren(probabilities(p, output, pick(answer, { position }).values, dataset.labels.output, caption));
    };
    tell(row, Math.max(at, 0));
    const map = heatmap({
      rows: [...layers].reverse().map(streamAfter), columns: numberedWords(words), range: { low: 0, high: 1, signed: false },
      value: (down, column) => value(last - down, column), word: (down, column) => String(dataset.labels.output[best(last - down, column)]),
      rowTitle: "stream", columnTitle: "position", label: "Logit lens by layer and position", picked: [last - row, at],
      over: (down, column) => tell(last - down, column), pick: (down, column) => show({ position: column, lens: layers[last - down] }),
    });
    const words_ = what === "top" ? "Probability of the most probable output" : "Probability of the right answer";
    const figure = insideFigure(what, { x: "position", y: "lens_layer" }, what === "top" ? { ...where, rank: 0 } : where, words, `${words_}, as the logit lens reads it.`);
    const whose = (/** @type {string} */ each) => (each === "top" ? "most probable output" : "right answer");
    return {
      choices: [...choicesAlong(array, ["seed", "step", "shown_example"]), choice("Colours", "show", ["right", "top"], what, whose)],
      body: [
        remark(`${words_}; the words are those of the most probable output.`), map, heading("Most probable outputs"), list,
        ...(variableOf(dataset, "contribution") ? contributions(await inside.of("contribution"), Math.max(at, 0), words) : []),
      ],
      figure,
      held: [heldOf(dataset, right.variable)],
    };
  },
};

/** Where in the model the residual stream is read. */
function streamAfter(/** @type {Label} */ layers) {
  return layers === 0 ? "embedding" : `after layer ${Number(layers) - 1}`;
}

/**
 * A list of outputs with bars; the right ones are marked.
 * @param {number[]} p probabilities, the largest first
 * @param {number[]} output which outputs have them
 * @param {number[]} answer whether an output is right
 * @param {Label[]} names of the outputs
 * @param {string} caption
 */
function probabilities(p, output, answer, names, caption) {
  const rows = p.map((value, rank) => {
    const right = answer[output[rank]] === 1;
    const bar = element("span", { class: "share", style: `width:${Math.round((value || 0) * 120)}px` });
    const cells = [element("td", {}, `${names[output[rank]] ?? ""}${right ? " ✓ right" : ""}`), element("td", { class: "number" }, number(value)), element("td", {}, bar)];
    return element("tr", { class: right ? "right" : undefined }, ...cells);
  });
  return element("table", {}, element("caption", {}, caption), ...rows);
}

/** Bars of what each part of the model adds to the right logit at a position. */
function contributions(/** @type {Labelled} */ every, /** @type {number} */ position, /** @type {string[]} */ words) {
  const array = pick(every, { position });
  const most = Math.max(...array.values.map(Math.abs));
  const title = heading("Direct contributions to the right output's logit");
  if (!Number.isFinite(most)) return [title, remark(`Position ${position}, ${words[position]}, has no answer.`)];
  const rows = array.labels.part.map((part, at) => {
    const value = array.values[at];
    const width = Math.round((Math.abs(value) / (most || 1)) * 120);
    const style = `width:${width}px;background:${css(between(SIGNED, value < 0 ? 0.1 : 0.9))};margin-left:${value < 0 ? 120 - width : 120}px`;
    const bar = element("td", { class: "about" }, element("span", { class: "share", style }));
    return element("tr", {}, element("td", {}, String(part)), element("td", { class: "number" }, number(value)), bar);
  });
  return [title, remark(`At position ${position}, ${words[position]}; logits are centred over all outputs.`), element("table", {}, ...rows)];
}
