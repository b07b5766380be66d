// Completes every flow of the OAuth server with oauth4webapi, as a program that others write would. It is handed { issuer, confidential, open, redirect } as
// JSON, says what it did line by line, and ends with an error at the first thing that is not as the RFCs say.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

const given = JSON.parse(process.argv[2]);
const plain = { [oauth.allowInsecureRequests]: true }; // the server of the test has no TLS

const issuer = new URL(given.issuer);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...plain }));
console.log("discovery");

const clients = [
  { name: "confidential, by Basic", client: { client_id: given.confidential.id }, proof: oauth.ClientSecretBasic(given.confidential.secret) },
  { name: "confidential, in the body", client: { client_id: given.confidential.id }, proof: oauth.ClientSecretPost(given.confidential.secret) },
  { name: "public", client: { client_id: given.open.id }, proof: oauth.None() },
];

for (const { name, client, proof } of clients) {
  const tokens = await code(client, proof);
  const fresh = await refresh(client, proof, tokens.refresh_token);
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, proof, fresh.refresh_token, plain));
  await assert.rejects(refresh(client, proof, fresh.refresh_token), (e) => e.error === "invalid_grant");
  console.log(`code, refresh and revocation: ${name}`);
  await device(client, proof);
  console.log(`device: ${name}`);
}

const [{ client, proof }] = clients;
const self = await oauth.processClientCredentialsResponse(
  as, client, await oauth.clientCredentialsGrantRequest(as, client, proof, new URLSearchParams({ scope: "environments:read" }), plain),
);
assert.equal(self.scope, "environments:read");
assert.equal(self.expires_in, 3600);
const seen = await oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, proof, self.access_token, plain));
assert.equal(seen.active, true);
assert.equal(seen.client_id, client.client_id);
console.log("client credentials and introspection");

async function code(client, proof) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const ask = new URL(as.authorization_endpoint);
  ask.search = new URLSearchParams({
    response_type: "code", client_id: client.client_id, redirect_uri: given.redirect, scope: "environments:read offline_access", state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  const sent = await fetch(ask, { redirect: "manual" }); // ada's browser, in which she agrees
  const answer = oauth.validateAuthResponse(as, client, new URL(sent.headers.get("location")), state); // it checks iss
  const response = await oauth.authorizationCodeGrantRequest(as, client, proof, answer, given.redirect, verifier, plain);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response);
  assert.equal(tokens.token_type, "bearer");
  assert.equal(tokens.scope, "environments:read offline_access");
  return tokens;
}

async function refresh(client, proof, secret) {
  return oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, proof, secret, plain));
}

async function device(client, proof) {
  const parameters = new URLSearchParams({ scope: "environments:read" });
  const begun = await oauth.processDeviceAuthorizationResponse(as, client, await oauth.deviceAuthorizationRequest(as, client, proof, parameters, plain));
  const poll = async () => oauth.processDeviceCodeResponse(as, client, await oauth.deviceCodeGrantRequest(as, client, proof, begun.device_code, plain));
  await assert.rejects(poll(), (e) => e.error === "authorization_pending");
  await assert.rejects(poll(), (e) => e.error === "slow_down");
  assert.equal((await fetch(begun.verification_uri_complete)).status, 200); // ada lets it in, and the test's clock goes on
  assert.equal((await poll()).scope, "environments:read");
}
