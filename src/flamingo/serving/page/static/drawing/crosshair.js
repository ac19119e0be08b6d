// Where the arrow keys are on a drawing, for the eye and in words.

const ARM = 9; // pixels

/** Draws a cross that is seen on light and on dark. */
export function crosshair(context, x, y) {
  const side = context.canvas.width;
  for (const [color, width] of [["white", 3], ["black", 1]]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x * side - ARM, y * side);
    context.lineTo(x * side + ARM, y * side);
    context.moveTo(x * side, y * side - ARM);
    context.lineTo(x * side, y * side + ARM);
    context.stroke();
  }
}

/** A place of a picture in words: "top left", "in the center". */
export function placeName(x, y) {
  const row = ["top", "", "bottom"][Math.min(2, Math.floor(y * 3))];
  const column = ["left", "", "right"][Math.min(2, Math.floor(x * 3))];
  return `${row} ${column}`.trim() || "in the center";
}
