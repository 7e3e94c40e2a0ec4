//! Removes the code of panics from a module.
//!
//! A browser has no stderr: the message, its formatting, the source location and the backtrace with its demangler are
//! of no use. The standard library is precompiled, so the functions are replaced afterwards, by name: each becomes the
//! trap that it ends in. A function that a later standard library names differently stays, and only costs its size.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use rustc_demangle::demangle;
use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module, ModuleConfig};

/// Reads a module with function names, and removes panics from it.
pub(crate) fn removed(bytes: &[u8]) -> Result<Module> {
    let mut module =
        ModuleConfig::new().generate_producers_section(false).parse(bytes).context("not a module")?;
    let names = |module: &Module| {
        let named =
            module.funcs.iter_local().filter_map(|(id, _)| Some((id, module.funcs.get(id).name.as_ref()?)));
        named
            .map(|(id, name)| (id, format!("{:#}", demangle(name))))
            .collect::<BTreeMap<FunctionId, String>>()
    };
    for (id, _) in names(&module).into_iter().filter(|(_, name)| is_panic(name)) {
        let signature = module.types.get(module.funcs.get(id).ty());
        let (params, results) = (signature.params().to_vec(), signature.results().to_vec());
        let args = params.iter().map(|param| module.locals.add(*param)).collect();
        let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
        builder.func_body().unreachable();
        module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(args));
    }
    Ok(module)
}

/// Whether a function never returns and ends in a trap, or is only called by such functions.
fn is_panic(name: &str) -> bool {
    let name = name.trim_start_matches(['<', '&']);
    OF_PANICS.iter().any(|prefix| name.starts_with(prefix))
}

const OF_PANICS: [&str; 19] = [
    "__rustc::rust_begin_unwind",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::raw_vec::handle_error",
    "core::cell::panic_already_",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::panicking::",
    "core::result::unwrap_failed",
    "core::slice::copy_from_slice_impl::len_mismatch_fail",
    "core::slice::index::slice_index_fail",
    "core::str::slice_error_fail",
    // WebAssembly has no frames to show.
    "rustc_demangle::",
    "std::backtrace::Backtrace as core::fmt::",
    "std::backtrace_rs::",
    "std::panicking::panic_handler",
    "std::panicking::panic_with_hook",
    "std::panicking::default_hook",
    "std::sys::backtrace::",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_return_are_not_panics() {
        assert!(
            is_panic("core::panicking::panic_fmt")
                && is_panic("<&rustc_demangle::Demangle as core::fmt::Display>::fmt")
        );
        for name in ["std::panicking::panic_count::is_zero_slow_path", "core::result::Result<T,E>::map"] {
            assert!(!is_panic(name), "{name}");
        }
    }
}
