// The popup: starts the WebAssembly module that binds the page.

import init, { popup } from "./wasm/rolecall_ui.js";

popup(...await connected(init));
