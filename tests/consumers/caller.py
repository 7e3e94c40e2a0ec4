"""Says who it is to AWS, with boto3: the ARN of the caller, for every line that it is given. Asked what it holds, it
prints its credentials in the form of a credential_process."""

import json
import sys

import boto3

session = boto3.Session()
sts = session.client("sts")
for line in sys.stdin:
    if "hold" in line:
        credentials = session.get_credentials()
        keys = credentials.get_frozen_credentials()
        held = {
            "AccessKeyId": keys.access_key,
            "SecretAccessKey": keys.secret_key,
            "SessionToken": keys.token,
            # It tells nobody when they end but itself.
            "Expiration": credentials._expiry_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "AccountId": keys.account_id,
        }
        print(json.dumps(held), flush=True)
    else:
        print(sts.get_caller_identity()["Arn"], flush=True)
