// The app of express-openid-connect's README, with a refresh token.
import express from 'express'
import eoc from 'express-openid-connect'
import { home, profile } from '../page.mjs'

const { ENDPOINT, CLIENT_ID, CLIENT_SECRET, HOME_URL, PORT } = process.env

const app = express()
app.use(eoc.auth({
  issuerBaseURL: `${ENDPOINT}/oidc`,
  baseURL: HOME_URL,
  clientID: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  secret: 'for tests only, and long enough',
  authRequired: false,
  idpLogout: true,
  authorizationParams: { response_type: 'code', scope: 'openid profile email offline_access' },
  // A cookie belongs to a host, whatever the port: each app needs its own names.
  session: { name: CLIENT_ID },
  transactionCookie: { name: `${CLIENT_ID}-transaction` },
}))

app.get('/', (req, res) => res.send(home(req.oidc.user, '/login', '/logout')))

app.get('/profile', eoc.requiresAuth(), async (req, res) => {
  res.send(profile(req.oidc.idTokenClaims, await req.oidc.fetchUserInfo(), req.oidc.accessToken.access_token, '/logout'))
})

app.get('/refresh', eoc.requiresAuth(), async (req, res) => {
  await req.oidc.accessToken.refresh()
  res.redirect('/profile')
})

app.listen(PORT, '127.0.0.1')
