// A relying party in one file. It prints where to send the person, one address a
// line, and reads where the person came out and whether the provider asked for an
// address on the way. It ends with an error when something is not as it should be.
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, CLIENT_KEY, REDIRECT_URI, POST_LOGOUT_URI, AUTH, EMAIL } = process.env
const authentication = {
  basic: () => client.ClientSecretBasic(CLIENT_SECRET),
  post: () => client.ClientSecretPost(CLIENT_SECRET),
  key: async () => {
    const jwk = JSON.parse(CLIENT_KEY)
    const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
    return client.PrivateKeyJwt({ key, kid: jwk.kid })
  },
  none: () => client.None(),
}[AUTH]

const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, await authentication(), {
  execute: [client.allowInsecureRequests], // the tests' issuer is on loopback
})

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
async function visit(url) {
  console.log(url.href)
  const { leaves, asked } = JSON.parse((await answers.next()).value)
  return { url: new URL(leaves), asked }
}

async function authorize(parameters, checks) {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const { url, asked } = await visit(client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: 'openid email profile offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  }))
  const tokens = await client.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
    ...checks,
  })
  return { tokens, claims: tokens.claims(), asked }
}

const active = async (token) => (await client.tokenIntrospection(config, token)).active

// Sign-in. Only prompt=consent asks for offline access for sure (OpenID Connect Core section 11).
const { tokens, claims, asked } = await authorize({ prompt: 'consent' })
assert(asked)
assert.equal(claims.email, EMAIL)
assert.equal(claims.aud, CLIENT_ID)
assert.deepEqual(claims.amr, ['otp'])
assert(claims.sid)
assert.equal((await client.fetchUserInfo(config, tokens.access_token, claims.sub)).email, EMAIL)

// The session is good for prompt=none and for a max_age that it is younger than.
const silent = await authorize({ prompt: 'none' })
assert(!silent.asked)
assert.equal(silent.claims.sub, claims.sub)
const young = await authorize({ max_age: 3600 }, { maxAge: 3600 })
assert(!young.asked)
assert.equal(young.claims.auth_time, claims.auth_time)

// Refresh.
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token)
assert.notEqual(fresh.access_token, tokens.access_token)
assert.equal(fresh.claims().sub, claims.sub)
assert.equal((await client.fetchUserInfo(config, fresh.access_token, claims.sub)).email, EMAIL)
const refreshToken = fresh.refresh_token ?? tokens.refresh_token

// Introspection is for clients that can prove who they are.
if (AUTH !== 'none') {
  const about = await client.tokenIntrospection(config, fresh.access_token)
  assert(about.active)
  assert.equal(about.client_id, CLIENT_ID)
  assert.equal(about.sub, claims.sub)
  assert(await active(refreshToken))
}

// Revocation ends all that came of the sign-in (RFC 7009 section 2.1).
await client.tokenRevocation(config, refreshToken)
await assert.rejects(client.refreshTokenGrant(config, refreshToken), { error: 'invalid_grant' })
await assert.rejects(client.fetchUserInfo(config, fresh.access_token, claims.sub))
if (AUTH !== 'none') {
  assert(!await active(refreshToken))
  assert(!await active(fresh.access_token))
}

// max_age=0 asks again, and so does the end of the session.
const again = await authorize({ max_age: 0 }, { maxAge: 0 })
assert(again.asked)
assert.equal(again.claims.sub, claims.sub)
const state = client.randomState()
const out = await visit(client.buildEndSessionUrl(config, {
  post_logout_redirect_uri: POST_LOGOUT_URI,
  id_token_hint: again.tokens.id_token,
  state,
}))
assert.equal(out.url.href, `${POST_LOGOUT_URI}?state=${state}`)
await assert.rejects(authorize({ prompt: 'none' }), { error: 'login_required' })
process.exit(0)
