"use strict";
/** Scorecards: rows of one verdict, rows that hold a word, rows in another order.  Links to explorers. */

/** What a claim is ordered by: a number, or else a word. @returns {number|string} */
function rank(/** @type {HTMLElement} */ claim, /** @type {string} */ by) {
  const said = claim.dataset[by] ?? "";
  return by === "verdict" || by === "claim" ? said : said === "" ? Infinity : Number(said);
}

/** Put the claims of a table in order, or with the same column again in the reverse. */
function order(/** @type {HTMLTableElement} */ table, /** @type {string} */ by) {
  const claims = /** @type {HTMLElement[]} */ ([...table.tBodies]);
  const back = table.dataset.by === by && table.dataset.back !== "yes";
  claims.sort((one, other) => {
    const [a, b] = [rank(one, by), rank(other, by)];
    return (a < b ? -1 : a > b ? 1 : 0) * (back ? -1 : 1);
  });
  Object.assign(table.dataset, { by, back: back ? "yes" : "no" });
  table.classList.add("rearranged");
  table.append(...claims);
  for (const head of table.querySelectorAll("th"))
    head.setAttribute("aria-sort", head.dataset.by === by ? (back ? "descending" : "ascending") : "none");
}

/** Show the claims of a verdict that hold a word. */
function filter(/** @type {HTMLTableElement} */ table, /** @type {string} */ verdict, /** @type {string} */ word) {
  for (const claim of table.tBodies) {
    const text = `${claim.dataset.source ?? ""} ${claim.textContent}`.toLowerCase();
    claim.hidden = (verdict !== "" && claim.dataset.verdict !== verdict) || !text.includes(word.toLowerCase());
  }
  table.classList.toggle("rearranged", verdict !== "" || word !== "" || table.dataset.by !== undefined);
}

for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll("table.scorecard"))) {
  const verdicts = [...new Set(Array.from(table.tBodies, (claim) => claim.dataset.verdict ?? ""))];
  const list = document.createElement("select");
  list.setAttribute("aria-label", "Verdict");
  list.append(new Option("all verdicts", ""), ...verdicts.map((verdict) => new Option(verdict, verdict)));
  const word = document.createElement("input");
  Object.assign(word, { type: "search", placeholder: "a word of the claim or its source" });
  word.setAttribute("aria-label", "Word");
  const choices = document.createElement("p");
  choices.className = "choices";
  choices.append(list, word);
  table.parentElement?.before(choices);
  for (const control of [list, word]) control.addEventListener("input", () => filter(table, list.value, word.value));
  for (const head of table.querySelectorAll("th")) {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    button.addEventListener("click", () => order(table, head.dataset.by ?? "claim"));
    head.append(button);
  }
}

/**
 * Show an explorer that is within this file in another tab.  It is written there: in a tab with the address of a
 * blob, browsers follow no links of a page that came from a file.
 */
function openWithin(/** @type {Event} */ event, /** @type {string} */ text) {
  const tab = open("");
  if (!tab) return;
  event.preventDefault();
  tab.document.write(JSON.parse(text));
  tab.document.close();
}

// A report that was moved away from its folder has no explorer beside it: it says where that lies, and has no link.
const inItsFolder = /\/results\/[^/]+\/[^/]+$/.test(location.pathname);
for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a.explorer"))) {
  const study = link.dataset.study ?? "";
  const text = document.getElementById(`${study}-explorer-page`)?.textContent;
  if (text) link.addEventListener("click", (event) => openWithin(event, text));
  else if (!inItsFolder) link.href = `#${study}-explorer`;
}
