// Runs before anything else of a page: wakes the background, which may be asleep, so that it starts while the page loads.
// What it says before the page's module runs is kept, and handed over with the port. A question's port ends with its id,
// which is in the page's address.

{
  const api = globalThis.browser ?? globalThis.chrome;
  const { port: prefix } = document.currentScript.dataset;
  const name = prefix.endsWith(" ") ? prefix + location.hash.slice(1) : prefix;
  const port = api.runtime.connect({ name });
  const early = [];
  const keep = (message) => early.push(message);
  let gone = false;
  port.onMessage.addListener(keep);
  port.onDisconnect.addListener(() => { gone = true; void api.runtime.lastError; });

  // Firefox compiles a module anew for each page, but its background is a page as well and has it compiled while it runs.
  // Chromium shares what is compiled by itself.
  const load = () => fetch("wasm/rolecall_extension_bg.wasm");
  const wasm = api.extension?.getBackgroundPage?.()?.compiled ?? load();

  // Gives what the page's module is started with.
  globalThis.connected = async (init) => {
    // A background that was stopped since has taken its module with it.
    await init({ module_or_path: wasm }).catch(() => init({ module_or_path: load() }));
    port.onMessage.removeListener(keep);
    return [gone ? undefined : port, early];
  };
}
