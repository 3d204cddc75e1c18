/** Elements of the page. */

/** @typedef {(tag: string, attributes?: Where, ...children: (Node|string|null)[]) => any} Maker */

/** An element; an attribute that begins with "on" is a listener. @type {Maker} */
const element = (tag, attributes = {}, ...children) =>
  furnished(document.createElement(tag), attributes, children);

/** The same, of a drawing. @type {Maker} */
const drawn = (tag, attributes = {}, ...children) =>
  furnished(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** @type {(made: Element, attributes: Where, children: (Node|string|null)[]) => Element} */
function furnished(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A drawing with a name. @type {(kind: string, label: string, size: Where) => any} */
const picture = (kind, label, size) =>
  drawn("svg", { class: kind, role: "img", "aria-label": label, ...size });

/** A heading of a part of a view. */
const heading = (/** @type {string} */ words) => element("h2", {}, words);

/** A remark. */
const remark = (/** @type {string} */ words) => element("p", { class: "remark" }, words);

/** The colour that the style gives a name, such as "ink". */
function ofStyle(/** @type {string} */ name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
