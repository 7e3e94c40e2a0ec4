//! Rolecall's sections under a person's hands: what they edit, rename, move or delete.

use rolecall_core::Code;
use rolecall_core::settings::ProfileName;
use rolecall_host::aws_files::{Error, NewProfile, Operation, Options, Source};

use crate::home::{Home, file, name, process, remove};

#[test]
fn keys_and_comments_a_person_adds_survive_an_update() {
    for place in ["[profile dev]\n", "stay.\n", "dev\n", "eu-west-1\n"] {
        let home = Home::with("[default]\nregion = us-east-1\n", "");
        home.apply(&process("dev")).unwrap();
        let mine = "output = json\n# because the parser needs it\ns3 =\n    addressing_style = path\n";
        let edited = text(&home).replacen(place, &format!("{place}{mine}"), 1);
        std::fs::write(home.config(), &edited).unwrap();
        home.apply(&with_command("dev", "/opt/rolecall get")).unwrap();
        let expected = edited.replace("/usr/bin/rolecall credentials --profile dev", "/opt/rolecall get");
        assert_eq!(text(&home), expected, "after {place:?}");
    }
}

#[test]
fn removing_leaves_what_the_person_added_below_its_header() {
    let home = Home::with("", "");
    home.apply(&process("dev")).unwrap();
    let edited = text(&home) + "output = json\n";
    std::fs::write(home.config(), edited).unwrap();
    home.apply(&remove("dev")).unwrap();
    assert_eq!(text(&home), "[profile dev]\noutput = json\n");
}

#[test]
fn a_comment_above_the_next_section_is_not_removed_with_ours() {
    let home = Home::with("", "");
    home.apply(&process("dev")).unwrap();
    let edited = text(&home) + "\n# the other one\n[profile other]\nregion = eu-west-2\n";
    std::fs::write(home.config(), edited).unwrap();
    home.apply(&remove("dev")).unwrap();
    assert_eq!(text(&home), "\n# the other one\n[profile other]\nregion = eu-west-2\n");
}

#[test]
fn a_section_the_person_renamed_is_still_ours_under_its_new_name() {
    let home = Home::with("", "");
    home.apply(&process("dev")).unwrap();
    std::fs::write(home.config(), text(&home).replace("[profile dev]", "[profile renamed]")).unwrap();
    assert_eq!(home.files().list().unwrap()[0].name, name("renamed"));
    home.apply(&remove("renamed")).unwrap();
    assert_eq!(text(&home), "");
}

#[test]
fn ours_below_a_deleted_header_is_not_taken_for_the_section_above() {
    let home = Home::with("[profile mine]\nregion = us-east-1\n", "");
    home.apply(&process("dev")).unwrap();
    let edited = text(&home).replace("[profile dev]\n", "");
    std::fs::write(home.config(), &edited).unwrap();
    assert!(home.files().list().unwrap().is_empty());
    let refused = home.apply(&process("mine")).unwrap_err();
    assert!(matches!(refused, Error::Conflict { .. } | Error::Unreadable { .. }), "{refused}");
    assert_eq!(text(&home), edited);
}

#[test]
fn a_section_without_its_comment_is_somebody_elses_again() {
    let home = Home::with("", "");
    home.apply(&file("dev")).unwrap();
    let credentials = String::from_utf8(home.read_credentials().unwrap()).unwrap();
    let unmarked: Vec<&str> = credentials.lines().filter(|line| !line.starts_with('#')).collect();
    let unmarked = unmarked.join("\n");
    std::fs::write(home.credentials(), unmarked).unwrap();
    let refused = home.apply(&file("dev")).unwrap_err();
    assert_eq!(refused.code(), Code::AwsFilesProfileConflict);
    let words = format!("{refused} {refused:?}");
    assert!(words.contains("credentials:1: ") && words.contains("aws_secret_access_key"), "{words}");
    assert!(!words.contains("very/Secret+Key"));
}

#[test]
fn a_static_key_added_later_conflicts_until_forced() {
    let home = Home::with("", "");
    home.apply(&process("dev")).unwrap();
    std::fs::write(
        home.credentials(),
        "# old\n[dev]\naws_access_key_id = AKIA\naws_secret_access_key = old\noutput = json\n",
    )
    .unwrap();
    let inspection = home.files().inspect(&name("dev")).unwrap();
    assert_eq!(inspection.shadowing.iter().map(|finding| finding.line).collect::<Vec<_>>(), [3, 4]);
    let Error::Conflict { findings, .. } = home.apply(&process("dev")).unwrap_err() else { panic!() };
    assert_eq!(
        findings.iter().map(|finding| (finding.file.clone(), finding.line)).collect::<Vec<_>>(),
        [(home.credentials(), 3), (home.credentials(), 4)]
    );
    let applied = home.force(&process("dev")).unwrap();
    assert_eq!(applied.backups.len(), 1);
    assert_eq!(std::fs::read_to_string(home.credentials()).unwrap(), "# old\n[dev]\noutput = json\n");
    assert!(home.files().inspect(&name("dev")).unwrap().shadowing.is_empty());
}

#[test]
fn changing_the_mode_leaves_nothing_of_ours_in_the_other_file() {
    let home = Home::with("[default]\n", "[default]\n");
    for _ in 0..2 {
        home.apply(&process("dev")).unwrap();
        assert!(text(&home).contains("credential_process"));
        assert_eq!(home.read_credentials().unwrap(), b"[default]\n");
        home.apply(&file("dev")).unwrap();
        assert_eq!(text(&home), "[default]\n");
        assert!(String::from_utf8(home.read_credentials().unwrap()).unwrap().contains("aws_session_token"));
    }
}

#[cfg(unix)]
#[test]
fn one_file_for_both_purposes_is_refused_and_stays_as_it_is() {
    let home = Home::with("[default]\nregion = x\n", "");
    let link = home.path().join("link");
    std::os::unix::fs::symlink(home.config(), &link).unwrap();
    for other in [home.config(), link] {
        let both = rolecall_host::aws_files::AwsFiles::at(home.config(), other);
        for operation in [process("dev"), file("dev"), remove("default")] {
            let refused = both.apply(&operation, &Options::default()).unwrap_err();
            assert_eq!(refused.code().as_str(), "aws-files-one-file", "{refused}");
        }
    }
    assert_eq!(text(&home), "[default]\nregion = x\n");
}

#[test]
fn names_and_values_that_readers_disagree_about_are_refused() {
    for bad in ["", "a b", "a]b", "caf\u{e9}", "a\nb", "a#b", "\"a\""] {
        assert!(bad.parse::<ProfileName>().is_err(), "{bad:?}");
    }
    let source = Source::Process { command: "/bin/true".to_owned() };
    let refused = NewProfile::new(name("DEFAULT"), source, [("region", "x")]).unwrap_err();
    assert_eq!(refused.code().as_str(), "aws-files-profile-name-invalid");
    for bad in ["", " a", "a ", "a\nb", "a\rb", "a #b", "a\t;b", "#a", "a\u{2028}b", "a\0b"] {
        let source = Source::Process { command: bad.to_owned() };
        let refused = NewProfile::new(name("dev"), source, [("region", "x")]).unwrap_err();
        assert_eq!(refused.code(), Code::AwsFilesSettingInvalid, "{bad:?}");
    }
    for (key, value) in [("Region", "x"), ("a b", "x"), ("", "x"), ("role_arn", "x"), ("region", "x # y")] {
        let source = Source::Process { command: "/bin/true".to_owned() };
        assert!(NewProfile::new(name("dev"), source, [(key, value)]).is_err(), "{key:?}");
    }
}

fn with_command(profile: &str, command: &str) -> Operation {
    let source = Source::Process { command: command.to_owned() };
    Operation::Set(NewProfile::new(name(profile), source, [("region", "eu-west-1")]).unwrap())
}

fn text(home: &Home) -> String {
    String::from_utf8(home.read_config().unwrap()).unwrap()
}
