import { handleAuthRoutes, withLogto } from '@logto/express'
import cookieParser from 'cookie-parser'
import express from 'express'
import session from 'express-session'

const { IDP_ENDPOINT, CLIENT_ID, CLIENT_SECRET, BASE_URL, PORT, SESSION_SECRET } = process.env
const config = {
  endpoint: IDP_ENDPOINT,
  appId: CLIENT_ID,
  appSecret: CLIENT_SECRET,
  baseUrl: BASE_URL,
  scopes: ['email'],
}

const app = express()
app.use(cookieParser())
app.use(session({ secret: SESSION_SECRET, resave: false, saveUninitialized: false }))
app.use(handleAuthRoutes(config)) // /logto/sign-in, /logto/sign-in-callback, /logto/sign-out

app.get('/', withLogto(config), (req, res) => {
  res.send(req.user.isAuthenticated
    ? '<p>Signed in. <a href="/me">Who am I?</a> <a id="sign-out" href="/logto/sign-out">Sign out</a></p>'
    : '<p><a id="sign-in" href="/logto/sign-in">Sign in</a></p>')
})

app.get('/me', withLogto(config), (req, res) => {
  if (!req.user.isAuthenticated) return res.redirect('/logto/sign-in')
  res.json(req.user.claims)
})

app.listen(PORT, () => console.log(`Open ${BASE_URL}`))
