// The question of one program: starts the WebAssembly module that binds the page.

import init, { approval } from "./wasm/rolecall_extension.js";

approval(...await connected(init));
