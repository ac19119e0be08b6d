// Where the answer looked: attention over the query, laid on its picture.

import { byId, make } from "./elements.js";
import { pictureOf } from "./picture.js";

// From what was passed over to what was looked at, dark to bright.
const FAINTEST = 0.4; // cover where nothing was looked at, so that the picture stays visible
const RAMP = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];

/**
 * Shows attention over a visual.
 *
 * @param {object} visual
 * @param {object|null} explanation with attention [frames][rows][columns], and its area where the
 *   picture goes from 0 to 1; nothing is shown without them.
 */
export function showHeatMap(visual, explanation) {
  const { attention = null, area = [0, 0, 1, 1] } = explanation ?? {};
  const place = byId("heat-map");
  place.hidden = !attention;
  if (!attention) return;
  const canvas = make("canvas", { class: "heat", role: "img", "aria-label": inWords(attention) });
  const picture = pictureOf(visual, "The query");
  byId("heat-picture").replaceChildren(picture, canvas);
  const [left, top, right, bottom] = area;
  for (const [name, value] of Object.entries({ left, top, width: right - left, height: bottom - top })) {
    canvas.style.setProperty(name, `${100 * value}%`);
  }
  const strength = byId("heat-strength");
  const overlay = () => canvas.style.setProperty("--strength", strength.value / 100);
  strength.oninput = overlay;
  overlay();
  const frame = byId("heat-frame");
  frame.max = attention.length - 1;
  frame.value = attention.indexOf(mostSeen(attention));
  byId("heat-frame-field").hidden = attention.length < 2;
  const highest = Math.max(...attention.flat(2));
  const show = () => {
    paint(canvas, attention[frame.value], highest);
    byId("heat-frame-number").textContent = `${Number(frame.value) + 1} of ${attention.length}`;
    seek(picture.querySelector?.("video"), (Number(frame.value) + 0.5) / attention.length);
  };
  frame.oninput = show;
  show();
}

/** The frame that was looked at most. */
function mostSeen(attention) {
  const sum = (frame) => frame.flat().reduce((total, weight) => total + weight, 0);
  return attention.reduce((best, frame) => (sum(frame) > sum(best) ? frame : best));
}

function paint(canvas, rows, highest) {
  canvas.width = rows[0].length;
  canvas.height = rows.length;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  rows.flat().forEach((weight, i) => {
    const share = weight / highest;
    pixels.data.set([...colorOf(share), 255 * (FAINTEST + (1 - FAINTEST) * share)], 4 * i);
  });
  context.putImageData(pixels, 0, 0);
}

function colorOf(share) {
  const at = Math.min(1, Math.max(0, share)) * (RAMP.length - 1);
  const low = Math.min(RAMP.length - 2, Math.floor(at));
  return RAMP[low].map((value, channel) => value + (RAMP[low + 1][channel] - value) * (at - low));
}

function seek(video, place) {
  if (!video) return;
  video.pause();
  const go = () => {
    if (Number.isFinite(video.duration)) video.currentTime = place * video.duration;
  };
  if (video.readyState > 0) go();
  else video.addEventListener("loadedmetadata", go, { once: true });
}

/** The part of the picture that was looked at most, for those who do not see the map. */
function inWords(attention) {
  const rows = mostSeen(attention);
  let best = { weight: -1, row: 0, column: 0 };
  rows.forEach((line, row) => line.forEach((weight, column) => {
    if (weight > best.weight) best = { weight, row, column };
  }));
  const third = (at, count) => Math.min(2, Math.floor((3 * at) / count));
  const vertical = ["top", "", "bottom"][third(best.row, rows.length)];
  const horizontal = ["left", "", "right"][third(best.column, rows[0].length)];
  return `It looked most at the ${`${vertical} ${horizontal}`.trim() || "center"}.`;
}
