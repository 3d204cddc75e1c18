/** The page: its views, what is chosen, what is shown, and the figure of it. */

let drawing = 0;

/** Draw the view that the address names; what a later call draws counts. */
async function draw() {
  const mine = ++drawing;
  const now = shown();
  const name = [now.view, "training", ...Object.keys(VIEWS)].find((each) => VIEWS[each]?.there()) ?? "";
  if (!name) return;
  tabs(name);
  const main = /** @type {HTMLElement} */ (document.getElementById("view"));
  const form = /** @type {HTMLElement} */ (document.getElementById("choices"));
  try {
    const view = await VIEWS[name].draw();
    if (mine !== drawing) return;
    const focused = document.activeElement?.getAttribute("data-key");
    form.replaceChildren(...view.choices);
    main.replaceChildren(...view.body, held(view.held), asFigure(view.figure));
    if (focused) /** @type {HTMLElement|null} */ (form.querySelector(`[data-key="${CSS.escape(focused)}"]`))?.focus();
    main.dataset.view = name;
  } catch (error) {
    if (mine !== drawing) return;
    main.replaceChildren(element("p", { class: "problem", role: "alert" }, `This cannot be shown: ${error}`));
    console.error(error);
  }
  main.dataset.drawn = location.hash;
}

/** The names of the views, the one that is shown marked. */
function tabs(/** @type {string} */ name) {
  const links = Object.entries(VIEWS).filter(([, view]) => view.there()).map(([each, view]) => {
    const kept = ["experiment", "seed", "step", "shown_example", "layer", "head"];
    const now = shown();
    const hash = new URLSearchParams({ view: each, ...Object.fromEntries(kept.filter((key) => key in now).map((key) => [key, now[key]])) });
    return element("a", { href: `#${hash}`, "aria-current": each === name ? "page" : undefined }, view.title);
  });
  document.getElementById("views")?.replaceChildren(...links);
}

/** How exact values are and what is held. */
function held(/** @type {string[]} */ words) {
  return element("p", { class: "remark held" }, [...new Set(words)].join(" "));
}

/** The block of a spec that draws what is shown. */
function asFigure(/** @type {string} */ text) {
  if (!text) return "";
  const block = element("pre", { tabindex: "0" }, text);
  const copy = element("button", { type: "button", onclick: () => navigator.clipboard?.writeText(text) }, "Copy");
  return element("details", { class: "figure" }, element("summary", {}, "As a figure"), remark(`Into specs/${INDEX.study}.yaml, under the keys of these names:`), block, copy);
}

window.addEventListener("hashchange", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
draw();
