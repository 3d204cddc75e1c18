/** Elements of the page. */

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {(tag: string, attributes?: Object<string, any>, ...children: (Node|string|null)[]) => any} Maker */

/** An element with attributes and children; an attribute that begins with "on" is a listener. @type {Maker} */
const element = (tag, attributes = {}, ...children) => furnished(document.createElement(tag), attributes, children);

/** The same, of a drawing. @type {Maker} */
const drawn = (tag, attributes = {}, ...children) => furnished(document.createElementNS(SVG, tag), attributes, children);

/** @type {(made: Element, attributes: Object<string, any>, children: (Node|string|null)[]) => Element} */
function furnished(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** A heading of a part of a view. */
function heading(/** @type {string} */ words) {
  return element("h2", {}, words);
}

/** A remark. */
function remark(/** @type {string} */ words) {
  return element("p", { class: "remark" }, words);
}

/** The colour that the style gives a name, such as "ink". */
function ofStyle(/** @type {string} */ name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
