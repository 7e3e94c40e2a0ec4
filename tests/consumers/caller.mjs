// Says who it is to AWS, with the SDK for JavaScript: the ARN of the caller, for every line that it is given.

import { createInterface } from "node:readline";

import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const sts = new STSClient();
for await (const _ of createInterface({ input: process.stdin })) {
  const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
  console.log(Arn);
}
