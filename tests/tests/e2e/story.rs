//! A test that every browser has to pass.

use anyhow::{Context as _, Result};
use futures_util::future::LocalBoxFuture;
use libtest_mimic::{Completion, Failed, Trial};
use rolecall_tests::Kind;
use tokio::runtime::Runtime;

/// What happens, in whichever browser.
#[derive(Clone, Copy)]
pub(crate) struct Story {
    name: &'static str,
    tell: Tell,
    only: Option<(Kind, &'static str)>,
}

type Tell = fn(Kind) -> LocalBoxFuture<'static, Result<()>>;

impl Story {
    pub(crate) const fn new(name: &'static str, tell: Tell) -> Self {
        Self { name, tell, only: None }
    }

    /// In one browser only, and why not in the others.
    pub(crate) const fn only(self, kind: Kind, reason: &'static str) -> Self {
        Self { only: Some((kind, reason)), ..self }
    }

    /// The story as a test in one browser, named `BROWSER::MODULE::STORY`.
    pub(crate) fn trial(&self, kind: Kind) -> Trial {
        let Self { name, tell, only } = *self;
        // The crate's own name leads every path.
        let name = name.split_once("::").map_or(name, |(_, rest)| rest);
        Trial::ignorable_test(format!("{}::{name}", kind.name()), move || {
            if let Some((_, reason)) = only.filter(|(only, _)| *only != kind) {
                return Ok(Completion::ignored_with(reason));
            }
            // Several threads: a session that is dropped is closed while its thread waits for that.
            let runtime = Runtime::new().context("no runtime").map_err(|error| failed(&error))?;
            runtime.block_on(tell(kind)).map_err(|error| failed(&error))?;
            Ok(Completion::Completed)
        })
    }
}

fn failed(error: &anyhow::Error) -> Failed {
    format!("{error:?}").into()
}

/// Lists the stories of a module. One that is left out is dead code, which the compiler tells. Where a browser cannot be
/// made to play its part, `story only in Kind because "reason"` says so, and so does every run.
#[macro_export]
macro_rules! stories {
    [$($story:ident $(only in $kind:ident because $reason:literal)?),* $(,)?] => {
        pub(crate) fn stories() -> Vec<$crate::story::Story> {
            vec![$($crate::story::Story::new(concat!(module_path!(), "::", stringify!($story)), |kind| {
                Box::pin($story(kind))
            })$(.only(rolecall_tests::Kind::$kind, $reason))?),*]
        }
    };
}
