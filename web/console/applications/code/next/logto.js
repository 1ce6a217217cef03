export const config = {
  endpoint: process.env.IDP_ENDPOINT,
  appId: process.env.CLIENT_ID,
  appSecret: process.env.CLIENT_SECRET,
  baseUrl: process.env.BASE_URL,
  cookieSecret: process.env.SESSION_SECRET,
  cookieSecure: process.env.BASE_URL?.startsWith('https:'),
  scopes: ['email'],
}
