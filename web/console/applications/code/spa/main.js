import LogtoClient from '@logto/browser'

const client = new LogtoClient({
  endpoint: <<text .Endpoint>>,
  appId: <<text .ID>>,
  scopes: ['email'],
})
const redirectUri = <<text .Redirect>>
const who = document.querySelector('#who')

function button(id, label, action) {
  const made = document.createElement('button')
  made.id = id
  made.textContent = label
  made.addEventListener('click', action)
  who.append(made)
}

if (location.href.startsWith(redirectUri + '?')) {
  await client.handleSignInCallback(location.href)
  history.replaceState({}, '', '/')
}
if (await client.isAuthenticated()) {
  const { email } = await client.getIdTokenClaims()
  who.textContent = `Signed in as ${email} `
  button('sign-out', 'Sign out', () => client.signOut(<<text .Out>>))
} else {
  button('sign-in', 'Sign in', () => client.signIn(redirectUri))
}
