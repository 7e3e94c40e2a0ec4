//! The extension's WebAssembly module. The background and each page load it, and each of them calls its own exports.
//!
//! It is one module, since most of what pages need is in the background as well: reading and writing messages, the terms of
//! the settings, the standard library. Two modules weigh a tenth more, and a browser compiles one only once for both.

use rolecall_ui as _;
use rolecall_worker as _;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
