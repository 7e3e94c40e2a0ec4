// Makes the same STS calls as Rolecall, with the SDK for JavaScript, at the given endpoint: for each line of JSON with the
// parameters of AssumeRoleWithWebIdentity, that call, and GetCallerIdentity with its credentials.

import { createInterface } from "node:readline";

import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const where = { region: "us-east-1", endpoint: process.argv[2] };
for await (const line of createInterface({ input: process.stdin })) {
  const anybody = new STSClient(where);
  const { Credentials } = await anybody.send(new AssumeRoleWithWebIdentityCommand(JSON.parse(line)));
  const credentials = {
    accessKeyId: Credentials.AccessKeyId,
    secretAccessKey: Credentials.SecretAccessKey,
    sessionToken: Credentials.SessionToken,
  };
  await new STSClient({ ...where, credentials }).send(new GetCallerIdentityCommand({}));
  console.log("done");
}
