//! The pages of the console by the names that a person types: a service, an ARN, or the page's address.

use std::ffi::OsStr;

use clap_complete::CompletionCandidate;
use rolecall_core::aws::{Region, RoleArn};
use rolecall_core::console::{ConsolePage, ResourceArn, Service};
use rolecall_core::{Code, Problem};

use crate::output;

/// Whether the text can only be meant as a page, not as a role.
pub(crate) fn is_page(text: &str) -> bool {
    text.contains("://") || text.starts_with("arn:") && text.parse::<RoleArn>().is_err()
}

/// The page, and the region to open it in.
pub(crate) fn find(
    text: &str,
    role: &RoleArn,
    region: &Region,
) -> Result<(Option<ConsolePage>, Option<Region>), Problem> {
    let refuse = |why: &str| Problem::new(Code::ConsolePageInvalid, format!("\"{text}\" {why}."));
    if text.contains("://") {
        let page = text.parse().map_err(|why| refuse(&format!("is not the address of a page: {why}")))?;
        return Ok((Some(page), Some(region.clone())));
    }
    if !text.starts_with("arn:") {
        let service = Service::named(text).ok_or_else(|| unknown_service(text))?;
        let (page, region) = service.page(role.partition(), region.clone());
        return Ok((Some(page), Some(region)));
    }
    let arn = ResourceArn::read(text).ok_or_else(|| refuse("is not the ARN of a resource"))?;
    if arn.partition != role.partition() {
        return Err(refuse(&format!("is not in the role's partition, {}", role.partition().id())));
    }
    let (page, region) = arn
        .page(region.clone())
        .ok_or_else(|| refuse(&format!("is of a service that Rolecall does not know, {}", arn.service)))?;
    if !["", "aws", role.account().as_str()].contains(&arn.account) {
        output::note(format_args!(
            "The resource is in the account {}, the role in {}: the page may not show it.",
            arn.account,
            role.account()
        ));
    }
    Ok((Some(page), Some(region)))
}

/// The names of services that complete a word.
pub(crate) fn candidates(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let names = Service::all().flat_map(Service::names);
    names.filter(|name| name.starts_with(typed)).map(CompletionCandidate::new).collect()
}

fn unknown_service(text: &str) -> Problem {
    let typed = text.to_ascii_lowercase();
    let likeness = |name: &str| {
        let (short, long) = if name.len() < typed.len() { (name, &*typed) } else { (&*typed, name) };
        let starts = short.len() > 2 && long.starts_with(short);
        let likeness = strsim::jaro_winkler(name, &typed);
        // Whoever types the beginning of a name, or one with a version, is likely to mean it.
        if starts { 1.0 + likeness } else { likeness }
    };
    // Of each service the name that is most like it.
    let best = |service: &Service| service.names().map(|name| (likeness(name), name)).max_by(by_likeness);
    let mut near: Vec<_> =
        Service::all().filter_map(best).filter(|(likeness, _)| *likeness > ALIKE).collect();
    near.sort_by(|one, other| by_likeness(other, one));
    let near: Vec<_> = near.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect();
    let sentence = format!("\"{text}\" is not a service of the console that Rolecall knows.");
    let problem = Problem::new(Code::ConsolePageInvalid, sentence);
    match near.split_last() {
        None => problem,
        Some((last, [])) => problem.with_next_step(format!("Did you mean {last}?")),
        Some((last, others)) => {
            problem.with_next_step(format!("Did you mean {} or {last}?", others.join(", ")))
        }
    }
}

fn by_likeness(one: &(f64, &str), other: &(f64, &str)) -> std::cmp::Ordering {
    one.0.total_cmp(&other.0)
}

/// From which likeness on a name is suggested.
const ALIKE: f64 = 0.75;

const SUGGESTIONS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Result<(String, String), Problem> {
        let role = "arn:aws:iam::123456789012:role/developer".parse().unwrap();
        let (page, region) = find(text, &role, &"eu-west-1".parse().unwrap())?;
        Ok((page.unwrap().to_string(), region.unwrap().to_string()))
    }

    #[test]
    fn services_resources_and_addresses_are_told_apart() {
        let home = "https://eu-north-1.console.aws.amazon.com/ec2/home?region=eu-north-1#Instances:";
        for (text, path, region) in [
            ("cw", "/cloudwatch/home?region=eu-west-1", "eu-west-1"),
            ("iam", "/iam/home", "us-east-1"),
            (
                "arn:aws:sns:eu-north-1:123456789012:alerts",
                "/sns/v3/home?region=eu-north-1#/topic/arn%3Aaws%3Asns%3Aeu-north-1%3A123456789012%3Aalerts",
                "eu-north-1",
            ),
            (home, home, "eu-west-1"),
        ] {
            assert_eq!(page(text).unwrap(), (path.to_owned(), region.to_owned()));
        }
    }

    #[test]
    fn an_unknown_service_is_refused_with_the_nearest_names() {
        for (text, next) in [
            ("lamda", "Did you mean lambda"),
            ("cloudwach", "Did you mean cloudwatch"),
            ("secrets-manager", "Did you mean secrets"),
            ("dynamodbv2", "Did you mean dynamodb"),
        ] {
            let problem = page(text).unwrap_err();
            assert!(problem.is(Code::ConsolePageInvalid), "{problem}");
            assert!(problem.next_step.starts_with(next), "{text}: {}", problem.next_step);
        }
        assert_eq!(page("qqqqqq").unwrap_err().next_step, Code::ConsolePageInvalid.next_step());
    }

    #[test]
    fn a_resource_of_another_partition_or_service_is_refused() {
        for (text, why) in [
            ("arn:aws-cn:s3:::bucket", "is not in the role's partition, aws"),
            ("arn:aws:unheardof:eu-west-1:123456789012:thing/x", "does not know, unheardof"),
            ("arn:aws:s3", "is not the ARN of a resource"),
            ("https://exa mple/", "it has characters that no address has"),
        ] {
            let problem = page(text).unwrap_err();
            assert!(problem.message.contains(why), "{}", problem.message);
        }
    }

    #[test]
    fn only_what_cannot_be_a_role_is_taken_for_a_page() {
        assert!(is_page("arn:aws:s3:::bucket") && is_page("https://console.aws.amazon.com/"));
        assert!(!is_page("arn:aws:iam::123456789012:role/developer") && !is_page("s3"));
    }
}
