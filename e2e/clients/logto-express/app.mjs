// The app of Logto's guide for Express, with a protected page.
import { handleAuthRoutes, withLogto } from '@logto/express'
import cookieParser from 'cookie-parser'
import express from 'express'
import session from 'express-session'
import { home, profile } from '../page.mjs'

const { ENDPOINT, CLIENT_ID, CLIENT_SECRET, HOME_URL, PORT, RESOURCE, API_URL } = process.env
const config = {
  endpoint: ENDPOINT,
  appId: CLIENT_ID,
  appSecret: CLIENT_SECRET,
  baseUrl: HOME_URL,
  scopes: RESOURCE ? ['email', 'roles', 'read:orders', 'write:orders'] : ['email'],
  resources: RESOURCE ? [RESOURCE] : [],
}

const app = express()
app.use(cookieParser())
// A cookie belongs to a host, whatever the port: each app needs its own name.
app.use(session({ name: CLIENT_ID, secret: 'for tests only', resave: false, saveUninitialized: false }))
app.use(handleAuthRoutes(config))

app.get('/', withLogto(config), (req, res) => {
  res.send(home(req.user.claims, '/logto/sign-in', '/logto/sign-out'))
})

const signedIn = [
  withLogto({ ...config, fetchUserInfo: true, getAccessToken: true }),
  (req, res, next) => req.user.isAuthenticated ? next() : res.redirect('/logto/sign-in'),
]

app.get('/profile', signedIn, (req, res) => {
  res.send(profile(req.user.claims, req.user.userInfo, req.user.accessToken, '/logto/sign-out'))
})

// Without its access token the client needs the refresh token, as after an hour.
app.get('/refresh', (req, res, next) => { delete req.session.accessToken; next() }, signedIn, (req, res) => {
  res.redirect('/profile')
})

// The app calls an API in the person's name.
app.get('/orders', withLogto({ ...config, getAccessToken: true, resource: RESOURCE }), async (req, res) => {
  if (!req.user.isAuthenticated) return res.redirect('/logto/sign-in')
  const answer = await fetch(API_URL, { headers: { Authorization: `Bearer ${req.user.accessToken}` } })
  res.send(`<p>Orders: ${answer.status}</p> <pre id="orders">${JSON.stringify({ ...await answer.json(), roles: req.user.claims.roles })}</pre>`)
})

app.listen(PORT, '127.0.0.1')
