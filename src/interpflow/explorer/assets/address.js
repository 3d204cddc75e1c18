/** What is shown stands in the address, behind #, so that it can be linked to. */

/** What the address says. @returns {Object<string, string>} */
function shown() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** Show the same with some changes; "" takes a key out. With `step` the one before can be gone back to. */
function show(/** @type {Object<string, any>} */ changes, step = false) {
  const now = new URLSearchParams(location.hash.slice(1));
  for (const [key, value] of Object.entries(changes)) {
    if (value === "" || value === undefined) now.delete(key);
    else now.set(key, String(value));
  }
  history[step ? "pushState" : "replaceState"](null, "", `#${now}`);
  return draw();
}
