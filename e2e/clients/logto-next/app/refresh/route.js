import LogtoClient from '@logto/next/server-actions'
import { redirect } from 'next/navigation'
import { config } from '../../config.mjs'

// Without its access token the client needs the refresh token, as after an hour.
export async function GET() {
  const client = await new LogtoClient(config).createNodeClient()
  await client.clearAccessToken()
  await client.getAccessToken()
  redirect('/profile')
}
