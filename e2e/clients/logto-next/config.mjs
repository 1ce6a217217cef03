const { ENDPOINT, CLIENT_ID, CLIENT_SECRET, HOME_URL } = process.env

export const config = {
  endpoint: ENDPOINT,
  appId: CLIENT_ID,
  appSecret: CLIENT_SECRET,
  baseUrl: HOME_URL,
  cookieSecret: 'thirty-two characters, for tests',
  cookieSecure: false, // http on loopback
  scopes: ['email'],
}
