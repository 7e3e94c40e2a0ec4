//! Resources by their ARNs, and where the console has them (as its own addresses have it; AWS documents none).

use super::services::{GLOBAL, in_region};
use super::{ConsolePage, Service};
use crate::aws::{Partition, Region};
use crate::text;

/// The ARN of a resource, taken apart: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceArn<'a> {
    text: &'a str,
    /// Its partition.
    pub partition: Partition,
    /// Its service, as ARNs name it.
    pub service: &'a str,
    /// Its region, if the ARN names one.
    pub region: Option<Region>,
    /// Its account's digits; empty if the ARN names none.
    pub account: &'a str,
    resource: &'a str,
}

impl<'a> ResourceArn<'a> {
    /// Takes an ARN apart. `None` if it is none.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let mut resource = text;
        let mut next = || {
            let (part, rest) = text::cut(resource, b":");
            resource = rest;
            part
        };
        let is_plain = text.len() <= MAX && !text.bytes().any(|byte| byte.is_ascii_control());
        let is_arn = is_plain && next() == "arn";
        let partition = Partition::from_id(next())?;
        let service = next();
        let region = match next() {
            "" => None,
            region => Some(region.parse().ok()?),
        };
        let account = next();
        let is_account = account.len() <= 12 && account.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_arn && is_account && !service.is_empty() && !resource.is_empty()).then_some(())?;
        Some(Self { text, partition, service, region, account, resource })
    }

    /// The resource's own page, or else that of its service, and the region to open it in. The region is `region` if the
    /// ARN names none. `None` if not even the service is known.
    #[must_use]
    pub fn page(&self, region: Region) -> Option<(ConsolePage, Region)> {
        let region = self.region.clone().unwrap_or(region);
        if self.service == "s3" {
            return Some((self.s3_path(&region).parse().ok()?, region));
        }
        let mut lines = PAGES;
        while !lines.is_empty() {
            let (line, rest) = text::cut(lines, b"\n");
            lines = rest;
            let (service, line) = text::cut(line, b" ");
            let (kind, page) = text::cut(line, b" ");
            if service == self.service
                && (kind == self.parts().0 || kind == "*")
                && let Some(path) = self.path(page.trim_start_matches(GLOBAL), &region)
            {
                let (path, region) = in_region(&path, page.starts_with(GLOBAL), self.partition, region);
                return Some((path.parse().ok()?, region));
            }
        }
        Some(Service::named(self.service)?.page(self.partition, region))
    }

    /// The kind of the resource, which may be empty, and its name.
    fn parts(&self) -> (&'a str, &'a str) {
        let resource = self.resource.trim_start_matches('/');
        match text::cut(resource, b":/") {
            (name, "") => ("", name),
            parts => parts,
        }
    }

    /// The path of a page. `None` if the ARN lacks a part of it.
    fn path(&self, mut page: &str, region: &Region) -> Option<String> {
        let mut path = String::new();
        loop {
            let (text, rest) = text::cut(page, b"{");
            path.push_str(text);
            if rest.is_empty() {
                return Some(path);
            }
            let (part, rest) = text::cut(rest, b"}");
            let part = self.part(part, region);
            if part.is_empty() {
                return None;
            }
            path.push_str(&part);
            page = rest;
        }
    }

    /// A part of a path in [`PAGES`].
    fn part(&self, part: &str, region: &Region) -> String {
        let (_, name) = self.parts();
        let (first, rest) = text::cut(name, b"/:");
        escaped(match part {
            "account" => self.account,
            "arn" => self.text,
            "name" => name,
            "path" => return escaped_except(name, b"-_.~/"),
            // The name's parts.
            "first" => first,
            "rest" => rest,
            "second" => text::cut(rest, b"/").0,
            "behind" => text::cut(rest, b"/").1,
            "last" => name.rsplit('/').next().unwrap_or(name),
            // It ends in a dash and six characters that AWS has added.
            "secret" => name.rsplit_once('-').map_or(name, |(name, _)| name),
            "queue" => {
                let host = self.partition.host("sqs", region);
                return escaped(&["https://", &host, "/", self.account, "/", name].concat());
            }
            // The ARN leaves out the first slash of a name that has several.
            "parameter" => {
                return escaped(&escaped(&[if rest.is_empty() { "" } else { "/" }, name].concat()));
            }
            "log" => return log_page(name),
            _ => "",
        })
    }

    /// A bucket, a folder in it (a key that ends in a slash or a star), or an object.
    fn s3_path(&self, region: &Region) -> String {
        let (bucket, key) = text::cut(self.resource, b"/");
        let folder = key.strip_suffix('*').unwrap_or(key);
        let (page, key) = if folder.len() < key.len() || key.is_empty() || key.ends_with('/') {
            ("buckets", folder)
        } else {
            ("object", key)
        };
        let bucket = escaped(bucket);
        let mut path = ["/s3/", page, "/", &bucket, "?region=", region.as_str()].concat();
        if !key.is_empty() {
            path.push_str("&prefix=");
            path.push_str(&escaped(key));
        }
        path
    }
}

/// A log group, or a stream in it. Its page escapes twice, with `$` instead of `%`.
fn log_page(name: &str) -> String {
    let name = name.strip_suffix(":*").unwrap_or(name);
    let part = |name: &str| text::replace(&escaped(&escaped(name)), "%", "$");
    // The name of a group has no colon.
    let (group, stream) = text::cut(name, b":");
    match stream.strip_prefix("log-stream:") {
        Some(stream) if !stream.is_empty() => [&part(group), "/log-events/", &part(stream)].concat(),
        _ => part(group),
    }
}

/// Percent-encoded like JavaScript's `encodeURIComponent`, of which AWS's pages make their addresses.
#[must_use]
pub fn escaped(text: &str) -> String {
    escaped_except(text, b"-_.~")
}

fn escaped_except(text: &str, plain: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            escaped.push(byte.into());
        } else {
            escaped.push('%');
            for digit in [byte >> 4, byte & 15] {
                escaped.push(char::from(if digit < 10 { b'0' + digit } else { b'A' + digit - 10 }));
            }
        }
    }
    escaped
}

/// Of each kind of resource its service, its kind (which may be empty, or `*` for any other) and its page. Of several pages, the
/// first is taken of which the ARN has all parts. A page with a star is the same in all regions.
const PAGES: &str = "\
lambda function /lambda/home#/functions/{first}/versions/{rest}
lambda function /lambda/home#/functions/{first}
lambda layer /lambda/home#/layers/{first}/versions/{rest}
logs log-group /cloudwatch/home#logsV2:log-groups/log-group/{log}
cloudwatch alarm /cloudwatch/home#alarmsV2:alarm/{name}
cloudwatch dashboard /cloudwatch/home#dashboards/dashboard/{name}
ec2 instance /ec2/home#InstanceDetails:instanceId={name}
ec2 volume /ec2/home#VolumeDetails:volumeId={name}
ec2 snapshot /ec2/home#SnapshotDetails:snapshotId={name}
ec2 image /ec2/home#ImageDetails:imageId={name}
ec2 security-group /ec2/home#SecurityGroup:groupId={name}
ec2 network-interface /ec2/home#NetworkInterface:networkInterfaceId={name}
ec2 launch-template /ec2/home#LaunchTemplateDetails:launchTemplateId={name}
ec2 vpc /vpcconsole/home#VpcDetails:VpcId={name}
ec2 subnet /vpcconsole/home#SubnetDetails:subnetId={name}
ec2 route-table /vpcconsole/home#RouteTableDetails:RouteTableId={name}
ec2 natgateway /vpcconsole/home#NatGatewayDetails:natGatewayId={name}
ec2 internet-gateway /vpcconsole/home#InternetGateway:internetGatewayId={name}
ec2 vpc-endpoint /vpcconsole/home#EndpointDetails:vpcEndpointId={name}
autoscaling autoScalingGroup /ec2/home#AutoScalingGroupDetails:id={behind}
elasticloadbalancing loadbalancer /ec2/home#LoadBalancer:loadBalancerArn={arn}
elasticloadbalancing targetgroup /ec2/home#TargetGroup:targetGroupArn={arn}
cloudformation stack /cloudformation/home#/stacks/stackinfo?stackId={arn}
secretsmanager secret /secretsmanager/secret?name={secret}
sqs  /sqs/v3/home#/queues/{queue}
sns  /sns/v3/home#/topic/{arn}
sns * /sns/v3/home#/subscription/{arn}
dynamodb table /dynamodbv2/home#table?name={first}
ecs cluster /ecs/v2/clusters/{first}
ecs service /ecs/v2/clusters/{first}/services/{rest}
ecs task /ecs/v2/clusters/{first}/tasks/{rest}
ecs task-definition /ecs/v2/task-definitions/{first}/{rest}
ecr repository /ecr/repositories/private/{account}/{path}
eks cluster /eks/clusters/{first}
eks nodegroup /eks/clusters/{first}/nodegroups/{second}
rds db /rds/home#database:id={name};is-cluster=false
rds cluster /rds/home#database:id={name};is-cluster=true
rds snapshot /rds/home#db-snapshot:id={name}
states stateMachine /states/home#/statemachines/view/{arn}
states execution /states/home#/v2/executions/details/{arn}
kms key /kms/home#/kms/keys/{name}
ssm parameter /systems-manager/parameters/{parameter}/description
ssm document /systems-manager/documents/{name}/description
acm certificate /acm/home#/certificates/{name}
apigateway restapis /apigateway/main/apis/{first}/resources?api={first}
apigateway apis /apigateway/main/api-detail?api={first}
kinesis stream /kinesis/home#/streams/details/{first}/monitoring
firehose deliverystream /firehose/home#/details/{first}/monitoring
events rule /events/home#/eventbus/{first}/rules/{rest}
events rule /events/home#/eventbus/default/rules/{first}
events event-bus /events/home#/eventbus/{first}
athena workgroup /athena/home#/workgroups/details/{name}
glue database /glue/home#/v2/data-catalog/databases/view/{first}
glue table /glue/home#/v2/data-catalog/tables/view/{rest}?database={first}
redshift cluster /redshiftv2/home#cluster-details?cluster={first}
es domain /aos/home#opensearch/domains/{first}
elasticfilesystem file-system /efs/home#/file-systems/{first}
backup backup-vault /backup/home#/backupvaults/details/{first}
cognito-idp userpool /cognito/v2/idp/user-pools/{first}/users
codepipeline  /codesuite/codepipeline/pipelines/{name}/view
codebuild project /codesuite/codebuild/{account}/projects/{name}
codecommit  /codesuite/codecommit/repositories/{name}/browse
iam role */iam/home#/roles/details/{last}
iam user */iam/home#/users/details/{last}
iam group */iam/home#/groups/details/{last}
iam policy */iam/home#/policies/details/{arn}
iam oidc-provider */iam/home#/identity_providers/details/OPENID/{arn}
iam saml-provider */iam/home#/identity_providers/details/SAML/{arn}
route53 hostedzone */route53/v2/hostedzones#ListRecordSets/{last}
cloudfront distribution */cloudfront/v4/home#/distributions/{last}";

/// The longest ARN of any kind that IAM takes.
const MAX: usize = 2_048;

#[cfg(test)]
mod tests {
    use super::*;

    fn page(arn: &str) -> Option<(String, String)> {
        let (page, region) = ResourceArn::read(arn)?.page("eu-central-1".parse().unwrap())?;
        Some((page.to_string(), region.to_string()))
    }

    #[test]
    fn resources_open_on_their_own_pages_and_unknown_kinds_on_their_services() {
        for line in include_str!("resource/pages.txt").lines().filter(|line| !line.starts_with('#')) {
            let [arn, region, path] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            assert_eq!(page(arn), Some((path.to_owned(), region.to_owned())), "{arn}");
        }
    }

    #[test]
    fn what_is_no_arn_or_of_no_known_service_has_no_page() {
        for arn in [
            "",
            "arn",
            "arn:aws:s3",
            "arn:aws:s3:::",
            "arn:aws-moon:s3:::bucket",
            "arn:aws:s3:EU:1:bucket",
            "arn:aws:s3:evil.example/:123456789012:bucket",
            "arn:aws:sqs:eu-west-1:1234@evil:queue",
            "arn:aws:nothing:eu-west-1:123456789012:thing/x",
            "arn:aws:s3:::bucket/a\nb",
            "s3:bucket",
        ] {
            assert_eq!(page(arn), None, "{arn:?}");
        }
    }

    #[test]
    fn a_name_from_an_arn_stays_a_part_of_the_path() {
        for name in ["../../evil", "a?b=c", "a#b", "a&region=evil", "//evil.example", "ü", "a b", "a%2fb"] {
            for kind in ["s3:::", "lambda:eu-west-1:123456789012:function:", "sqs:eu-west-1:123456789012:"] {
                let (page, _) = page(&format!("arn:aws:{kind}{name}")).unwrap();
                let home = crate::url::Url::parse("https://console.aws.amazon.com/").unwrap();
                let url = page.parse::<ConsolePage>().unwrap().below(&home, Some(Partition::Aws)).unwrap();
                assert!(!page.contains("evil.example/") && !url.path().contains("/evil"), "{page}");
                assert_eq!(url.host_str(), home.host_str());
            }
        }
    }
}
