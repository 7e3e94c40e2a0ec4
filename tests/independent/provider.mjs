// An OpenID Connect provider that is not ours: oidc-provider, with its own development pages, on a port of its own
// choice. It prints its issuer. Every name may sign in, with any password.
//
// node provider.mjs APPLICATION_TYPE REDIRECT_URI...

import { createServer } from "node:http";

import Provider from "oidc-provider";

const [application_type, ...redirect_uris] = process.argv.slice(2);
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "rolecall",
        token_endpoint_auth_method: "none",
        application_type,
        redirect_uris,
        response_types: ["code"],
        grant_types: ["authorization_code", "refresh_token"],
      },
    ],
    claims: { openid: ["sub"], email: ["email"] },
    // The ID token itself names the person.
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.com` }) }),
    // It makes keys of its own where it is given none, and signs with RS256.
    cookies: { keys: ["only for tests"] },
  });
  // Its pages would have the browser fetch a font from elsewhere.
  provider.use((ctx, next) => {
    ctx.set("content-security-policy", "style-src 'unsafe-inline'");
    return next();
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
// Whoever started it holds its standard input, and ends it by going away.
process.stdin.on("close", () => process.exit()).resume();
