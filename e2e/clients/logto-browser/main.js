// A single-page app: each address is a step of Logto's guide for plain JavaScript.
import LogtoClient from '@logto/browser'
import { home, profile } from '../page.mjs'

const client = new LogtoClient({ endpoint: ENDPOINT, appId: CLIENT_ID, scopes: ['email'] })
const show = (html) => { document.body.innerHTML = html }
const signIn = () => client.signIn(`${location.origin}/callback`)

async function showProfile() {
  if (!await client.isAuthenticated()) return signIn()
  const userinfo = await client.fetchUserInfo()
  show(profile(await client.getIdTokenClaims(), userinfo, await client.getAccessToken(), '/sign-out'))
}

const routes = {
  '/': async () => show(home(await client.isAuthenticated() && await client.getIdTokenClaims(), '/sign-in', '/sign-out')),
  '/sign-in': signIn,
  '/sign-out': () => client.signOut(location.origin),
  '/callback': async () => { await client.handleSignInCallback(location.href); location.replace('/') },
  '/profile': showProfile,
  // Without its access token the client needs the refresh token, as after an hour.
  // What it stored is only there to be cleared once it has read it.
  '/refresh': async () => { await client.isAuthenticated(); await client.clearAccessToken(); await showProfile() },
}

routes[location.pathname]().catch((err) => show(`<pre>${err.stack}</pre>`))
