// The API of docs/resources.md on Node: it takes the provider's access tokens for itself,
// checked with jose, and tells who calls and what they may do.
import { createServer } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const { ISSUER, AUDIENCE, PORT } = process.env
const keys = createRemoteJWKSet(new URL(`${ISSUER}/jwks`))

async function caller(authorization) {
  const token = authorization?.match(/^Bearer (.+)$/i)?.[1] ?? ''
  const { payload } = await jwtVerify(token, keys, {
    issuer: ISSUER,
    audience: AUDIENCE,
    typ: 'at+jwt',
    algorithms: ['ES256'],
  })
  return { id: payload.sub, app: payload.client_id, scopes: payload.scope.split(' ') }
}

createServer(async (req, res) => {
  const answer = (status, body) => res.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
  try {
    const who = await caller(req.headers.authorization)
    answer(who.scopes.includes('read:orders') ? 200 : 403, who)
  } catch (error) {
    answer(401, { error: error.code })
  }
}).listen(PORT, '127.0.0.1')
