//! The messages between ui, worker, host and command line.
//!
//! ```text
//! ui ──[ui::Intent]──► worker ──[host::ToHost]──► host ◄──[agent::AgentRequest]── rolecall command
//! ui ◄──[ui::ToPage]── worker ◄──[host::ToWorker]─ host ──[agent::AgentResponse]─► rolecall command
//! ```
//!
//! Everything is JSON. Between worker and host it travels in native-messaging frames, between host and command
//! line in the same frames over a socket ([`frame`]); long lists travel in pages ([`page`]). `docs/protocol.md`
//! describes it.

pub mod agent;
pub mod frame;
pub mod host;
pub mod page;
pub mod role_table;
pub mod ui;

#[cfg(test)]
mod tests {
    use serde_json::Value;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::agent::{AgentRequest, AgentResponse};
    use super::host::{ToHost, ToWorker};
    use crate::json::{self, ReadJson, WriteJson};

    const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

    /// The examples under the heading that names a type.
    fn examples(type_name: &str) -> Vec<&'static str> {
        let heading = format!("### `{type_name}`");
        let section = DOCUMENT.split(&heading).nth(1).unwrap().split("\n#").next().unwrap();
        section.split("```json\n").skip(1).map(|block| block.split("\n```").next().unwrap()).collect()
    }

    fn come_out_as_they_are<T: ReadJson + WriteJson>(examples: &[&str]) {
        for example in examples {
            let message: T = json::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
            let expected: Value = serde_json::from_str(example).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&json::to_string(&message)).unwrap(), expected);
        }
    }

    #[test]
    fn the_documented_messages_are_the_messages() {
        let (to_host, to_worker) = (examples("ToHost"), examples("ToWorker"));
        come_out_as_they_are::<ToHost>(&to_host);
        come_out_as_they_are::<ToWorker>(&to_worker);
        let agent = [examples("AgentRequest"), examples("AgentResponse")];
        come_out_as_they_are::<AgentRequest>(&agent[0]);
        come_out_as_they_are::<AgentResponse>(&agent[1]);
        let all = [to_host, to_worker].concat().join("\n");
        for kind in [
            "hello",
            "settings",
            "settingsRevision",
            "writeProfile",
            "removeProfile",
            "profileRemoved",
            "sendHttp",
            "forget",
            "credentials",
            "console",
            "consoleUrl",
            "status",
            "signOut",
            "profileWritten",
            "http",
            "httpFailed",
            "done",
            "cancel",
        ] {
            assert!(all.contains(&format!("\"{kind}\"")), "docs/protocol.md has no example of {kind}");
        }
    }
}
