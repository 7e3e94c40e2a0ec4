//! The settings, as a file and as a policy, one put over the other: every entry of a role asks as strictly as the strictest one.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use rolecall_core::settings::{Layers, Reading};

fuzz_target!(|documents: (&str, &str)| {
    let policy = Reading::from_json(documents.0);
    let machine = Reading::from_toml(documents.1).unwrap_or_default();
    let effective = Layers { policy, machine, ..Layers::default() }.effective();
    let mut strictest = BTreeMap::new();
    for role in effective.roles() {
        let (role, provider) = effective.role(&role.value.key()).unwrap();
        let identity = (role.arn.account().as_str().to_owned(), role.arn.name().to_ascii_lowercase());
        let approve = role.approve(provider);
        assert_eq!(*strictest.entry(identity).or_insert(approve), approve);
        for source in effective.sources(role).unwrap() {
            assert!(source.approve(provider) <= approve);
        }
    }
});
