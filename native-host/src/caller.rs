//! Who started this program: a browser for an extension, or a person.

use std::ffi::OsString;

use rolecall_core::identity::HOST_NAME;
use rolecall_core::{Code, Problem, text};

use crate::browsers::Family;

/// The extension for which a browser started this program. Any local process can claim to be one: the check only keeps
/// other extensions out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    id: String,
    family: Family,
}

impl Caller {
    /// The extension named by the arguments after the program's name.
    ///
    /// Chromium passes the extension's origin (and on Windows a window's handle after it), Firefox the path of the
    /// host's manifest and the add-on's id (measured on Chromium 156 and Firefox 153).
    pub(crate) fn from_arguments(arguments: &[OsString]) -> Option<Self> {
        let first = arguments.first()?.to_str()?;
        if let Some(origin) = first.strip_prefix("chrome-extension://") {
            return Some(Self { id: origin.trim_end_matches('/').to_owned(), family: Family::Chromium });
        }
        let is_manifest = first.ends_with(&format!("{HOST_NAME}.json"));
        match arguments.get(1).and_then(|id| id.to_str()) {
            Some(id) if is_manifest && !id.starts_with('-') => {
                Some(Self { id: id.to_owned(), family: Family::Firefox })
            }
            _ => None,
        }
    }

    /// Accepts the product's own extension and those that the machine's settings allow.
    pub(crate) fn check(&self, allowed: &[String]) -> Result<(), Problem> {
        if self.id == self.family.extension_id() || allowed.contains(&self.id) {
            return Ok(());
        }
        let id = text::on_one_line(&self.id, 80);
        let message = format!("The extension \"{id}\" may not use the Rolecall host program.");
        Err(Problem::new(Code::CallerRefused, message))
    }
}

#[cfg(test)]
mod tests {
    use rolecall_core::identity::{CHROMIUM_EXTENSION_ID, FIREFOX_EXTENSION_ID};

    use super::*;

    fn caller(arguments: &[&str]) -> Option<Caller> {
        Caller::from_arguments(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn browsers_are_told_apart_from_people() {
        assert!(caller(&["chrome-extension://abc/"]).is_some());
        assert!(caller(&["chrome-extension://abc/", "--parent-window=0"]).is_some());
        assert!(caller(&["/home/p/.mozilla/native-messaging-hosts/dev.rolecall.host.json", "a@b"]).is_some());
        for arguments in [
            &["status"][..],
            &[],
            &["profile", "list"],
            &["settings", "import"],
            &["x/dev.rolecall.host.json"],
        ] {
            assert!(caller(arguments).is_none(), "{arguments:?}");
        }
    }

    #[test]
    fn only_the_own_extension_and_allowed_ones_are_accepted() {
        let own = format!("chrome-extension://{CHROMIUM_EXTENSION_ID}/");
        let manifest = "/x/dev.rolecall.host.json";
        assert!(caller(&[&own]).unwrap().check(&[]).is_ok());
        assert!(caller(&[manifest, FIREFOX_EXTENSION_ID]).unwrap().check(&[]).is_ok());
        let other = caller(&["chrome-extension://otherotherotherotherotherother/"]).unwrap();
        assert!(other.check(&[]).unwrap_err().is(Code::CallerRefused));
        assert!(other.check(&["otherotherotherotherotherother".to_owned()]).is_ok());
        for arguments in [
            &["chrome-extension://"][..],
            &[&format!("chrome-extension://{FIREFOX_EXTENSION_ID}/")],
            &[manifest, CHROMIUM_EXTENSION_ID],
            &[manifest, ""],
        ] {
            assert!(caller(arguments).unwrap().check(&[]).is_err(), "{arguments:?}");
        }
    }
}
