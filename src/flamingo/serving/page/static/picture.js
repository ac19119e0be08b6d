// Shows a visual: an image, or a clip that plays while it is looked at.

import { icon, make } from "./elements.js";

/**
 * An element that shows a visual.
 *
 * @param {object} visual
 * @param {string} label what screen readers say.
 */
export function pictureOf(visual, label) {
  if (visual.kind === "image") return make("img", { class: "picture", src: visual.url, alt: label });
  return visual.url.startsWith("data:image/") ? gif(visual, label) : video(visual, label);
}

function video(visual, label) {
  const attributes = { class: "picture", src: visual.url, loop: true, playsinline: true };
  const player = make("video", { ...attributes, preload: "auto", "aria-label": label });
  player.muted = true;
  const frame = make("span", { class: "clip" }, player, badge());
  onAttention(frame, () => player.play().catch(() => {}), () => player.pause());
  return frame;
}

function gif(visual, label) {
  // A GIF cannot be paused: its first frame covers it until it is looked at.
  const moving = make("img", { class: "picture", src: visual.url, alt: label });
  const still = make("canvas", { class: "picture still", "aria-hidden": "true" });
  moving.addEventListener("load", () => {
    still.width = moving.naturalWidth;
    still.height = moving.naturalHeight;
    still.getContext("2d").drawImage(moving, 0, 0);
  });
  const frame = make("span", { class: "clip" }, moving, still, badge());
  onAttention(frame, () => { still.hidden = true; }, () => { still.hidden = false; });
  return frame;
}

function badge() {
  return make("span", { class: "clip-badge" }, icon("play"), "clip");
}

/** Starts on hover, or when the button around it has the focus. */
function onAttention(frame, start, stop) {
  queueMicrotask(() => {
    const around = frame.closest("button") ?? frame;
    around.addEventListener("pointerenter", start);
    around.addEventListener("pointerleave", stop);
    around.addEventListener("focus", start);
    around.addEventListener("blur", stop);
  });
}
