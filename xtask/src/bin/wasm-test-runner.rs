//! Runs a WebAssembly test binary in a browser: `wasm-bindgen-test-runner`, built from the same lock file as everything
//! else.

fn main() -> anyhow::Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
}
