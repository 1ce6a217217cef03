import { getLogtoContext } from '@logto/next/server-actions'
import { config } from '../config.mjs'
import { SignIn, SignOut } from './actions'

export default async function Home() {
  const { isAuthenticated, claims } = await getLogtoContext(config)
  return isAuthenticated
    ? <><p>Signed in as {claims.email}</p><SignOut /></>
    : <><p>Signed out</p><SignIn /></>
}
