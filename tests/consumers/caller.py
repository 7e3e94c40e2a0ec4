"""Prints the caller's ARN for each input line, with boto3. For a line that contains "hold", it prints its credentials in
the format of a credential_process."""

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
