// A third-party OpenID Connect provider: oidc-provider, with its own development pages, on a free port. It prints its
// issuer. Every name may sign in, with any password.
//
// node provider.mjs PACKAGE CONFIG, with JSON: {"application_type", "redirect_uris", "cors", "par", "algorithm"}.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";

const [name, text] = process.argv.slice(2);
const { default: Provider } = await import(name);
const { application_type, redirect_uris, cors, par, algorithm } = JSON.parse(text);

const pair = algorithm === "ES256" ? ["ec", { namedCurve: "P-256" }] : ["rsa", { modulusLength: 2048 }];
const jwk = { ...generateKeyPairSync(...pair).privateKey.export({ format: "jwk" }), use: "sig", alg: algorithm };

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
        id_token_signed_response_alg: algorithm,
      },
    ],
    claims: { openid: ["sub"], email: ["email"] },
    // By default it answers no origin, and refuses a token request that has one.
    ...(cors && { clientBasedCORS: () => true }),
    features: { pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: par } },
    // The ID token itself names the person.
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.com` }) }),
    jwks: { keys: [jwk] },
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
