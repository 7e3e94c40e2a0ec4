// The popup: starts the WebAssembly module that binds the page.

import init, { popup } from "./wasm/rolecall_extension.js";

popup(...await connected(init));
