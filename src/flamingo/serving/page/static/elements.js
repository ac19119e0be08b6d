// Elements of the page, made and found.

const ICONS = new URL("icons.svg", import.meta.url).href;
const SVG = "http://www.w3.org/2000/svg";

/** The element of index.html with this id. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element with the id ${id}`);
  return found;
}

/**
 * A new element.
 *
 * @param {string} tag
 * @param {object} attributes `on` holds event listeners, `style` custom properties; true is an
 *   attribute without a value, false and null leave it out.
 * @param {...(Node|string|null)} children
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (name === "style") {
      // Set one by one: the page's policy refuses a style attribute.
      for (const [property, to] of Object.entries(value)) made.style.setProperty(property, to);
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A picture from icons.svg, which screen readers pass over. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${ICONS}#${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows an icon alone; its label is read and shown on hover. */
export function iconButton(name, label, click, kind = "") {
  const attributes = { type: "button", class: `icon-button ${kind}`.trim(), title: label };
  return make("button", { ...attributes, "aria-label": label, on: { click } }, icon(name));
}

/** A button with a word, and an icon before it. */
export function wordButton(name, word, click, kind = "") {
  const attributes = { type: "button", class: `button ${kind}`.trim(), on: { click } };
  return make("button", attributes, icon(name), word);
}
