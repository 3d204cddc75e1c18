/** Elements of the page. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and children; an attribute that begins with "on" is a listener.
 * @returns {any}
 */
function element(
  /** @type {string} */ tag,
  /** @type {Object<string, any>} */ attributes = {},
  /** @type {(Node|string|null)[]} */ ...children
) {
  return furnished(document.createElement(tag), attributes, children);
}

/** The same, of a drawing. @returns {any} */
function drawn(
  /** @type {string} */ tag,
  /** @type {Object<string, any>} */ attributes = {},
  /** @type {(Node|string|null)[]} */ ...children
) {
  return furnished(document.createElementNS(SVG, tag), attributes, children);
}

/** @returns {Element} */
function furnished(
  /** @type {Element} */ made,
  /** @type {Object<string, any>} */ attributes,
  /** @type {(Node|string|null)[]} */ children,
) {
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
