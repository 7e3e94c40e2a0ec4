// Prints the caller's ARN for each input line, with the SDK for JavaScript. For a line that contains "hold", it prints its
// credentials in the format of a credential_process.

import { createInterface } from "node:readline";

import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const sts = new STSClient();
for await (const line of createInterface({ input: process.stdin })) {
  if (line.includes("hold")) {
    const held = await sts.config.credentials();
    console.log(
      JSON.stringify({
        AccessKeyId: held.accessKeyId,
        SecretAccessKey: held.secretAccessKey,
        SessionToken: held.sessionToken,
        Expiration: held.expiration.toISOString().replace(".000Z", "Z"),
        AccountId: held.accountId,
      }),
    );
  } else {
    const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
    console.log(Arn);
  }
}
