import { getLogtoContext } from '@logto/next/server-actions'
import { redirect } from 'next/navigation'
import { config } from '../../config.mjs'
import { SignOut } from '../actions'

export default async function Profile() {
  const { isAuthenticated, claims, userInfo, accessToken } = await getLogtoContext(config, { fetchUserInfo: true, getAccessToken: true })
  if (!isAuthenticated) redirect('/sign-in')
  return <>
    <p>Signed in as {claims.email}</p>
    <pre id="id-token">{JSON.stringify(claims)}</pre>
    <pre id="userinfo">{JSON.stringify(userInfo)}</pre>
    <pre id="access-token">{accessToken}</pre>
    <SignOut />
  </>
}
