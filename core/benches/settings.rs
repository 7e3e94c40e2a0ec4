//! How long the background takes over the settings of a large organisation: `cargo xtask bench` optimises this as the
//! background is optimised, and runs it in a browser's worker.

#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot make its settings has failed")]

use std::hint::black_box;

use rolecall_core::aws::RoleArn;
use rolecall_core::catalogue::{KeptCatalogue, fingerprint};
use rolecall_core::settings::{Layers, Reading, RoleKey};
use serde_json::{Value, json};
use wasm_bindgen_test::{Criterion, wasm_bindgen_bench, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_bench]
fn settings(criterion: &mut Criterion) {
    let many = layers(10_000, 1_000);
    criterion.bench_function("recompute", |bencher| bencher.iter(|| black_box(&many).effective()));
    for (name, layers, last) in [("look up in many", many, 10_000), ("look up in few", layers(100, 10), 100)]
    {
        let effective = layers.effective();
        let keys: Vec<_> =
            (0..last).map(|number| RoleKey::new("corp".parse().unwrap(), arn(number, last / 10))).collect();
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                for key in keys.iter().cycle().step_by(last / 100 + 1).take(1_000) {
                    assert!(black_box(&effective).role(key).is_some());
                }
            });
        });
    }
}

#[wasm_bindgen_bench]
fn catalogue(criterion: &mut Criterion) {
    let provider = "corp".parse().unwrap();
    let base = layers(0, 0);
    let kept = KeptCatalogue {
        url: CATALOGUE.parse().unwrap(),
        etag: None,
        text: json!({ "account": some_accounts(1_000), "role": some_roles(10_000, 1_000) }).to_string(),
    };
    criterion.bench_function("read a catalogue", |bencher| {
        bencher.iter(|| {
            let mut layers = base.clone();
            layers.catalogues.insert("corp".parse().unwrap(), black_box(&kept).read(&provider).unwrap());
            layers.effective()
        });
    });
    criterion.bench_function("compare a catalogue", |bencher| {
        bencher.iter(|| fingerprint(black_box(kept.text.as_bytes())));
    });
}

/// The machine's settings with so many roles in so many accounts.
fn layers(roles: usize, accounts: usize) -> Layers {
    let settings = json!({
        "provider": [{
            "id": "corp",
            "well_known_url": "https://auth.example.com/.well-known/openid-configuration",
            "client_id": "abcdef",
            "catalogue_url": CATALOGUE,
        }],
        "account": some_accounts(accounts),
        "role": some_roles(roles, accounts),
    });
    Layers { machine: Reading::from_json(&settings.to_string()), ..Layers::default() }
}

fn some_accounts(count: usize) -> Vec<Value> {
    let account = |number| json!({ "id": format!("{number:012}"), "alias": format!("account-{number}") });
    (0..count).map(account).collect()
}

fn some_roles(count: usize, accounts: usize) -> Vec<Value> {
    (0..count).map(|number| json!({ "provider": "corp", "arn": arn(number, accounts) })).collect()
}

fn arn(number: usize, accounts: usize) -> RoleArn {
    format!("arn:aws:iam::{:012}:role/role-{number}", number % accounts).parse().unwrap()
}

const CATALOGUE: &str = "https://roles.example.com/corp.json";
