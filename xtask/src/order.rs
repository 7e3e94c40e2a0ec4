//! Puts the functions of a module in the order in which they compress best: each next to those it has most in common with.
//!
//! gzip finds what repeats within 32 KB. By the names of functions, similar ones are neighbours by chance only.

use std::collections::BTreeMap;

use anyhow::Result;
use wasm_encoder::{NameMap, NameSection, RawSection};
use wasmparser::{Parser, Payload, TypeRef};

/// The module with other names of functions, by which `wasm-opt` then sorts them.
pub(crate) fn named_in_order(module: &[u8]) -> Result<Vec<u8>> {
    let (mut imported, mut bodies) = (0, Vec::new());
    let mut ordered = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        match &payload {
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(&module[body.range()]),
            Payload::CustomSection(section) if section.name() == "name" => continue,
            _ => {}
        }
        if let Some((id, range)) = payload.as_section() {
            ordered.section(&RawSection { id, data: &module[range] });
        }
    }
    let mut places: Vec<_> = order(&bodies).into_iter().zip(0_u32..).collect();
    places.sort_unstable();
    let mut functions = NameMap::new();
    for (index, (_, place)) in (imported..).zip(places) {
        functions.append(index, &format!("{place:06}"));
    }
    let mut names = NameSection::new();
    names.functions(&functions);
    ordered.section(&names);
    Ok(ordered.finish())
}

/// The order, by the indices of the bodies: the largest first, then always the one that shares most with the last few.
fn order(bodies: &[&[u8]]) -> Vec<usize> {
    let pieces: Vec<Vec<&[u8]>> = bodies.iter().map(|body| pieces(body)).collect();
    let mut having: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (index, pieces) in pieces.iter().enumerate() {
        for piece in pieces {
            having.entry(piece).or_default().push(index);
        }
    }
    // What only one has joins nobody.
    having.retain(|_, indices| (2..MOST).contains(&indices.len()));

    let mut left: Vec<usize> = (0..bodies.len()).collect();
    let mut shared = vec![0_usize; bodies.len()];
    let mut order: Vec<usize> = Vec::new();
    while !left.is_empty() {
        let merit = |index: usize| (shared[index] * 1_000 / length(bodies[index]), length(bodies[index]));
        let best = (0..left.len()).max_by_key(|at| merit(left[*at])).unwrap_or_default();
        let chosen = left.swap_remove(best);
        let mut count = |of: usize, sign: fn(usize, usize) -> usize| {
            for indices in pieces[of].iter().filter_map(|piece| having.get(piece)) {
                for index in indices {
                    shared[*index] = sign(shared[*index], WEIGHT / indices.len());
                }
            }
        };
        count(chosen, usize::wrapping_add);
        if let Some(gone) = order.len().checked_sub(NEAR) {
            count(order[gone], usize::wrapping_sub);
        }
        order.push(chosen);
    }
    order
}

/// Each run of a few bytes in a body, once.
fn pieces(body: &[u8]) -> Vec<&[u8]> {
    let mut pieces: Vec<_> = body.windows(PIECE).collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

/// A body's length, and a little for what comes with every function.
fn length(body: &[u8]) -> usize {
    body.len() + 40
}

/// How many bytes in a row are compared.
const PIECE: usize = 6;
/// Bytes that as many functions have tell nothing.
const MOST: usize = 400;
/// How many of the last functions count.
const NEAR: usize = 16;
/// What a run of bytes counts, shared out among all that have it.
const WEIGHT: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_functions_become_neighbours_and_none_is_lost() {
        let bodies: [&[u8]; 5] = [
            b"first, of one kind",
            b"SECOND, OF ANOTHER KIND",
            b"third",
            b"fourth, of one kind",
            b"FIFTH, OF ANOTHER KIND",
        ];
        assert_eq!(order(&bodies), [1, 4, 3, 0, 2]);
    }

    #[test]
    fn a_module_keeps_its_functions_and_each_is_named_by_its_place() {
        use wasm_encoder::{
            CodeSection, EntityType, Function, FunctionSection, ImportSection, Module, TypeSection,
        };

        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        imports.import("a", "b", EntityType::Function(0));
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        for number in [1, 123_456_789] {
            functions.function(0);
            let mut function = Function::new([]);
            function.instructions().i32_const(number).drop().end();
            code.function(&function);
        }
        let mut names = NameSection::new();
        names.module("before");
        module.section(&types).section(&imports).section(&functions).section(&code).section(&names);

        let sorted = named_in_order(&module.finish()).unwrap();
        // The larger of the two comes first; the imported one has no place.
        let mut found = BTreeMap::new();
        let (mut bodies, mut other_names) = (0, 0);
        for payload in Parser::new(0).parse_all(&sorted) {
            match payload.unwrap() {
                Payload::CodeSectionEntry(_) => bodies += 1,
                Payload::CustomSection(section) => {
                    let wasmparser::KnownCustom::Name(names) = section.as_known() else { panic!("no names") };
                    for part in names {
                        match part.unwrap() {
                            wasmparser::Name::Function(functions) => {
                                found.extend(
                                    functions
                                        .into_iter()
                                        .map(Result::unwrap)
                                        .map(|one| (one.index, one.name)),
                                );
                            }
                            _ => other_names += 1,
                        }
                    }
                }
                _ => {}
            }
        }
        assert_eq!((bodies, other_names), (2, 0));
        assert_eq!(found, BTreeMap::from([(1, "000001"), (2, "000000")]));
    }
}
