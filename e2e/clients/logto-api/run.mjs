// Sets an instance up as Logto's guides do, with nothing but Logto's own client, and
// prints what an app needs. Each answer that is not expected ends it.
import { createManagementApi } from '@logto/api/management'

const { ENDPOINT, CLIENT_ID, CLIENT_SECRET, SES_CONFIG, HOME_URL, EMAIL } = process.env
const { apiClient: api, clientCredentials } = createManagementApi('default', {
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  baseUrl: ENDPOINT,
  apiIndicator: 'https://default.logto.app/api',
})

const expect = async (status, call) => {
  const { response, data, error } = await call
  if (response.status !== status) {
    throw new Error(`${response.url}: ${response.status}, not ${status}: ${JSON.stringify(data ?? error)}`)
  }
  return data ?? error
}
const check = (truth, what) => {
  if (!truth) throw new Error(what)
}

const { scope } = await clientCredentials.getAccessToken()
check(scope === 'all', `the scope is ${scope}`) // else Logto's client warns

if (EMAIL) {
  // Afterwards: who has signed in, and that it can be undone.
  const users = await expect(200, api.GET('/api/users', { params: { query: { search: EMAIL } } }))
  check(users.length === 1 && users[0].primaryEmail === EMAIL, JSON.stringify(users))
  const logs = await expect(200, api.GET('/api/logs', { params: { query: { page_size: 100 } } }))
  check(logs.length > 0, 'the log is empty')
  await expect(200, api.PATCH('/api/users/{userId}/is-suspended', { params: { path: { userId: users[0].id } }, body: { isSuspended: true } }))
  await expect(204, api.DELETE('/api/connectors/{id}', { params: { path: { id: 'aws-ses-mail' } } }))
  console.log(JSON.stringify({ user: users[0].id }))
  process.exit()
}

const app = await expect(200, api.POST('/api/applications', {
  body: {
    name: 'Bookstore',
    type: 'Traditional',
    oidcClientMetadata: { redirectUris: [`${HOME_URL}/logto/sign-in-callback`], postLogoutRedirectUris: [HOME_URL] },
  },
}))
check((await expect(200, api.GET('/api/applications'))).some(({ id }) => id === app.id), 'the application is not in the list')

const factories = await expect(200, api.GET('/api/connector-factories'))
check(factories.some(({ id, type }) => id === 'aws-ses-mail' && type === 'Email'), 'there is no factory for SES')
const config = JSON.parse(SES_CONFIG)
const test = (changed) => api.POST('/api/connectors/{factoryId}/test', {
  params: { path: { factoryId: 'aws-ses-mail' } }, body: { email: 'operator@example.com', config: { ...config, ...changed } },
})
const refused = await expect(400, test({ accessKeySecret: 'notTheSecret' }))
check(refused.code === 'connector.invalid_response' && /signature/i.test(refused.message), JSON.stringify(refused))
const bad = await expect(400, test({ templates: config.templates.slice(1) }))
check(bad.message.includes('Template with UsageType (Register) should be provided!'), JSON.stringify(bad))
await expect(204, test({}))
const connector = await expect(200, api.POST('/api/connectors', { body: { connectorId: 'aws-ses-mail', config } }))
check(connector.config.accessKeySecret !== config.accessKeySecret, 'the key can be read')
const saved = await expect(200, api.GET('/api/connectors/{id}', { params: { path: { id: connector.id } } }))
await expect(200, api.PATCH('/api/connectors/{id}', { params: { path: { id: connector.id } }, body: { config: saved.config } }))

await expect(200, api.PATCH('/api/sign-in-exp', {
  body: {
    signUp: { identifiers: ['email'], password: false, verify: true },
    signIn: { methods: [{ identifier: 'email', password: false, verificationCode: true, isPasswordPrimary: false }] },
    color: { primaryColor: '#0a7d34', isDarkModeEnabled: true, darkPrimaryColor: '#3ddc84' },
    languageInfo: { autoDetect: false, fallbackLanguage: 'ja' },
  },
}))
await expect(422, api.PATCH('/api/sign-in-exp', { body: { signUp: { identifiers: ['email'], password: true, verify: true } } }))
await expect(200, api.PUT('/api/email-templates', {
  body: { templates: [{ languageTag: 'en', templateType: 'SignIn', details: { subject: 'Books', content: '<p>{{code}}</p>' } }] },
}))
await expect(204, api.GET('/api/status'))
check((await api.GET('/api/applications/{id}', { params: { path: { id: 'nobody' } } })).error.code === 'entity.not_found', 'no 404')

console.log(JSON.stringify({ id: app.id, secret: app.secret }))
