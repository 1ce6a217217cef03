import { signIn } from '@logto/next/server-actions'
import { config } from '../../config.mjs'

// A page cannot set cookies while it renders: the protected one sends people here.
export const GET = () => signIn(config)
