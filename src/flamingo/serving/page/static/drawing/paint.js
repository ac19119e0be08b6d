// Draws stamps and strokes on a canvas, pixel by pixel where it has to look as in training.

import { OUTLINES, PATTERNS } from "./outlines.js";
import { BACKGROUNDS, COLORS, DIAMETERS, PENS, css } from "./palette.js";

/** Side of a drawn picture in pixels. */
export const SIDE = 256;

const REACH = 1.25; // no shape goes further from its center, in radii
const DARK = 0.45; // brightness of a texture's dark parts

/**
 * Draws all of a drawing: {background, marks}. A mark is a stamp {shape, color, size, texture, x,
 * y, turn, phase} or a stroke {color, size, points}; places are fractions of the side.
 */
export function paintDrawing(context, drawing) {
  const { width, height } = context.canvas;
  context.fillStyle = css(BACKGROUNDS[drawing.background]);
  context.fillRect(0, 0, width, height);
  for (const mark of drawing.marks) paintMark(context, mark, drawing.background);
}

/** Draws one stamp or stroke; a stroke of the color "background" takes away what it covers. */
export function paintMark(context, mark, background = "white") {
  if (mark.points) paintStroke(context, mark, background);
  else paintStamp(context, mark);
}

/** The drawing as a PNG in a data: URL. */
export function pngOf(drawing, side = SIDE) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  paintDrawing(canvas.getContext("2d", { willReadFrequently: true }), drawing);
  return canvas.toDataURL("image/png");
}

function paintStroke(context, stroke, background) {
  const side = context.canvas.width;
  const points = stroke.points.map(([x, y]) => [x * side, y * side]);
  context.strokeStyle = css(COLORS[stroke.color] ?? BACKGROUNDS[background]);
  context.lineWidth = PENS[stroke.size] * side;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...points[0]);
  // Through the middles between points, so that the line has no corners.
  for (let i = 1; i < points.length - 1; i += 1) {
    const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
  context.lineTo(...points.at(-1));
  context.stroke();
}

function paintStamp(context, stamp) {
  const side = context.canvas.width;
  const radius = (stamp.radius ?? DIAMETERS[stamp.size] / 2) * side;
  const [centerX, centerY] = [stamp.x * side, stamp.y * side];
  const [left, right] = span(centerX, radius, side);
  const [top, bottom] = span(centerY, radius, side);
  if (left >= right || top >= bottom) return;
  const box = context.getImageData(left, top, right - left, bottom - top);
  const [cos, sin] = [Math.cos(stamp.turn ?? 0) / radius, Math.sin(stamp.turn ?? 0) / radius];
  const [outline, color] = [OUTLINES[stamp.shape], COLORS[stamp.color]];
  for (let row = top, at = 0; row < bottom; row += 1) {
    for (let column = left; column < right; column += 1, at += 4) {
      const [dx, dy] = [column + 0.5 - centerX, row + 0.5 - centerY];
      const [u, v] = [dx * cos + dy * sin, dy * cos - dx * sin];
      const cover = Math.min(1, Math.max(0, 0.5 - outline(u, v) * radius));
      if (cover === 0) continue;
      const light = brightness(stamp, u, v, stamp.grain ?? (radius * 64) / side);
      const isPainted = box.data[at + 3] > 0;
      for (let channel = 0; channel < 3; channel += 1) {
        const [before, paint] = [box.data[at + channel], color[channel] * light];
        box.data[at + channel] = isPainted ? before + (paint - before) * cover : paint;
      }
      if (!isPainted) box.data[at + 3] = 255 * cover;
    }
  }
  context.putImageData(box, left, top);
}

function brightness(stamp, u, v, toPixels) {
  const pattern = PATTERNS[stamp.texture];
  if (!pattern) return 1;
  const [x, y] = stamp.phase ?? [0, 0];
  const darkness = pattern(u * toPixels + x, v * toPixels + y) * 2 + 0.5;
  return 1 - (1 - DARK) * Math.min(1, Math.max(0, darkness));
}

function span(center, radius, side) {
  const reach = REACH * radius + 1;
  return [Math.max(0, Math.floor(center - reach)), Math.min(side, Math.ceil(center + reach))];
}
