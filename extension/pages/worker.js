// The background: registers listeners and starts the WebAssembly module that does everything else.
//
// - The import is static: a service worker in Chromium refuses import().
// - Listeners are registered while this file is evaluated. A worker that was asleep is started again for an event,
//   and the event goes only to listeners that are there by then, long before the module has loaded.
// - So every event waits here for `ready` and is then handed to the export that bears its name, in order of arrival.

import init, * as worker from "./wasm/rolecall_extension.js";

const api = globalThis.browser ?? globalThis.chrome;

// What the background before showed last, which pages are sent until this one has started. Nothing else of what was
// stored is kept here, for it holds secrets.
let shown;

// The storage is read first. Loading the module at the same time would take both cores of a small machine, and a page that
// shows what is stored would wait for them.
const start = (session, ...others) => {
  for (const area of others) area.catch(() => {});
  shown = session.then(({ shownRoles, shownState }) => shownRoles && shownState && [shownRoles, shownState], () => {});
  const compile = () => WebAssembly.compileStreaming(fetch("wasm/rolecall_extension_bg.wasm"));
  return shown.then(compile).then(async (module) => {
    await init({ module_or_path: module });
    // Firefox's pages take it: see connect.js.
    globalThis.compiled = module;
    shown = undefined;
    return worker.start(session, ...others);
  });
};

const { session, local, managed } = api.storage;
const ready = start(session.get(null), local.get(null), managed.get(null));
ready.catch((error) => {
  shown = undefined;
  console.error("Rolecall could not start:", error);
});

// Hands an event to `worker[name]` once the module runs. A failure to start has been reported above, once.
const forward = (name) => (...details) => {
  ready.then(() => worker[name]?.(...details), () => {});
};

api.runtime.onInstalled.addListener(forward("on_installed"));
api.runtime.onStartup.addListener(forward("on_startup"));
api.alarms.onAlarm.addListener(forward("on_alarm"));
api.contextMenus.onClicked.addListener(({ linkUrl, pageUrl }) => forward("on_menu_clicked")(linkUrl ?? pageUrl));
api.omnibox.onInputChanged.addListener(forward("on_omnibox_changed"));
api.omnibox.onInputEntered.addListener(forward("on_omnibox_entered"));
api.permissions.onAdded.addListener(forward("on_permissions_changed"));
api.permissions.onRemoved.addListener(forward("on_permissions_changed"));
api.storage.onChanged.addListener((_, area) => {
  if (area === "managed") forward("on_policy_changed")();
});

// A message that arrives on a port nobody listens to is lost. What a page says before the module runs is kept and
// given to `on_connect` along with the port; a page that has gone by then is not announced at all.
api.runtime.onConnect.addListener((port) => {
  const early = [];
  const keep = (message) => early.push(message);
  let gone = false;
  port.onMessage.addListener(keep);
  port.onDisconnect.addListener(() => { gone = true; void api.runtime.lastError; });
  if (port.name === "ui") shown?.then((messages) => {
    if (messages && shown && !gone) for (const message of messages) port.postMessage(JSON.parse(message));
  });
  ready.then(() => {
    port.onMessage.removeListener(keep);
    if (!gone) worker.on_connect(port, early);
  }, () => port.disconnect());
});
