//! One line of the doctor's report.

use serde::Serialize;

use crate::output::{self, BAD, DIM, GOOD, WARN};

/// One checked item.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) state: State,
    what: String,
    /// The command or the step that fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    Warn,
    Fail,
}

impl Finding {
    pub(super) fn ok(what: impl Into<String>) -> Self {
        Self { state: State::Ok, what: what.into(), fix: None }
    }

    pub(super) fn warn(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Warn, what: what.into(), fix: Some(fix.into()) }
    }

    pub(super) fn fail(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Fail, what: what.into(), fix: Some(fix.into()) }
    }

    pub(super) fn print(&self) -> Result<(), output::Failure> {
        let (style, word) = match self.state {
            State::Ok => (GOOD, "ok  "),
            State::Warn => (WARN, "warn"),
            State::Fail => (BAD, "fail"),
        };
        output::data(format_args!("{style}{word}{style:#}  {}", self.what))?;
        match &self.fix {
            Some(fix) => output::data(format_args!("      {DIM}{fix}{DIM:#}")),
            None => Ok(()),
        }
    }
}
