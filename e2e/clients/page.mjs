// What the apps on Node.js show. The tests go by these words and ids, the same for every app.
const escape = (value) => String(value).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)

// home is the public page.
export const home = (claims, signIn, signOut) => claims
  ? `<p>Signed in as ${escape(claims.email)}</p> <a id="sign-out" href="${signOut}">Sign out</a>`
  : `<p>Signed out</p> <a id="sign-in" href="${signIn}">Sign in</a>`

// profile is the protected page: it shows what the client library learned.
export const profile = (claims, userinfo, accessToken, signOut) => `
  <p>Signed in as ${escape(claims.email)}</p>
  <pre id="id-token">${escape(JSON.stringify(claims))}</pre>
  <pre id="userinfo">${escape(JSON.stringify(userinfo))}</pre>
  <pre id="access-token">${escape(accessToken)}</pre>
  <a id="sign-out" href="${signOut}">Sign out</a>`
