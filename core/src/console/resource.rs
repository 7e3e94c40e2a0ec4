//! Resources by their ARNs, and where the console has them (as its own addresses have it; AWS documents none).

use std::fmt::Write as _;

use super::{ConsolePage, Service};
use crate::aws::{Partition, Region};

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
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next();
        let is_plain = text.len() <= MAX && !text.contains(|c: char| c.is_control());
        (is_plain && next()? == "arn").then_some(())?;
        let partition = Partition::from_id(next()?)?;
        let service = next().filter(|service| !service.is_empty())?;
        let region = match next()? {
            "" => None,
            region => Some(region.parse().ok()?),
        };
        let account = next()?;
        (account.len() <= 12 && account.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(())?;
        let resource = next().filter(|resource| !resource.is_empty())?;
        Some(Self { text, partition, service, region, account, resource })
    }

    /// The resource's own page, or else that of its service, and the region to open it in. The region is `region` if the
    /// ARN names none. `None` if not even the service is known.
    #[must_use]
    pub fn page(&self, region: Region) -> Option<(ConsolePage, Region)> {
        let region = self.region.clone().unwrap_or(region);
        if let Some(path) = self.global_path() {
            return Some((path.parse().ok()?, self.partition.default_region()));
        }
        match self.regional_path(&region) {
            Some(path) => Some((path.parse().ok()?, region)),
            None => Some(Service::named(self.service)?.page(self.partition, region)),
        }
    }

    /// The kind of the resource and its name.
    fn parts(&self) -> (&'a str, &'a str) {
        let resource = self.resource.trim_start_matches('/');
        resource.split_once([':', '/']).unwrap_or(("", resource))
    }

    fn global_path(&self) -> Option<String> {
        let (kind, name) = self.parts();
        // IAM's names come after a path that is no part of them.
        let last = escaped(name.rsplit('/').next().unwrap_or(name));
        let arn = escaped(self.text);
        Some(match (self.service, kind) {
            ("iam", "role") => format!("/iam/home#/roles/details/{last}"),
            ("iam", "user") => format!("/iam/home#/users/details/{last}"),
            ("iam", "group") => format!("/iam/home#/groups/details/{last}"),
            ("iam", "policy") => format!("/iam/home#/policies/details/{arn}"),
            ("iam", "oidc-provider") => format!("/iam/home#/identity_providers/details/OPENID/{arn}"),
            ("iam", "saml-provider") => format!("/iam/home#/identity_providers/details/SAML/{arn}"),
            ("route53", "hostedzone") => format!("/route53/v2/hostedzones#ListRecordSets/{last}"),
            ("cloudfront", "distribution") => format!("/cloudfront/v4/home#/distributions/{last}"),
            _ => return None,
        })
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    fn regional_path(&self, region: &Region) -> Option<String> {
        let (kind, name) = self.parts();
        let (first, rest) = name.split_once(['/', ':']).unwrap_or((name, ""));
        let (id, first, arn) = (escaped(name), escaped(first), escaped(self.text));
        let account = self.account;
        Some(match (self.service, kind) {
            ("s3", _) => self.s3_path(region),
            ("lambda", "function") if rest.is_empty() => {
                format!("/lambda/home?region={region}#/functions/{first}")
            }
            ("lambda", "function") => {
                format!("/lambda/home?region={region}#/functions/{first}/versions/{}", escaped(rest))
            }
            ("lambda", "layer") => {
                format!("/lambda/home?region={region}#/layers/{first}/versions/{}", escaped(rest))
            }
            ("logs", "log-group") => log_path(region, name),
            ("cloudwatch", "alarm") => format!("/cloudwatch/home?region={region}#alarmsV2:alarm/{id}"),
            ("cloudwatch", "dashboard") => {
                format!("/cloudwatch/home?region={region}#dashboards/dashboard/{id}")
            }
            ("ec2", _) => ec2_path(region, kind, &id)?,
            ("autoscaling", "autoScalingGroup") => {
                let name = escaped(name.split_once("autoScalingGroupName/")?.1);
                format!("/ec2/home?region={region}#AutoScalingGroupDetails:id={name}")
            }
            ("elasticloadbalancing", "loadbalancer") => {
                format!("/ec2/home?region={region}#LoadBalancer:loadBalancerArn={arn}")
            }
            ("elasticloadbalancing", "targetgroup") => {
                format!("/ec2/home?region={region}#TargetGroup:targetGroupArn={arn}")
            }
            ("cloudformation", "stack") => {
                format!("/cloudformation/home?region={region}#/stacks/stackinfo?stackId={arn}")
            }
            // The name ends in a dash and six characters that AWS has added.
            ("secretsmanager", "secret") => {
                let name = escaped(name.rsplit_once('-').map_or(name, |(name, _)| name));
                format!("/secretsmanager/secret?name={name}&region={region}")
            }
            ("sqs", "") => {
                let queue = format!("https://{}/{account}/{name}", self.partition.host("sqs", region));
                format!("/sqs/v3/home?region={region}#/queues/{}", escaped(&queue))
            }
            ("sns", "") => format!("/sns/v3/home?region={region}#/topic/{arn}"),
            ("sns", _) => format!("/sns/v3/home?region={region}#/subscription/{arn}"),
            ("dynamodb", "table") => format!("/dynamodbv2/home?region={region}#table?name={first}"),
            ("ecs", "cluster") => format!("/ecs/v2/clusters/{first}?region={region}"),
            ("ecs", "service" | "task") if !rest.is_empty() => {
                format!("/ecs/v2/clusters/{first}/{kind}s/{}?region={region}", escaped(rest))
            }
            ("ecs", "task-definition") => {
                format!("/ecs/v2/task-definitions/{first}/{}?region={region}", escaped(rest))
            }
            ("ecr", "repository") => {
                format!("/ecr/repositories/private/{account}/{}?region={region}", path_escaped(name))
            }
            ("eks", "cluster") => format!("/eks/clusters/{first}?region={region}"),
            ("eks", "nodegroup") => {
                let group = escaped(rest.split('/').next().unwrap_or(rest));
                format!("/eks/clusters/{first}/nodegroups/{group}?region={region}")
            }
            ("rds", "db") => format!("/rds/home?region={region}#database:id={id};is-cluster=false"),
            ("rds", "cluster") => format!("/rds/home?region={region}#database:id={id};is-cluster=true"),
            ("rds", "snapshot") => format!("/rds/home?region={region}#db-snapshot:id={id}"),
            ("states", "stateMachine") => {
                format!("/states/home?region={region}#/statemachines/view/{arn}")
            }
            ("states", "execution") => {
                format!("/states/home?region={region}#/v2/executions/details/{arn}")
            }
            ("kms", "key") => format!("/kms/home?region={region}#/kms/keys/{id}"),
            ("ssm", "parameter") => {
                // The ARN leaves out the first slash of a name that has several.
                let slash = if rest.is_empty() { "" } else { "/" };
                let name = escaped(&escaped(&format!("{slash}{name}")));
                format!("/systems-manager/parameters/{name}/description?region={region}")
            }
            ("ssm", "document") => {
                format!("/systems-manager/documents/{id}/description?region={region}")
            }
            ("acm", "certificate") => format!("/acm/home?region={region}#/certificates/{id}"),
            ("apigateway", "restapis") => {
                format!("/apigateway/main/apis/{first}/resources?api={first}&region={region}")
            }
            ("apigateway", "apis") => format!("/apigateway/main/api-detail?api={first}&region={region}"),
            ("kinesis", "stream") => {
                format!("/kinesis/home?region={region}#/streams/details/{first}/monitoring")
            }
            ("firehose", "deliverystream") => {
                format!("/firehose/home?region={region}#/details/{first}/monitoring")
            }
            ("events", "rule") if rest.is_empty() => {
                format!("/events/home?region={region}#/eventbus/default/rules/{first}")
            }
            ("events", "rule") => {
                format!("/events/home?region={region}#/eventbus/{first}/rules/{}", escaped(rest))
            }
            ("events", "event-bus") => format!("/events/home?region={region}#/eventbus/{first}"),
            ("athena", "workgroup") => format!("/athena/home?region={region}#/workgroups/details/{id}"),
            ("glue", "database") => {
                format!("/glue/home?region={region}#/v2/data-catalog/databases/view/{first}")
            }
            ("glue", "table") => {
                let table = escaped(rest);
                format!("/glue/home?region={region}#/v2/data-catalog/tables/view/{table}?database={first}")
            }
            ("redshift", "cluster") => {
                format!("/redshiftv2/home?region={region}#cluster-details?cluster={first}")
            }
            ("es", "domain") => format!("/aos/home?region={region}#opensearch/domains/{first}"),
            ("elasticfilesystem", "file-system") => {
                format!("/efs/home?region={region}#/file-systems/{first}")
            }
            ("backup", "backup-vault") => {
                format!("/backup/home?region={region}#/backupvaults/details/{first}")
            }
            ("cognito-idp", "userpool") => {
                format!("/cognito/v2/idp/user-pools/{first}/users?region={region}")
            }
            ("codepipeline", "") => {
                format!("/codesuite/codepipeline/pipelines/{id}/view?region={region}")
            }
            ("codebuild", "project") => {
                format!("/codesuite/codebuild/{account}/projects/{id}?region={region}")
            }
            ("codecommit", "") => {
                format!("/codesuite/codecommit/repositories/{id}/browse?region={region}")
            }
            _ => return None,
        })
    }

    /// A bucket, a folder in it (a key that ends in a slash or a star), or an object.
    fn s3_path(&self, region: &Region) -> String {
        let (bucket, key) = self.resource.split_once('/').unwrap_or((self.resource, ""));
        let bucket = escaped(bucket);
        let folder = key.strip_suffix('*').unwrap_or(key);
        if key.is_empty() {
            format!("/s3/buckets/{bucket}?region={region}")
        } else if folder.len() < key.len() || folder.ends_with('/') {
            format!("/s3/buckets/{bucket}?region={region}&prefix={}", escaped(folder))
        } else {
            format!("/s3/object/{bucket}?region={region}&prefix={}", escaped(key))
        }
    }
}

fn ec2_path(region: &Region, kind: &str, id: &str) -> Option<String> {
    let (console, page) = match kind {
        "instance" => ("ec2", "InstanceDetails:instanceId"),
        "volume" => ("ec2", "VolumeDetails:volumeId"),
        "snapshot" => ("ec2", "SnapshotDetails:snapshotId"),
        "image" => ("ec2", "ImageDetails:imageId"),
        "security-group" => ("ec2", "SecurityGroup:groupId"),
        "network-interface" => ("ec2", "NetworkInterface:networkInterfaceId"),
        "launch-template" => ("ec2", "LaunchTemplateDetails:launchTemplateId"),
        "vpc" => ("vpcconsole", "VpcDetails:VpcId"),
        "subnet" => ("vpcconsole", "SubnetDetails:subnetId"),
        "route-table" => ("vpcconsole", "RouteTableDetails:RouteTableId"),
        "natgateway" => ("vpcconsole", "NatGatewayDetails:natGatewayId"),
        "internet-gateway" => ("vpcconsole", "InternetGateway:internetGatewayId"),
        "vpc-endpoint" => ("vpcconsole", "EndpointDetails:vpcEndpointId"),
        _ => return None,
    };
    Some(format!("/{console}/home?region={region}#{page}={id}"))
}

/// A log group, or a stream in it. Its page escapes twice, with `$` instead of `%`.
fn log_path(region: &Region, name: &str) -> String {
    let name = name.strip_suffix(":*").unwrap_or(name);
    let part = |text: &str| escaped(&escaped(text)).replace('%', "$");
    let (group, stream) =
        name.split_once(":log-stream:").map_or((name, None), |(group, stream)| (group, Some(stream)));
    let stream = stream.filter(|stream| !stream.is_empty());
    let events = stream.map(|stream| format!("/log-events/{}", part(stream))).unwrap_or_default();
    format!("/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{}{events}", part(group))
}

/// Percent-encoded like JavaScript's `encodeURIComponent`, of which AWS's pages make their addresses.
fn escaped(text: &str) -> String {
    escaped_except(text, b"-_.~")
}

/// The same with the slashes that part a path.
fn path_escaped(text: &str) -> String {
    escaped_except(text, b"-_.~/")
}

fn escaped_except(text: &str, plain: &[u8]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            escaped.push(byte.into());
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

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
