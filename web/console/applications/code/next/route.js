import { handleSignIn } from '@logto/next/server-actions'
import { redirect } from 'next/navigation'
import { config } from '../logto'

export async function GET(request) {
  await handleSignIn(config, request.nextUrl.searchParams)
  redirect('/')
}
