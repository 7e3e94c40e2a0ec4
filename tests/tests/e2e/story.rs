//! Tests that run in every browser.

use anyhow::{Context as _, Result};
use futures_util::future::LocalBoxFuture;
use libtest_mimic::{Completion, Failed, Trial};
use rolecall_tests::Kind;
use tokio::runtime::Runtime;

/// A test for any browser.
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

    /// Runs it in one browser only, and says why not in the others.
    pub(crate) const fn only(self, kind: Kind, reason: &'static str) -> Self {
        Self { only: Some((kind, reason)), ..self }
    }

    /// The test in one browser, named `BROWSER::MODULE::STORY`.
    pub(crate) fn trial(&self, kind: Kind) -> Trial {
        let Self { name, tell, only } = *self;
        // Every path begins with the crate's name.
        let name = name.split_once("::").map_or(name, |(_, rest)| rest);
        Trial::ignorable_test(format!("{}::{name}", kind.name()), move || {
            if let Some((_, reason)) = only.filter(|(only, _)| *only != kind) {
                return Ok(Completion::ignored_with(reason));
            }
            // Several threads: a dropped session is closed while its thread waits for that.
            let runtime = Runtime::new().context("no runtime").map_err(|error| failed(&error))?;
            runtime.block_on(tell(kind)).map_err(|error| failed(&error))?;
            Ok(Completion::Completed)
        })
    }
}

fn failed(error: &anyhow::Error) -> Failed {
    format!("{error:?}").into()
}

/// Lists the stories of a module. A missing one is dead code, which the compiler reports. If a story cannot run in a
/// browser, write `story only in Kind because "reason"`; every run prints the reason.
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
