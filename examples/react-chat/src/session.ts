/** The server, as in `VITE_ERRAND_URL=https://errand.example.com npm run build`. */
export const server: string = import.meta.env.VITE_ERRAND_URL ?? 'http://localhost:8080'

let grant: Promise<{ token: string }> | undefined

/** Signs in as a development user. Replace this by the sign-in of your users. */
async function signIn(): Promise<{ token: string }> {
  const response = await fetch(`${server}/dev/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'alice' }),
  })
  if (!response.ok) throw new Error(`The server does not offer the development sign-in (${response.status}).`)
  return response.json()
}

/** Returns the user's token: a new one if the last one was rejected or is about to expire. */
export async function getToken({ reason }: { reason: string }): Promise<string> {
  if (reason !== 'use') grant = undefined
  grant ??= signIn().catch((error) => ((grant = undefined), Promise.reject(error)))
  return (await grant).token
}
