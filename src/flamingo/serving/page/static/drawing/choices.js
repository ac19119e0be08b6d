// What one can draw with: groups of radio buttons, so that arrow keys work in each.

import { icon, make } from "../elements.js";
import { paintMark } from "./paint.js";
import { BACKGROUNDS, COLORS, SHAPES, SIZES, TEXTURES, css } from "./palette.js";

const SWATCH = 56;
const GRAIN = 9.9; // textures as on a thing of medium size

/** Which tools make strokes instead of stamps. */
export const PEN_TOOLS = ["pen", "eraser"];

/**
 * Fills a form with the groups tool, size, color, texture and background.
 *
 * @param {HTMLElement} place
 * @param {object} chosen their present values; changes with them.
 * @param {(group: string) => void} changed
 */
export function showChoices(place, chosen, changed) {
  const choose = (group) => (value) => {
    chosen[group] = value;
    changed(group);
    refresh();
  };
  const stamps = SHAPES.map((shape) => [shape, swatch()]);
  const textures = TEXTURES.map((texture) => [texture, swatch()]);
  const pens = PEN_TOOLS.map((tool) => [tool, icon(tool)]);
  const refresh = () => {
    for (const [shape, canvas] of stamps) sample(canvas, { ...chosen, shape });
    const shape = PEN_TOOLS.includes(chosen.tool) ? "square" : chosen.tool;
    for (const [texture, canvas] of textures) sample(canvas, { ...chosen, shape, texture });
    const isPen = PEN_TOOLS.includes(chosen.tool);
    place.querySelector(".texture-group").disabled = isPen;
    place.querySelector(".color-group").disabled = chosen.tool === "eraser";
  };
  place.replaceChildren(
    group("Tool", "tool", [...stamps, ...pens], chosen, choose("tool")),
    group("Size", "size", SIZES.map(dot), chosen, choose("size")),
    group("Color", "color", paints(COLORS), chosen, choose("color")),
    group("Texture", "texture", textures, chosen, choose("texture")),
    group("Background", "background", paints(BACKGROUNDS), chosen, choose("background")),
  );
  refresh();
}

function group(title, name, options, chosen, choose) {
  const labels = options.map(([value, shown]) => {
    const attributes = { type: "radio", name: `draw-${name}`, value, "aria-label": value };
    const on = { change: () => choose(value) };
    const input = make("input", { ...attributes, checked: chosen[name] === value, on });
    return make("label", { class: "swatch", title: value }, input, shown);
  });
  const legend = make("legend", {}, title);
  const swatches = make("div", { class: "swatches" }, ...labels);
  return make("fieldset", { class: `choice-group ${name}-group` }, legend, swatches);
}

function paints(colors) {
  return Object.entries(colors).map(([name, color]) => [
    name,
    make("span", { class: "paint", style: { "--paint": css(color) } }),
  ]);
}

function dot(size, place) {
  return [size, make("span", { class: "dot", style: { "--dot": `${0.45 + 0.35 * place}rem` } })];
}

function swatch() {
  return make("canvas", { width: SWATCH, height: SWATCH });
}

function sample(canvas, { shape, color, texture }) {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.clearRect(0, 0, SWATCH, SWATCH);
  paintMark(context, { shape, color, texture, radius: 0.4, grain: GRAIN, x: 0.5, y: 0.5 });
}
