// Starts a page. The background, which may be asleep, is woken by the port and starts while the page's own module loads:
// what it says before the module runs is kept and handed over with the port.

const api = globalThis.browser ?? globalThis.chrome;

export async function start(name, bind) {
  const port = api.runtime.connect({ name });
  const early = [];
  const keep = (message) => early.push(message);
  let gone = false;
  port.onMessage.addListener(keep);
  port.onDisconnect.addListener(() => { gone = true; });

  const wasm = fetch("wasm/rolecall_ui_bg.wasm");
  const ui = await import("./wasm/rolecall_ui.js");
  await ui.default({ module_or_path: wasm });

  port.onMessage.removeListener(keep);
  ui[bind](gone ? undefined : port, early);
}
