//! After every operation every other profile reads the same as before, to botocore and to the SDK, and ours reads as
//! intended. What this crate says about who can read a file is what they say.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use rolecall_host::aws_files::{AwsFiles, Error, Operation, Options};

use crate::generator::{Dice, files, operation};
use crate::home::Home;
use crate::readers::{Reading, botocore, sdk};

#[test]
#[cfg_attr(
    windows,
    ignore = "botocore would have to run in Wine as well; what it reads is the same on all systems"
)]
fn others_read_the_same_before_and_after_and_ours_as_intended() {
    let home = Home::new();
    let trials: Vec<Trial> = (0..TRIALS).map(|seed| Trial::run(&home, seed)).collect();
    let before: Vec<PathBuf> = trials.iter().map(|trial| trial.folder.join("before")).collect();
    let after: Vec<PathBuf> = trials.iter().map(|trial| trial.folder.join("after")).collect();
    let botocore_before = botocore(&before);
    let botocore_after = botocore(&after);
    assert_eq!((botocore_before.len(), botocore_after.len()), (trials.len(), trials.len()));
    let mut compared = 0;
    for (number, trial) in trials.iter().enumerate() {
        let sdk_before = sdk(&before[number]);
        trial.check_verdict("botocore", &botocore_before[number], trial.botocore_fault);
        trial.check_verdict("the SDK", &sdk_before, trial.sdk_fault);
        compared += trial.compare("botocore", &botocore_before[number], &botocore_after[number]);
        compared += trial.compare("the SDK", &sdk_before, &sdk(&after[number]));
    }
    assert!(compared > usize::try_from(TRIALS).unwrap(), "only {compared} comparisons");
}

struct Trial {
    seed: u64,
    folder: PathBuf,
    operation: Operation,
    result: Result<(), Error>,
    botocore_fault: bool,
    sdk_fault: bool,
}

impl Trial {
    fn run(home: &Home, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let folder = home.path().join(seed.to_string());
        let (config, credentials) = files(&mut dice);
        for side in ["before", "after"] {
            fs::create_dir_all(folder.join(side)).unwrap();
            fs::write(folder.join(side).join("config"), &config).unwrap();
            fs::write(folder.join(side).join("credentials"), &credentials).unwrap();
        }
        let operation = operation(&mut dice);
        let options = Options { force: dice.once_in(2), ..Options::default() };
        let files = AwsFiles::at(folder.join("after/config"), folder.join("after/credentials"));
        let inspection = files.check();
        let says = |who: &str| inspection.as_ref().unwrap().iter().any(|note| note.message.contains(who));
        let (botocore_fault, sdk_fault) = (says("The AWS CLI and boto3 cannot"), says("AWS SDKs cannot"));
        let nobody = says("No AWS tool can");
        let result = files.apply(&operation, &options).map(drop);
        let (botocore_fault, sdk_fault) = (botocore_fault || nobody, sdk_fault || nobody);
        Self { seed, folder, operation, result, botocore_fault, sdk_fault }
    }

    fn check_verdict(&self, who: &str, reading: &Reading, fault: bool) {
        assert_eq!(reading.is_err(), fault, "seed {}: {who} says {reading:?}", self.seed);
    }

    /// How many profiles were found to be the same.
    fn compare(&self, who: &str, before: &Reading, after: &Reading) -> usize {
        let Ok(before) = before else { return 0 };
        let seed = self.seed;
        let after = after.as_ref().unwrap_or_else(|error| panic!("seed {seed}: {who} fails after: {error}"));
        let ours = self.operation.profile().as_str();
        // `[dev]; see [docs]` is `dev` to the SDK and `dev]; see [docs` to botocore, but it is one section.
        let is_ours = |name: &str| name.split(']').next() == Some(ours);
        let others = |reading: &BTreeMap<String, BTreeMap<String, String>>| {
            reading
                .iter()
                .filter(|(name, _)| !is_ours(name))
                .map(|(n, k)| (n.clone(), k.clone()))
                .collect::<Vec<_>>()
        };
        let untouched = others(before);
        assert_eq!(untouched, others(after), "seed {seed}: {who}, other profiles");
        match (&self.result, &self.operation) {
            (Err(_), _) => assert_eq!(before, after, "seed {seed}: {who}, refused"),
            (Ok(()), Operation::Remove(_)) => {
                assert!(!after.contains_key(ours), "seed {seed}: {who}, removed");
            }
            (Ok(()), Operation::Set(_)) => {
                let profile = after.get(ours).unwrap_or_else(|| panic!("seed {seed}: {who} finds no {ours}"));
                let process = profile.get("credential_process");
                let region = profile.get("region").map(String::as_str);
                assert_eq!(region, Some("eu-west-1"), "seed {seed}: {who}");
                let secret = profile.get("aws_secret_access_key").map(String::as_str);
                match process {
                    Some(command) => {
                        assert_eq!(command, &format!("/usr/bin/rolecall credentials --profile {ours}"));
                        assert_eq!(secret, None, "seed {seed}: {who}, both");
                    }
                    None => assert_eq!(secret, Some("very/Secret+Key"), "seed {seed}: {who}"),
                }
                for deciding in ["role_arn", "source_profile", "sso_session"] {
                    assert!(!profile.contains_key(deciding), "seed {seed}: {who}, {deciding} decides");
                }
            }
        }
        untouched.len() + 1
    }
}

const TRIALS: u64 = 2500;
