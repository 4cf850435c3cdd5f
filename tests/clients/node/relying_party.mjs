// A relying party of each library: openid-client 6 (certified) and oauth4webapi, with and without a client secret.
//
// GET /{library}/{client}/login?…    leads to Doorward; further parameters (prompt, max_age, …) go along
// GET /{library}/{client}/callback   finishes the code flow and answers what the library made of it, as JSON
// GET /{library}/{client}/replay     redeems the last code again
//
// Started by the suite: node relying_party.mjs '{"port": …, "issuer": …, "clients": {"basic": {"id": …, "secret": …}}}'

import http from "node:http";
import * as oauth from "oauth4webapi";
import * as client from "openid-client";

const settings = JSON.parse(process.argv[2]);
const issuer = new URL(settings.issuer);
const scope = "openid profile email groups";
const underWay = new Map(); // state -> what the callback needs
const insecure = { [oauth.allowInsecureRequests]: true };
let lastRedeemed = null;

const redirectUri = (library, name) => `http://localhost:${settings.port}/${library}/${name}/callback`;

const libraries = {
  "openid-client": {
    async begin({ id, secret }, redirect_uri, extra) {
      const authentication = secret ? client.ClientSecretBasic(secret) : client.None();
      const config = await client.discovery(issuer, id, secret ? { client_secret: secret } : {}, authentication, {
        execute: [client.allowInsecureRequests],
      });
      const code_verifier = client.randomPKCECodeVerifier();
      const state = client.randomState();
      const nonce = client.randomNonce();
      const parameters = {
        redirect_uri,
        scope,
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
        code_challenge_method: "S256",
        ...extra,
      };
      const max_age = extra.max_age === undefined ? undefined : Number(extra.max_age);
      underWay.set(state, { config, code_verifier, nonce, max_age });
      return client.buildAuthorizationUrl(config, parameters);
    },
    async finish(kept, state, url) {
      const { config, code_verifier, nonce, max_age } = kept;
      // Signature checks of the ID Token are left out by default, as it came over the back channel; here they count.
      client.enableNonRepudiationChecks(config);
      const checks = { pkceCodeVerifier: code_verifier, expectedState: state, expectedNonce: nonce, maxAge: max_age };
      const tokens = await client.authorizationCodeGrant(config, url, { ...checks, idTokenExpected: true });
      const claims = tokens.claims();
      const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
      return { claims, userinfo, token_type: tokens.token_type, id_token: tokens.id_token, expires_in: tokens.expires_in };
    },
  },
  oauth4webapi: {
    async begin({ id, secret }, redirect_uri, extra) {
      const found = await oauth.discoveryRequest(issuer, insecure);
      const server = await oauth.processDiscoveryResponse(issuer, found);
      const code_verifier = oauth.generateRandomCodeVerifier();
      const state = oauth.generateRandomState();
      const nonce = oauth.generateRandomNonce();
      const url = new URL(server.authorization_endpoint);
      const parameters = {
        client_id: id,
        redirect_uri,
        response_type: "code",
        scope,
        state,
        nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(code_verifier),
        code_challenge_method: "S256",
        ...extra,
      };
      for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
      underWay.set(state, { server, id, secret, code_verifier, nonce, redirect_uri });
      return url;
    },
    async finish(kept, state, url) {
      const { server, id, secret, code_verifier, nonce, redirect_uri } = kept;
      const party = { client_id: id };
      const authentication = secret ? oauth.ClientSecretBasic(secret) : oauth.None();
      const parameters = oauth.validateAuthResponse(server, party, url, state);
      const granted = await oauth.authorizationCodeGrantRequest(
        server, party, authentication, parameters, redirect_uri, code_verifier, insecure,
      );
      const tokens = await oauth.processAuthorizationCodeResponse(server, party, granted, {
        expectedNonce: nonce,
        requireIdToken: true,
      });
      await oauth.validateApplicationLevelSignature(server, granted, insecure);
      const claims = oauth.getValidatedIdTokenClaims(tokens);
      const answered = await oauth.userInfoRequest(server, party, tokens.access_token, insecure);
      const userinfo = await oauth.processUserInfoResponse(server, party, claims.sub, answered);
      return { claims, userinfo, token_type: tokens.token_type, id_token: tokens.id_token, expires_in: tokens.expires_in };
    },
  },
};

const describe = (error) => ({
  error: error.error ?? error.code ?? error.name,
  message: error.message,
  description: error.error_description ?? null,
  cause: error.cause ? String(error.cause.message ?? error.cause.error ?? error.cause) : null,
});

async function answer(request, response) {
  const url = new URL(request.url, `http://localhost:${settings.port}`);
  const [, library, name, step] = url.pathname.split("/");
  const party = settings.clients[name];
  const say = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (url.pathname === "/ready") return say(200, { ready: true });
  if (!libraries[library] || !party) return say(404, { error: "not_found" });
  if (step === "login") {
    const extra = Object.fromEntries(url.searchParams);
    const to = await libraries[library].begin(party, redirectUri(library, name), extra);
    response.writeHead(302, { location: to.href });
    return response.end();
  }
  const state = url.searchParams.get("state");
  const [kept, asked] = step === "replay" ? lastRedeemed : [underWay.get(state), url];
  const keptState = step === "replay" ? asked.searchParams.get("state") : state;
  underWay.delete(keptState);
  if (!kept) return say(400, { error: "unknown_state" });
  lastRedeemed = [kept, asked];
  return say(200, await libraries[library].finish(kept, keptState, asked));
}

http
  .createServer((request, response) => {
    answer(request, response).catch((error) => {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify(describe(error)));
    });
  })
  .listen(settings.port, "127.0.0.1");
