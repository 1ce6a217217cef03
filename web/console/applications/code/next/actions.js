import { signIn, signOut } from '@logto/next/server-actions'
import { config } from './logto'

async function onSignIn() {
  'use server'
  await signIn(config)
}

async function onSignOut() {
  'use server'
  await signOut(config)
}

export const SignIn = () => <form action={onSignIn}><button id="sign-in">Sign in</button></form>
export const SignOut = () => <form action={onSignOut}><button id="sign-out">Sign out</button></form>
