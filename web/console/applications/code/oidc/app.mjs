// npm install express@5 express-openid-connect
import express from 'express'
import eoc from 'express-openid-connect'

const { IDP_ISSUER, CLIENT_ID, CLIENT_SECRET, BASE_URL, PORT, SESSION_SECRET } = process.env

const app = express()
app.use(eoc.auth({
  issuerBaseURL: IDP_ISSUER,
  baseURL: BASE_URL,
  clientID: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  secret: SESSION_SECRET,
  authRequired: false,
  idpLogout: true,
  routes: { callback: <<text .Path>>, postLogoutRedirect: process.env.POST_LOGOUT_REDIRECT_URI },
  authorizationParams: { response_type: 'code', scope: 'openid profile email' },
}))

app.get('/', (req, res) => {
  res.send(req.oidc.isAuthenticated()
    ? '<p>Signed in. <a href="/me">Who am I?</a> <a id="sign-out" href="/logout">Sign out</a></p>'
    : '<p><a id="sign-in" href="/login">Sign in</a></p>')
})

app.get('/me', eoc.requiresAuth(), (req, res) => res.json(req.oidc.idTokenClaims))

app.listen(PORT, () => console.log(`Open ${BASE_URL}`))
