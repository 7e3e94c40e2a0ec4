//! What is shown: lists, differences, notes. Secrets never are.

use rolecall_host::aws_files::{Mode, Options, Owner};

use crate::home::{Home, file, name, process};

#[test]
fn the_list_has_rolecalls_profiles_and_no_secret() {
    let home = Home::with("[default]\nregion = x\n", "[old]\naws_secret_access_key = s\n");
    home.apply(&process("dev")).unwrap();
    home.apply(&file("prod")).unwrap();
    let list = home.files().list().unwrap();
    assert_eq!(
        list.iter().map(|p| (p.name.as_str(), p.mode)).collect::<Vec<_>>(),
        [("dev", Mode::Process), ("prod", Mode::File)]
    );
    assert_eq!(list[0].settings[1], ("region".to_owned(), "eu-west-1".to_owned()));
    assert_eq!(list[0].line, 4);
    assert_eq!(list[1].expires.as_deref(), Some("2031-05-17T12:00:00Z"));
    assert!(!format!("{list:?}").contains("Secret"));
}

#[test]
fn an_inspection_says_whose_each_section_is() {
    let home = Home::with("[profile dev]\noutput = json\n", "");
    home.force(&file("dev")).unwrap();
    let inspection = home.files().inspect(&name("dev")).unwrap();
    let owners: Vec<_> =
        inspection.sections.iter().map(|section| (section.owner, section.keys.len())).collect();
    assert_eq!(owners, [(Owner::Other, 1), (Owner::Rolecall, 5)]);
    assert!(home.files().inspect(&name("nobody")).unwrap().sections.is_empty());
}

#[test]
fn a_difference_masks_every_secret_ours_and_theirs() {
    let theirs = "# aws_secret_access_key = commentedSecret\n[mine]\naws_access_key_id = AKIASECRET1\n\
                  aws_secret_access_key=mySecret2\n  continuedSecret3\naws_session_token mySecret4=\n";
    let home = Home::with("", theirs);
    let plan = home.files().plan(&file("dev"), &Options::default());
    // A key without `=` makes the file unreadable for everybody; without it, the rest shows.
    assert!(plan.is_ok(), "{plan:?}");
    let plan = plan.unwrap();
    let diff = plan.diff();
    let debug = format!("{plan:?}");
    for secret in [
        "AKIASECRET1",
        "Secret2",
        "Secret3",
        "Secret4",
        "commentedSecret",
        "very/Secret+Key",
        "VerySecretToken",
    ] {
        assert!(!diff.contains(secret) && !debug.contains(secret), "{secret} in {diff}{debug}");
    }
    assert!(diff.contains("+aws_secret_access_key = ********\n"), "{diff}");
    assert!(diff.contains("+region = eu-west-1\n"), "{diff}");
}

#[test]
fn a_difference_shows_control_characters_instead_of_sending_them_to_the_terminal() {
    let home = Home::with("[profile a]\noutput = \u{1b}[31mred\n", "");
    let diff = home.files().plan(&process("dev"), &Options::default()).unwrap().diff();
    assert!(diff.contains("\u{fffd}[31mred") && !diff.contains('\u{1b}'), "{diff}");
}

#[test]
fn a_plan_writes_nothing_and_leaves_nothing() {
    let home = Home::with("[default]\n", "");
    let plan = home.files().plan(&process("dev"), &Options::default()).unwrap();
    assert!(!plan.is_empty() && plan.files().eq([home.config()]));
    assert_eq!(home.names(), ["config", "credentials"]);
    assert_eq!(home.read_config().unwrap(), b"[default]\n");
}

#[test]
fn what_only_some_tools_can_read_is_noted() {
    let home = Home::with("[profile a]\nregion = x\nregion = y\n", "[b]\n indented = 1\n");
    let notes = home.files().check().unwrap();
    let notes: Vec<_> = notes.iter().map(|note| (note.line, note.message.as_str())).collect();
    assert_eq!(
        notes,
        [
            (3, "The AWS CLI and boto3 cannot read this file: this key is a duplicate in its section."),
            (2, "Some AWS SDKs cannot read this file: an indented line needs a key before it."),
        ]
    );
    assert_eq!(home.apply(&process("dev")).unwrap().plan.notes().len(), 2);
}
