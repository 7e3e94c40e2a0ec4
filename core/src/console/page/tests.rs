#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const HOME: &str = "https://us-east-1.console.aws.amazon.com/console/home?region=us-east-1";

fn below(page: &str, home: &str, aws: Option<Partition>) -> Option<String> {
    let url = page.parse::<ConsolePage>().ok()?.below(&Url::parse(home).unwrap(), aws)?;
    Some(url.to_string())
}

#[test]
fn a_page_keeps_its_path_query_and_fragment() {
    for page in [
        "https://console.aws.amazon.com/",
        "https://console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:search=a%20b;v=3",
        "https://eu-west-1.console.aws.amazon.com/s3/buckets/x?region=eu-west-1&tab=objects",
        "https://s3.console.aws.amazon.com/s3/buckets/x",
        "https://us-east-1.console.aws.amazon.com/iam/home#/roles/details/a@b?x=https://other.example/",
    ] {
        assert_eq!(below(page, HOME, Some(Partition::Aws)).as_deref(), Some(page));
    }
    let path = "/ec2/home?region=eu-west-1#Instances:";
    let page = format!("https://us-east-1.console.aws.amazon.com{path}");
    assert_eq!(below(path, HOME, Some(Partition::Aws)), Some(page));
}

#[test]
fn a_page_of_one_of_several_sessions_is_opened_in_whichever_session_there_is() {
    let page =
        "https://123456789012-a1b2c3d4.eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:";
    assert_eq!(
        below(page, HOME, Some(Partition::Aws)).as_deref(),
        Some("https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:")
    );
}

#[test]
fn a_page_of_another_partition_is_refused() {
    let page = "https://console.amazonaws.cn/s3/home";
    assert_eq!(below(page, HOME, Some(Partition::Aws)), None);
    assert_eq!(
        below(page, "https://console.amazonaws.cn/console/home", Some(Partition::AwsCn)).as_deref(),
        Some(page)
    );
}

#[test]
fn a_console_that_is_not_awss_has_pages_at_its_own_address_only() {
    let home = "http://127.0.0.1:8080/console/home";
    for page in ["http://127.0.0.1:8080/console/s3?x=1#y", "/console/s3?x=1#y"] {
        assert_eq!(below(page, home, None).as_deref(), Some("http://127.0.0.1:8080/console/s3?x=1#y"));
    }
    for page in ["http://127.0.0.1/console", "https://127.0.0.1:8080/", "https://console.aws.amazon.com/"] {
        assert_eq!(below(page, home, None), None, "{page}");
    }
}

#[test]
fn two_hundred_hostile_destinations_lead_nowhere_else() {
    let lines: Vec<&str> = include_str!("hostile.jsonl").lines().collect();
    assert!(lines.len() >= 200);
    for line in lines {
        let text: String = crate::json::from_str(line).unwrap();
        let url = below(&text, HOME, Some(Partition::Aws));
        if text.starts_with('/') {
            assert!(
                url.iter().all(|url| url.starts_with("https://us-east-1.console.aws.amazon.com/")),
                "{line}"
            );
        } else {
            assert_eq!(url, None, "{line}");
        }
    }
}
