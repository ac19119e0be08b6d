// The things and colors of the world in which the bundled miniature learned to see.

export const SHAPES = ["circle", "square", "triangle", "diamond", "star", "cross", "heart", "ring"];

export const COLORS = {
  red: [222, 36, 40],
  orange: [246, 134, 18],
  yellow: [244, 220, 36],
  green: [36, 168, 56],
  cyan: [36, 208, 224],
  blue: [40, 72, 232],
  purple: [142, 48, 190],
  pink: [252, 142, 192],
  black: [14, 14, 16],
  white: [242, 242, 240],
};

export const BACKGROUNDS = {
  white: [242, 242, 240],
  gray: [128, 128, 130],
  brown: [98, 62, 36],
  black: [14, 14, 16],
};

export const TEXTURES = ["solid", "striped", "dotted", "checkered"];

/** Diameter of a stamp as a fraction of the picture's side. */
export const DIAMETERS = { small: 0.22, medium: 0.31, large: 0.44 };

/** Width of a pen as a fraction of the picture's side. */
export const PENS = { small: 0.04, medium: 0.07, large: 0.12 };

export const SIZES = Object.keys(DIAMETERS);

/** A color for canvas and CSS. */
export function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}
