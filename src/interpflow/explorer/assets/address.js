/** What is shown stands in the address, behind #, so that it can be linked to. */

/** What the address says. @returns {Object<string, string>} */
function shown() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** Show the same with some changes; "" takes a key out. */
function show(/** @type {Where} */ changes) {
  const kept = Object.entries({ ...shown(), ...changes }).filter(([, value]) => value !== "");
  history.replaceState(null, "", `#${new URLSearchParams(kept.map(([key, value]) => [key, String(value)]))}`);
  return draw();
}
