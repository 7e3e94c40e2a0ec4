//! What the question says, given the state: a pure function.

use rolecall_core::message::ui::{ApprovalState, Purpose, State};
use rolecall_core::time::{DateTime, TimeDelta, Utc};

use crate::words;

/// The question.
#[derive(Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) title: &'static str,
    /// "ACCOUNT / ROLE".
    pub(crate) role: String,
    pub(crate) arn: String,
    /// A CSS colour, as the settings have it: not checked.
    pub(crate) color: Option<String>,
    pub(crate) program: String,
    pub(crate) parent: Option<String>,
    pub(crate) advice: &'static str,
    /// Whether a yes may hold for a while.
    pub(crate) may_be_remembered: bool,
    /// For how long the program goes on waiting.
    pub(crate) time_left: String,
}

impl View {
    /// The question of this id. `None` when it is no longer asked.
    pub(crate) fn of(state: &State, id: u32, now: DateTime<Utc>) -> Option<Self> {
        let question = state.approvals.iter().find(|question| question.id == id)?;
        Some(Self {
            title: match question.purpose {
                Purpose::Credentials => words::MAY_PROGRAM_USE_ROLE,
                Purpose::Console => words::MAY_PROGRAM_OPEN_CONSOLE,
            },
            role: words::role_label(&question.account, question.role.arn.name()),
            arn: question.role.arn.to_string(),
            color: question.color.clone(),
            program: question
                .program
                .as_ref()
                .map_or_else(|| words::UNKNOWN_PROGRAM.to_owned(), |program| program.path.clone()),
            parent: question.program.as_ref().and_then(|program| program.parent.clone()),
            advice: match question.program {
                Some(_) => words::ADVICE,
                None => words::ADVICE_UNKNOWN,
            },
            may_be_remembered: question.may_be_remembered,
            time_left: words::still_waits(seconds_left(question, now)),
        })
    }
}

/// Whole seconds, begun ones included.
fn seconds_left(question: &ApprovalState, now: DateTime<Utc>) -> i64 {
    let left = (question.until - now).max(TimeDelta::zero());
    (left + TimeDelta::milliseconds(999)).num_seconds()
}

#[cfg(test)]
mod tests {
    use rolecall_core::message::host::Program;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn state() -> State {
        let question = ApprovalState {
            id: 7,
            role: crate::view::fixture::role("acme-dev", "Developer").key,
            account: "acme-dev".into(),
            color: None,
            program: Some(Program {
                path: "/usr/bin/aws".into(),
                parent: Some("/usr/bin/bash".into()),
                is_recognisable: true,
            }),
            purpose: Purpose::Credentials,
            may_be_remembered: true,
            until: DateTime::UNIX_EPOCH + TimeDelta::seconds(50),
        };
        State { approvals: vec![question], ..State::default() }
    }

    fn view(state: &State) -> View {
        View::of(state, 7, DateTime::UNIX_EPOCH + TimeDelta::milliseconds(7_500)).unwrap()
    }

    #[test]
    fn it_says_who_wants_what_and_for_how_long_the_program_waits() {
        let view = view(&state());
        assert_eq!(view.role, "acme-dev / Developer");
        assert_eq!(view.program, "/usr/bin/aws");
        assert_eq!(view.parent.as_deref(), Some("/usr/bin/bash"));
        assert_eq!(view.time_left, "The program will wait for 43 more seconds.");
        assert!(view.may_be_remembered);
    }

    #[test]
    fn a_program_that_is_not_known_is_said_not_to_be_known() {
        let mut state = state();
        state.approvals[0].program = None;
        let view = view(&state);
        assert_eq!((view.program.as_str(), view.parent), ("Unknown", None));
        assert_ne!(view.advice, words::ADVICE);
    }

    #[test]
    fn another_question_is_never_shown_in_its_place() {
        assert_eq!(View::of(&state(), 8, DateTime::UNIX_EPOCH), None);
        assert_eq!(View::of(&State::default(), 7, DateTime::UNIX_EPOCH), None);
    }

    #[test]
    fn the_last_second_is_one_second() {
        let at = |seconds| {
            View::of(&state(), 7, DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)).unwrap().time_left
        };
        assert_eq!(at(49), "The program will wait for 1 more second.");
        assert_eq!(at(50), "The program is no longer waiting.");
        assert_eq!(at(60), "The program is no longer waiting.");
    }
}
