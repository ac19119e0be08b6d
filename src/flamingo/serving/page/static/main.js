// Puts the page together.

import { Api, ServerError } from "./api.js";
import { Conversation } from "./conversation.js";
import { byId, make } from "./elements.js";
import { EXAMPLES } from "./examples.js";
import { Files } from "./files.js";
import { keep } from "./keeping.js";
import { askForKey } from "./key_dialog.js";
import { notify } from "./notices.js";
import { showProblem } from "./problems.js";
import { Query } from "./query.js";
import { SetsDialog } from "./sets_dialog.js";
import { fitSettings, showSettings } from "./settings.js";
import { Sharing } from "./sharing.js";
import { Store } from "./store.js";
import { Supports } from "./supports.js";
import { fitTask, showTask } from "./task.js";

const store = new Store();
const api = new Api(askForKey);
let model = null;

const files = new Files(() => model?.flamingo?.limits ?? {}, {
  supports: (visuals) => supports.add(visuals),
  card: (id, visual) => supports.replaceAt(id, visual),
  query: (visual) => query.put(visual),
  set: (file) => sharing.openFile(file),
});
const choose = (wanted) => files.choose(wanted);
const supports = new Supports(store, choose);
const query = new Query(store, choose);
const sharing = new Sharing(store);
showTask(store);
showSettings(store);
new SetsDialog(store, api, sharing);
new Conversation(store, api, supports, () => model);

for (const [name, lesson] of EXAMPLES) {
  const click = () => sharing.put(lesson(), `Here is “${name}”. Press Ask.`);
  byId("examples").append(make("button", { type: "button", class: "chip suggested", on: { click } }, name));
}

async function meet() {
  try {
    model = await api.model();
    byId("model-name").textContent = model.id;
    byId("model").hidden = false;
    fitTask(model);
    fitSettings(model);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    showProblem("ask", error.message);
  }
}

await keep(store, notify);
store.dispatchEvent(new CustomEvent("change", { detail: "all" }));
document.documentElement.dataset.ready = "";
await meet();
