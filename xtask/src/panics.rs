//! Removes the code and the data of panics from a module.
//!
//! A browser has no stderr: the message, its formatting, the source location and the backtrace with its demangler are
//! of no use. The standard library is precompiled, so the functions are replaced afterwards, by name: each becomes the
//! trap that it ends in. Panics also quote text by `Debug`, and nothing else in the extension does: that prints nothing. A
//! function that a later standard library names differently stays, and only costs its size.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use rustc_demangle::demangle;
use walrus::ir::Value;
use walrus::{
    ConstExpr, Data, DataKind, FunctionBuilder, FunctionId, FunctionKind, Module, ModuleConfig, ValType,
};

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
    for (id, name) in names(&module) {
        let signature = module.types.get(module.funcs.get(id).ty());
        let (params, results) = (signature.params().to_vec(), signature.results().to_vec());
        let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
        if is_panic(&name) {
            builder.func_body().unreachable();
        } else if is_debug(&name) && results == [ValType::I32] {
            // `Ok(())`.
            builder.func_body().i32_const(0);
        } else {
            continue;
        }
        let args = params.iter().map(|param| module.locals.add(*param)).collect();
        module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(args));
    }
    remove_locations(&mut module);
    Ok(module)
}

/// Fills the places of panics in the source with zeros, which take no room when compressed. Each is a
/// `core::panic::Location`: the address and the length of a file's name, a line and a column.
fn remove_locations(module: &mut Module) {
    let segments: Vec<_> = module.data.iter().filter_map(|data| Some((data.id(), address(data)?))).collect();
    let content = |at: usize, length: usize| {
        segments.iter().find_map(|(id, start)| {
            let from = at.checked_sub(*start)?;
            module.data.get(*id).value.get(from..from.checked_add(length)?)
        })
    };
    let is_file = |name: &[u8]| name.ends_with(b".rs") && name.iter().all(u8::is_ascii_graphic);
    let mut parts = Vec::new();
    for (id, start) in &segments {
        let end = start + module.data.get(*id).value.len();
        let mut at = start.next_multiple_of(4);
        while at < end {
            let word = |index: usize| {
                let bytes = content(at + 4 * index, 4)?.try_into().ok()?;
                usize::try_from(u32::from_le_bytes(bytes)).ok()
            };
            let location = || Some((word(0)?, word(1)?, word(2)? > 0 && word(3)? > 0));
            at += match location() {
                Some((name, length, true)) if content(name, length).is_some_and(is_file) => {
                    parts.extend([(name, length), (at, 16)]);
                    16
                }
                _ => 4,
            };
        }
    }
    for (id, start) in segments {
        let value = &mut module.data.get_mut(id).value;
        for (at, length) in &parts {
            let from = at.wrapping_sub(start);
            if let Some(part) = value.get_mut(from..from.saturating_add(*length)) {
                part.fill(0);
            }
        }
    }
}

/// Where a segment begins in memory.
fn address(data: &Data) -> Option<usize> {
    match data.kind {
        DataKind::Active { offset: ConstExpr::Value(Value::I32(offset)), .. } => offset.try_into().ok(),
        _ => None,
    }
}

/// Whether a function never returns and ends in a trap, or is only called by such functions.
fn is_panic(name: &str) -> bool {
    let name = name.trim_start_matches(['<', '&']);
    OF_PANICS.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a function quotes text for a developer, which brings tables of what can be printed. No other implementation of
/// `Debug` is safe to remove: one that does the same as a `Display` is compiled to one function, under either name.
fn is_debug(name: &str) -> bool {
    ["<str as core::fmt::Debug>::fmt", "<char as core::fmt::Debug>::fmt"].contains(&name)
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

    #[test]
    fn only_quoted_text_is_not_printed() {
        assert!(is_debug("<str as core::fmt::Debug>::fmt"));
        for name in [
            "<rolecall_core::aws::arn::RoleArn as core::fmt::Debug>::fmt",
            "<&T as core::fmt::Debug>::fmt",
            "<str as core::fmt::Display>::fmt",
        ] {
            assert!(!is_debug(name), "{name}");
        }
    }

    #[test]
    fn locations_are_removed_and_nothing_else() {
        let mut module = Module::default();
        let memory = module.memories.add_local(false, false, 1, None, None);
        let mut bytes = b"core/src/url.rs\0a text\0\0".to_vec();
        bytes.extend([1024_u32, 15, 7, 3, 1040, 6, 7, 3].map(u32::to_le_bytes).concat());
        let kept = bytes[40..].to_vec();
        let kind = DataKind::Active { memory, offset: ConstExpr::Value(Value::I32(1024)) };
        let id = module.data.add(kind, bytes);
        remove_locations(&mut module);
        let value = &module.data.get(id).value;
        assert_eq!(value[..16], [0; 16]);
        assert_eq!(value[16..24], *b"a text\0\0");
        assert_eq!((&value[24..40], &value[40..]), (&[0; 16][..], kept.as_slice()));
    }
}
