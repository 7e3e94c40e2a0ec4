//! A page of the console as a person names it: a service, a resource's ARN or the page's address, in a region.

use super::{Console, ConsolePage, ResourceArn, Service};
use crate::aws::{AccountId, Region, RoleArn};
use crate::code::{Code, Problem};
use crate::{map, text};

/// Where in the console a person wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The page; the console's home page without one.
    pub page: Option<ConsolePage>,
    /// The region to open it in.
    pub region: Region,
    /// The account of a resource or a page, if that is not the role's.
    foreign_account: Option<String>,
}

impl Place {
    /// Finds what was named: `s3`, `s3 eu-west-1`, `eu-west-1`, an ARN, or the address of a page. The region is `region` if none
    /// is named.
    ///
    /// # Errors
    /// If it is nothing that Rolecall knows, with what may have been meant.
    pub fn find(named: &str, role: &RoleArn, region: &Region) -> Result<Self, Problem> {
        let named = named.trim();
        let refused =
            |why: &str| Problem::new(Code::ConsolePageInvalid, ["\"", named, "\" ", why, "."].concat());
        let at = |(page, region)| Self { page: Some(page), region, foreign_account: None };
        if text::contains(named, "://") {
            let page = named.parse();
            let page = page.map_err(|why| refused(&["is not the address of a page: ", why].concat()))?;
            let other = Console::account_at(named).filter(|account| *account != role.account().as_str());
            return Ok(Self { foreign_account: other.map(str::to_owned), ..at((page, region.clone())) });
        }
        let (name, typed_region) = match named.rsplit_once(' ').unwrap_or(("", named)) {
            (name, last) if is_region(last) => (name.trim(), last.parse().ok()),
            _ => (named, None),
        };
        let region = typed_region.unwrap_or_else(|| region.clone());
        if name.is_empty() {
            return Ok(Self { page: None, region, foreign_account: None });
        }
        if !name.starts_with(ARN) {
            let service = Service::named(name).ok_or_else(|| unknown_service(name))?;
            return Ok(at(service.page(role.partition(), region)));
        }
        let arn = ResourceArn::read(name).ok_or_else(|| refused("is not the ARN of a resource"))?;
        if arn.partition != role.partition() {
            return Err(refused(&["is not in the role's partition, ", role.partition().id()].concat()));
        }
        let page = arn.page(region).ok_or_else(|| {
            refused(&["is of a service that Rolecall does not know, ", arn.service].concat())
        })?;
        let is_foreign = !["", "aws", role.account().as_str()].contains(&arn.account);
        Ok(Self { foreign_account: is_foreign.then(|| arn.account.to_owned()), ..at(page) })
    }

    /// What a person has to know of the page besides.
    #[must_use]
    pub fn note(&self, role: &AccountId) -> Option<String> {
        let account = self.foreign_account.as_deref()?;
        let words = [
            "This is in the account ",
            account,
            ", the role in ",
            role.as_str(),
            ": the page may not show it.",
        ];
        Some(words.concat())
    }
}

/// Takes apart what a person types where roles are searched: words for the role and, behind `>`, a page of the console. An
/// address or the ARN of a resource is a page by itself.
#[must_use]
pub fn role_and_page(typed: &str) -> (&str, Option<&str>) {
    match typed.split_once('>') {
        Some((role, page)) => (role, Some(page.trim())),
        None if is_page(typed.trim()) => ("", Some(typed.trim())),
        None => (typed, None),
    }
}

/// Whether a text can only be meant as a page, not as a role.
#[must_use]
pub fn is_page(text: &str) -> bool {
    text::contains(text, "://") || text.starts_with(ARN) && text.parse::<RoleArn>().is_err()
}

/// Whether a word looks like a region's name, as no service's does.
fn is_region(word: &str) -> bool {
    word.contains('-') && word.ends_with(|last: char| last.is_ascii_digit()) && word.parse::<Region>().is_ok()
}

fn unknown_service(name: &str) -> Problem {
    let typed = name.to_ascii_lowercase();
    let distance = |name: &str| {
        let (short, long) = if name.len() < typed.len() { (name, &*typed) } else { (&*typed, name) };
        // Whoever types the beginning of a name, or one with a version, is likely to mean it.
        let starts = short.len() > 2 && long.starts_with(short);
        let letters = strsim::levenshtein(name, &typed);
        (if starts { 0 } else { letters }, letters)
    };
    // Of each service the name that is most like it.
    let names: Vec<_> = Service::all()
        .filter_map(|service| service.names().map(|name| (distance(name), name)).min())
        .filter(|((distance, _), name)| distance * ALIKE <= name.len())
        .collect();
    let nearest = map::sorted(names.len(), &|one, other| names[one].0.cmp(&names[other].0));
    let mut hint = String::new();
    let count = nearest.len().min(SUGGESTIONS);
    for (at, row) in nearest.into_iter().take(count).enumerate() {
        hint.push_str(match at {
            0 => "Did you mean ",
            _ if at + 1 == count => " or ",
            _ => ", ",
        });
        hint.push_str(names[row].1);
    }
    let sentence = ["\"", name, "\" is not a service of the console that Rolecall knows."].concat();
    let problem = Problem::new(Code::ConsolePageInvalid, sentence);
    if hint.is_empty() { problem } else { problem.with_next_step(hint + "?") }
}

const ARN: &str = "arn:";

/// A suggested name has this many letters for each that was typed wrong.
const ALIKE: usize = 3;

const SUGGESTIONS: usize = 3;

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn place(text: &str) -> Result<Place, Problem> {
        let role = "arn:aws:iam::123456789012:role/developer".parse().unwrap();
        Place::find(text, &role, &"eu-west-1".parse().unwrap())
    }

    #[test]
    fn services_regions_resources_and_addresses_are_told_apart() {
        let address = "https://eu-north-1.console.aws.amazon.com/ec2/home?region=eu-north-1#Instances:";
        for (text, page, region) in [
            ("cw", "/cloudwatch/home?region=eu-west-1", "eu-west-1"),
            (" S3  us-gov-west-1 ", "/s3/home?region=us-gov-west-1", "us-gov-west-1"),
            ("eu-north-1", "", "eu-north-1"),
            ("", "", "eu-west-1"),
            ("iam eu-north-1", "/iam/home", "us-east-1"),
            (
                "arn:aws:sns:eu-north-1:123456789012:alerts",
                "/sns/v3/home?region=eu-north-1#/topic/arn%3Aaws%3Asns%3Aeu-north-1%3A123456789012%3Aalerts",
                "eu-north-1",
            ),
            ("arn:aws:s3:::bucket eu-north-1", "/s3/buckets/bucket?region=eu-north-1", "eu-north-1"),
            (address, address, "eu-west-1"),
        ] {
            let place = place(text).unwrap();
            assert_eq!(place.page.map(|page| page.to_string()).unwrap_or_default(), page, "{text}");
            assert_eq!(place.region.as_str(), region, "{text}");
        }
    }

    #[test]
    fn an_unknown_service_is_refused_with_the_nearest_names() {
        for (text, next) in [
            ("lamda", "Did you mean lambda?"),
            ("cloudwach", "Did you mean cloudwatch?"),
            ("secrets-manager", "Did you mean secrets or systems-manager?"),
            ("dynamodbv2", "Did you mean dynamodb?"),
            ("code", "Did you mean codebuild, codecommit or codedeploy?"),
        ] {
            let problem = place(text).unwrap_err();
            assert!(problem.is(Code::ConsolePageInvalid), "{problem}");
            assert_eq!(problem.next_step, next, "{text}");
        }
        assert_eq!(place("qqqqqq").unwrap_err().next_step, Code::ConsolePageInvalid.next_step());
    }

    #[test]
    fn a_resource_of_another_partition_or_service_is_refused() {
        for (text, why) in [
            ("arn:aws-cn:s3:::bucket", "is not in the role's partition, aws"),
            ("arn:aws:unheardof:eu-west-1:123456789012:thing/x", "does not know, unheardof"),
            ("arn:aws:s3", "is not the ARN of a resource"),
            ("https://exa mple/", "it has characters that no address has"),
            ("s3 Frankfurt", "is not a service"),
        ] {
            let problem = place(text).unwrap_err();
            assert!(problem.message.contains(why), "{}", problem.message);
        }
    }

    #[test]
    fn a_resource_of_another_account_is_opened_with_a_note() {
        let role: AccountId = "123456789012".parse().unwrap();
        let note = |text: &str| place(text).unwrap().note(&role).unwrap_or_default();
        let foreign = note("arn:aws:sqs:eu-west-1:210987654321:jobs");
        assert!(foreign.starts_with("This is in the account 210987654321, the role in 123456789012"));
        let page = "https://210987654321-a1b2c3d4.eu-west-1.console.aws.amazon.com/s3/home";
        assert_eq!(note(page), foreign);
        assert_eq!(note("arn:aws:sqs:eu-west-1:123456789012:jobs"), "");
        assert_eq!(note("arn:aws:iam::aws:policy/ReadOnlyAccess"), "");
    }

    #[test]
    fn a_page_is_told_from_the_role_it_is_opened_as() {
        let url = "https://console.aws.amazon.com/s3/home";
        for (typed, expected) in [
            ("prod admin", ("prod admin", None)),
            ("prod admin > s3 eu-west-1", ("prod admin ", Some("s3 eu-west-1"))),
            ("admin>", ("admin", Some(""))),
            (url, ("", Some(url))),
            ("arn:aws:s3:::bucket", ("", Some("arn:aws:s3:::bucket"))),
            ("arn:aws:iam::123456789012:role/developer", ("arn:aws:iam::123456789012:role/developer", None)),
        ] {
            assert_eq!(role_and_page(typed), expected, "{typed}");
        }
    }
}
