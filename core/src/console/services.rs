//! The services by the names that people use, and where the console has them.

use super::ConsolePage;
use crate::aws::{Partition, Region};

/// A service of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Its line of the table.
    line: &'static str,
}

impl Service {
    /// The service of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|service| service.names().any(|known| known.eq_ignore_ascii_case(name)))
    }

    /// Every service.
    pub fn all() -> impl Iterator<Item = Self> {
        SERVICES.split('\n').map(|line| Self { line })
    }

    /// Its names, the most usual one first.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let line = self.line.strip_prefix(GLOBAL).unwrap_or(self.line);
        line.split(' ').filter(|word| !word.starts_with('/'))
    }

    /// Its page in a region, and that region; for a global service that of the partition's main region.
    #[must_use]
    pub fn page(self, partition: Partition, region: Region) -> (ConsolePage, Region) {
        let path = match self.line.find('/') {
            Some(start) => self.line[start..].to_owned(),
            None => ["/", self.names().next().unwrap_or_default(), "/home"].concat(),
        };
        let (path, region) = in_region(&path, self.line.starts_with(GLOBAL), partition, region);
        (ConsolePage(path), region)
    }
}

/// The path of a page in a region; of one that is the same in all regions, in the partition's main region.
pub(super) fn in_region(
    path: &str,
    is_global: bool,
    partition: Partition,
    region: Region,
) -> (String, Region) {
    if is_global {
        return (path.to_owned(), partition.default_region());
    }
    let (path, fragment) = path.split_at(path.find('#').unwrap_or(path.len()));
    let separator = if path.contains('?') { "&region=" } else { "?region=" };
    ([path, separator, region.as_str(), fragment].concat(), region)
}

/// What the line of a service begins with that is the same in all regions.
pub(super) const GLOBAL: char = '*';

/// Of each service its names and its path, which may have a fragment; `/NAME/home` with its first name where there is none. With
/// the services' own names in ARNs, so that an ARN leads at least to its service.
const SERVICES: &str = "\
ec2 instances
ebs volumes /ec2/home#Volumes:
ami amis /ec2/home#Images:
autoscaling asg /ec2/home#AutoScalingGroups:
elb alb nlb elbv2 elasticloadbalancing /ec2/home#LoadBalancers:
lambda l
ecs /ecs/v2/clusters
eks
ecr
apprunner
batch
elasticbeanstalk beanstalk eb
imagebuilder
workspaces /workspaces/v2/home
s3 buckets
efs elasticfilesystem
fsx
backup
storagegateway
transfer sftp
datasync
rds aurora
dynamodb ddb dynamo /dynamodbv2/home
elasticache redis memcached
memorydb
docdb documentdb
neptune
keyspaces cassandra
timestream
dms /dms/v2/home
redshift /redshiftv2/home
athena
glue
lakeformation
emr elasticmapreduce
kinesis
firehose
msk kafka
opensearch aos es /aos/home
vpc /vpcconsole/home
apigateway apigw api execute-api /apigateway/main/apis
directconnect dx /directconnect/v2/home
cloudmap servicediscovery
networkfirewall network-firewall /vpcconsole/home#NetworkFirewalls:
*route53 r53 dns /route53/v2/home
*cloudfront cf /cloudfront/v4/home
*globalaccelerator
sqs queues /sqs/v3/home
sns topics /sns/v3/home
eventbridge events /events/home
scheduler
stepfunctions sfn states /states/home
mq amazonmq /amazon-mq/home
mwaa airflow
ses email
appsync
cloudwatch cw
logs cwl /cloudwatch/home#logsV2:log-groups
alarms /cloudwatch/home#alarmsV2:
xray traces /cloudwatch/home#xray:traces/query
cloudformation cfn stacks
cloudtrail ct /cloudtrailv2/home
config
ssm systems-manager systemsmanager /systems-manager/home
parameterstore param parameters /systems-manager/parameters
appconfig /systems-manager/appconfig
servicecatalog catalog
servicequotas quotas
resourcegroups resource-groups /resource-groups/home
controltower
cloudshell shell
grafana
prometheus amp aps
computeoptimizer compute-optimizer /compute-optimizer/home
wellarchitected
*organizations orgs /organizations/v2/home
*billing bills /costmanagement/home
*costexplorer ce costs /costmanagement/home#/cost-explorer
*budgets /costmanagement/home#/budgets
*trustedadvisor
*support
secretsmanager sm secrets
kms keys
acm certificates
cognito cognito-idp cognito-identity /cognito/v2/home
guardduty gd
securityhub
inspector inspector2 /inspector/v2/home
macie macie2
detective
waf wafv2 /wafv2/homev2
accessanalyzer access-analyzer /access-analyzer/home
identitycenter sso singlesignon /singlesignon/home
directoryservice ds /directoryservicev2/home
ram
*iam users roles
*shield /wafv2/shieldv2
codebuild /codesuite/codebuild/projects
codepipeline /codesuite/codepipeline/pipelines
codecommit /codesuite/codecommit/repositories
codedeploy /codesuite/codedeploy/applications
codeartifact /codesuite/codeartifact/repositories
cloud9 c9
amplify
sagemaker
bedrock
iot
connect /connect/v2/home";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_services_have_a_name_in_common_and_every_path_is_a_page() {
        let names: Vec<_> = Service::all().flat_map(Service::names).collect();
        for (position, name) in names.iter().enumerate() {
            assert!(!names[..position].contains(name), "{name} is there twice");
            assert!(
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
        }
        assert!(Service::all().count() >= 60);
        for service in Service::all() {
            let (page, _) = service.page(Partition::Aws, "eu-west-1".parse().unwrap());
            assert_eq!(page.as_str().parse(), Ok(page));
        }
    }

    #[test]
    fn a_service_opens_in_its_region_and_a_global_one_without() {
        let page = |name: &str, partition: Partition| {
            let (page, region) = Service::named(name).unwrap().page(partition, "eu-west-1".parse().unwrap());
            (page.to_string(), region.to_string())
        };
        for (name, path) in [
            ("s3", "/s3/home?region=eu-west-1"),
            ("CW", "/cloudwatch/home?region=eu-west-1"),
            ("logs", "/cloudwatch/home?region=eu-west-1#logsV2:log-groups"),
        ] {
            assert_eq!(page(name, Partition::Aws), (path.to_owned(), "eu-west-1".to_owned()));
        }
        assert_eq!(page("iam", Partition::Aws), ("/iam/home".to_owned(), "us-east-1".to_owned()));
        assert_eq!(page("iam", Partition::AwsCn), ("/iam/home".to_owned(), "cn-north-1".to_owned()));
        assert_eq!(Service::named("s4"), None);
    }
}
