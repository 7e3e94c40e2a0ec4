//! The settings, as a file and as a policy, one put over the other.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_core::settings::{Layers, Reading};

fuzz_target!(|documents: (&str, &str)| {
    let policy = Reading::from_json(documents.0);
    let machine = Reading::from_toml(documents.1).unwrap_or_default();
    let effective = Layers { policy, machine, ..Layers::default() }.effective();
    for role in effective.roles() {
        assert!(effective.role(&role.value.key()).is_some());
    }
});
