// Keeps the lesson in the browser, so that it survives a reload.

const DATABASE = "flamingo-page";
const TABLE = "kept";
const KEY = "lesson";
const QUIET = 400; // milliseconds without a change before it is written

/**
 * Brings back what was kept, and from then on keeps every change.
 *
 * @param {Store} store
 * @param {(problem: string) => void} warn says, once, that the browser does not keep it.
 */
export async function keep(store, warn) {
  let database;
  try {
    database = await opened();
    const kept = await done(database.transaction(TABLE).objectStore(TABLE).get(KEY));
    if (kept) store.replace(kept);
  } catch {
    warn("This browser keeps nothing for the page: what you make is gone after a reload.");
    return;
  }
  let timer = 0;
  let hasWarned = false;
  const write = async () => {
    try {
      const table = database.transaction(TABLE, "readwrite").objectStore(TABLE);
      await done(table.put(store.lesson, KEY));
    } catch {
      if (!hasWarned) warn("The browser has no room for these pictures. Save them as a file.");
      hasWarned = true;
    }
  };
  store.addEventListener("change", () => {
    clearTimeout(timer);
    timer = setTimeout(write, QUIET);
  });
  addEventListener("pagehide", write);
}

function opened() {
  const request = indexedDB.open(DATABASE, 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore(TABLE));
  return done(request);
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}
