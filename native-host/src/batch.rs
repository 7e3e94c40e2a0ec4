//! Whether a person can answer a window.

use rolecall_core::sign_in::Presence;

/// No person can, if the command's option or `ROLECALL_BATCH` says so.
pub(crate) fn presence(batch: bool) -> Presence {
    let variable =
        || std::env::var_os("ROLECALL_BATCH").is_some_and(|value| !value.is_empty() && value != "0");
    if batch || variable() { Presence::Nobody } else { Presence::Person }
}
