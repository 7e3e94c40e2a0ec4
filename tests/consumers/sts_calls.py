"""Makes the same STS calls as Rolecall, with boto3, at the given endpoint: for each line of JSON with the parameters of
AssumeRoleWithWebIdentity, that call, and GetCallerIdentity with its credentials."""

import json
import sys

import boto3

endpoint = sys.argv[1]
for line in sys.stdin:
    sts = boto3.client("sts", region_name="us-east-1", endpoint_url=endpoint)
    keys = sts.assume_role_with_web_identity(**json.loads(line))["Credentials"]
    boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    ).get_caller_identity()
    print("done", flush=True)
