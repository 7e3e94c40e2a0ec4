//! A role's ARN: what is read is written as it was, and has the parts that it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolecall_core::aws::RoleArn;

fuzz_target!(|text: &str| {
    if let Ok(arn) = text.parse::<RoleArn>() {
        assert_eq!(arn.as_str(), text);
        assert!(text.ends_with(arn.name()) && text.contains(arn.account().as_str()));
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    }
});
