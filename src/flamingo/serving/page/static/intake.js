// Files become visuals; pictures that are too large for the server become smaller.

/** Why a file cannot be shown to the model. */
export class IntakeError extends Error {}

const KEPT_TYPES = ["image/png", "image/jpeg", "image/webp"];
const FALLBACK = { pixels: 24_000_000, visual_bytes: 24 * 2 ** 20, request_bytes: 48 * 2 ** 20 };
const BASE64 = 4 / 3; // characters of a data: URL per byte
const PER_REQUEST = 4; // so many of the largest pictures fit into one request
const SMALLER = 0.7; // of each side, when a picture still has too many bytes

/**
 * Reads an image or a clip.
 *
 * @param {File} file
 * @param {object} limits of the server.
 * @returns {Promise<object>} {url, kind, width, height, name, note}; the note says what was done.
 */
export async function readVisual(file, limits = {}) {
  const bounds = { ...FALLBACK, ...limits };
  const mostBytes = Math.min(bounds.visual_bytes, bounds.request_bytes / PER_REQUEST / BASE64);
  if (file.type.startsWith("video/")) return readClip(file, mostBytes);
  if (!file.type.startsWith("image/")) {
    throw new IntakeError(`${file.name} is neither a picture nor a clip. Give PNG, JPEG, GIF, MP4 …`);
  }
  if (file.type === "image/gif" && file.size <= mostBytes) return readGif(file);
  return readImage(file, mostBytes, bounds.pixels);
}

async function readImage(file, mostBytes, mostPixels) {
  const bitmap = await decoded(file);
  const { width, height } = bitmap;
  if (KEPT_TYPES.includes(file.type) && file.size <= mostBytes && width * height <= mostPixels) {
    return { url: await dataUrl(file), kind: "image", width, height, name: file.name, note: "" };
  }
  let scale = Math.min(1, Math.sqrt(mostPixels / (width * height)));
  let small = await drawnSmaller(bitmap, scale);
  while (small.blob.size > mostBytes) {
    scale *= SMALLER;
    small = await drawnSmaller(bitmap, scale);
  }
  const from = `${width} × ${height}`;
  const to = `${small.width} × ${small.height}`;
  const note = from === to ? "" : `Made smaller for the server: ${from} became ${to} pixels.`;
  const url = await dataUrl(small.blob);
  return { url, kind: "image", width: small.width, height: small.height, name: file.name, note };
}

async function decoded(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new IntakeError(`${file.name} cannot be read as a picture. Save it as PNG or JPEG.`);
  }
}

async function drawnSmaller(bitmap, scale) {
  const width = Math.max(1, Math.floor(bitmap.width * scale));
  const height = Math.max(1, Math.floor(bitmap.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  const isSmall = width * height <= 2 ** 18;
  const blob = await canvas.convertToBlob({ type: isSmall ? "image/png" : "image/jpeg", quality: 0.9 });
  return { blob, width, height };
}

async function readGif(file) {
  const { width, height } = await decoded(file);
  return { url: await dataUrl(file), kind: "clip", width, height, name: file.name, note: "" };
}

async function readClip(file, mostBytes) {
  if (file.size > mostBytes) {
    const [has, most] = [file.size, mostBytes].map((bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`);
    throw new IntakeError(`The clip ${file.name} has ${has}; the server takes ${most}. Cut it first.`);
  }
  return { url: await dataUrl(file), kind: "clip", width: 0, height: 0, name: file.name, note: "" };
}

/** A file or blob as a data: URL. */
function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(new IntakeError("The file cannot be read.")));
    reader.readAsDataURL(blob);
  });
}
