// Elements. Text is only ever set as text.

/**
 * @param {string} name
 * @param {Readonly<Record<string, string | number>>} attributes
 * @param {readonly (Node | string)[]} children
 */
export function html(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/**
 * @param {string} name
 * @param {Readonly<Record<string, string | number>>} attributes
 * @param {readonly (Node | string)[]} children
 */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, typeof value === "number" ? String(Math.round(value * 100) / 100) : value);
  }
  made.append(...children);
  return made;
}

/** @param {string} id */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * @param {readonly string[]} header
 * @param {readonly (readonly (Node | string)[])[]} rows
 * @param {readonly number[]} numbers columns to set to the right
 */
export function tableOf(header, rows, numbers) {
  /** @param {string} name @param {readonly (Node | string)[]} cells */
  const line = (name, cells) =>
    html("tr", {}, ...cells.map((cell, k) => html(name, numbers.includes(k) ? { class: "number" } : {}, cell)));
  const head = line("th", header);
  for (const cell of head.children) cell.setAttribute("scope", "col");
  return html("table", {}, html("thead", {}, head), html("tbody", {}, ...rows.map((row) => line("td", row))));
}
