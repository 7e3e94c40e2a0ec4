//! The services by the names that people use, and where the console has them.

use super::ConsolePage;
use crate::aws::{Partition, Region};

/// A service of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Its names, the most usual one first.
    names: &'static str,
    /// Its path, which may have a fragment.
    path: &'static str,
    /// Whether it is the same in all regions.
    is_global: bool,
}

impl Service {
    /// The service of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = name.to_ascii_lowercase();
        SERVICES.iter().find(|service| service.names().any(|known| known == name))
    }

    /// Every service.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        SERVICES.iter()
    }

    /// Its names, the most usual one first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.names.split(' ')
    }

    /// Its page in a region, and that region; for a global service that of the partition's main region.
    #[must_use]
    pub fn page(&self, partition: Partition, region: Region) -> (ConsolePage, Region) {
        if self.is_global {
            return (ConsolePage(self.path.to_owned()), partition.default_region());
        }
        let (path, fragment) = self.path.split_at(self.path.find('#').unwrap_or(self.path.len()));
        (ConsolePage(format!("{path}?region={region}{fragment}")), region)
    }
}

const fn regional(names: &'static str, path: &'static str) -> Service {
    Service { names, path, is_global: false }
}

const fn global(names: &'static str, path: &'static str) -> Service {
    Service { names, path, is_global: true }
}

/// With the services' own names in ARNs, so that an ARN leads at least to its service.
const SERVICES: &[Service] = &[
    // Compute and containers
    regional("ec2 instances", "/ec2/home"),
    regional("ebs volumes", "/ec2/home#Volumes:"),
    regional("ami amis", "/ec2/home#Images:"),
    regional("autoscaling asg", "/ec2/home#AutoScalingGroups:"),
    regional("elb alb nlb elbv2 elasticloadbalancing", "/ec2/home#LoadBalancers:"),
    regional("lambda l", "/lambda/home"),
    regional("ecs", "/ecs/v2/clusters"),
    regional("eks", "/eks/home"),
    regional("ecr", "/ecr/home"),
    regional("apprunner", "/apprunner/home"),
    regional("batch", "/batch/home"),
    regional("elasticbeanstalk beanstalk eb", "/elasticbeanstalk/home"),
    regional("imagebuilder", "/imagebuilder/home"),
    regional("workspaces", "/workspaces/v2/home"),
    // Storage
    regional("s3 buckets", "/s3/home"),
    regional("efs elasticfilesystem", "/efs/home"),
    regional("fsx", "/fsx/home"),
    regional("backup", "/backup/home"),
    regional("storagegateway", "/storagegateway/home"),
    regional("transfer sftp", "/transfer/home"),
    regional("datasync", "/datasync/home"),
    // Databases
    regional("rds aurora", "/rds/home"),
    regional("dynamodb ddb dynamo", "/dynamodbv2/home"),
    regional("elasticache redis memcached", "/elasticache/home"),
    regional("memorydb", "/memorydb/home"),
    regional("docdb documentdb", "/docdb/home"),
    regional("neptune", "/neptune/home"),
    regional("keyspaces cassandra", "/keyspaces/home"),
    regional("timestream", "/timestream/home"),
    regional("dms", "/dms/v2/home"),
    // Analytics
    regional("redshift", "/redshiftv2/home"),
    regional("athena", "/athena/home"),
    regional("glue", "/glue/home"),
    regional("lakeformation", "/lakeformation/home"),
    regional("emr elasticmapreduce", "/emr/home"),
    regional("kinesis", "/kinesis/home"),
    regional("firehose", "/firehose/home"),
    regional("msk kafka", "/msk/home"),
    regional("opensearch aos es", "/aos/home"),
    // Network
    regional("vpc", "/vpcconsole/home"),
    regional("apigateway apigw api execute-api", "/apigateway/main/apis"),
    regional("directconnect dx", "/directconnect/v2/home"),
    regional("cloudmap servicediscovery", "/cloudmap/home"),
    regional("networkfirewall network-firewall", "/vpcconsole/home#NetworkFirewalls:"),
    global("route53 r53 dns", "/route53/v2/home"),
    global("cloudfront cf", "/cloudfront/v4/home"),
    global("globalaccelerator", "/globalaccelerator/home"),
    // Integration
    regional("sqs queues", "/sqs/v3/home"),
    regional("sns topics", "/sns/v3/home"),
    regional("eventbridge events", "/events/home"),
    regional("scheduler", "/scheduler/home"),
    regional("stepfunctions sfn states", "/states/home"),
    regional("mq amazonmq", "/amazon-mq/home"),
    regional("mwaa airflow", "/mwaa/home"),
    regional("ses email", "/ses/home"),
    regional("appsync", "/appsync/home"),
    // Watching and managing
    regional("cloudwatch cw", "/cloudwatch/home"),
    regional("logs cwl", "/cloudwatch/home#logsV2:log-groups"),
    regional("alarms", "/cloudwatch/home#alarmsV2:"),
    regional("xray traces", "/cloudwatch/home#xray:traces/query"),
    regional("cloudformation cfn stacks", "/cloudformation/home"),
    regional("cloudtrail ct", "/cloudtrailv2/home"),
    regional("config", "/config/home"),
    regional("ssm systems-manager systemsmanager", "/systems-manager/home"),
    regional("parameterstore param parameters", "/systems-manager/parameters"),
    regional("appconfig", "/systems-manager/appconfig"),
    regional("servicecatalog catalog", "/servicecatalog/home"),
    regional("servicequotas quotas", "/servicequotas/home"),
    regional("resourcegroups resource-groups", "/resource-groups/home"),
    regional("controltower", "/controltower/home"),
    regional("cloudshell shell", "/cloudshell/home"),
    regional("grafana", "/grafana/home"),
    regional("prometheus amp aps", "/prometheus/home"),
    regional("computeoptimizer compute-optimizer", "/compute-optimizer/home"),
    regional("wellarchitected", "/wellarchitected/home"),
    global("organizations orgs", "/organizations/v2/home"),
    global("billing bills", "/costmanagement/home"),
    global("costexplorer ce costs", "/costmanagement/home#/cost-explorer"),
    global("budgets", "/costmanagement/home#/budgets"),
    global("trustedadvisor", "/trustedadvisor/home"),
    global("support", "/support/home"),
    // Security
    regional("secretsmanager sm secrets", "/secretsmanager/home"),
    regional("kms keys", "/kms/home"),
    regional("acm certificates", "/acm/home"),
    regional("cognito cognito-idp cognito-identity", "/cognito/v2/home"),
    regional("guardduty gd", "/guardduty/home"),
    regional("securityhub", "/securityhub/home"),
    regional("inspector inspector2", "/inspector/v2/home"),
    regional("macie macie2", "/macie/home"),
    regional("detective", "/detective/home"),
    regional("waf wafv2", "/wafv2/homev2"),
    regional("accessanalyzer access-analyzer", "/access-analyzer/home"),
    regional("identitycenter sso singlesignon", "/singlesignon/home"),
    regional("directoryservice ds", "/directoryservicev2/home"),
    regional("ram", "/ram/home"),
    global("iam users roles", "/iam/home"),
    global("shield", "/wafv2/shieldv2"),
    // Development and machine learning
    regional("codebuild", "/codesuite/codebuild/projects"),
    regional("codepipeline", "/codesuite/codepipeline/pipelines"),
    regional("codecommit", "/codesuite/codecommit/repositories"),
    regional("codedeploy", "/codesuite/codedeploy/applications"),
    regional("codeartifact", "/codesuite/codeartifact/repositories"),
    regional("cloud9 c9", "/cloud9/home"),
    regional("amplify", "/amplify/home"),
    regional("sagemaker", "/sagemaker/home"),
    regional("bedrock", "/bedrock/home"),
    regional("iot", "/iot/home"),
    regional("connect", "/connect/v2/home"),
];

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
