/** The page: its views, what is chosen, what is shown, and the figure of it. */

const KEPT = ["experiment", "seed", "step", "shown_example", "layer", "head"]; // from one view to the next

let drawing = 0;

/** Draw the view that the address names; what a later call draws counts. */
async function draw() {
  const mine = ++drawing;
  const name = [shown().view, "training", ...Object.keys(VIEWS)].find((each) => VIEWS[each]?.there()) ?? "";
  if (!name) return;
  tabs(name);
  const main = /** @type {HTMLElement} */ (document.getElementById("view"));
  const form = /** @type {HTMLElement} */ (document.getElementById("choices"));
  try {
    const view = await VIEWS[name].draw();
    if (mine !== drawing) return;
    const focused = document.activeElement?.getAttribute("data-key");
    form.replaceChildren(...view.choices);
    const held = element("p", { class: "remark held" }, [...new Set(view.held)].join(" "));
    main.replaceChildren(...view.body.filter((each) => each !== null), held, asFigure(view.figure));
    const again = focused ? document.querySelector(`[data-key="${CSS.escape(focused)}"]`) : null;
    /** @type {HTMLElement|null} */ (again)?.focus();
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
  const kept = Object.entries(shown()).filter(([key]) => KEPT.includes(key));
  const links = Object.entries(VIEWS).filter(([, view]) => view.there()).map(([each, view]) => {
    const hash = new URLSearchParams({ view: each, ...Object.fromEntries(kept) });
    return element("a", { href: `#${hash}`, "aria-current": each === name ? "page" : undefined }, view.title);
  });
  document.getElementById("views")?.replaceChildren(...links);
}

/** The block of a spec that draws what is shown. @returns {Node|string} */
function asFigure(/** @type {string} */ text) {
  if (!text) return "";
  const block = element("pre", { tabindex: "0" }, text);
  const act = () => navigator.clipboard?.writeText(text);
  return element("details", { class: "figure" },
    element("summary", {}, "As a figure"),
    remark(`Into specs/${INDEX.study}.yaml, under the keys of these names:`),
    block, element("button", { type: "button", onclick: act }, "Copy"));
}

addEventListener("hashchange", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
draw();
