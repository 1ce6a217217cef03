import { getLogtoContext } from '@logto/next/server-actions'
import { SignIn, SignOut } from './actions'
import { config } from './logto'

export default async function Home() {
  const { isAuthenticated, claims } = await getLogtoContext(config)
  return isAuthenticated
    ? <><p>Signed in as {claims.email}</p><SignOut /></>
    : <SignIn />
}
