import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '@drawbridge/core'
import {
  exportJWK,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose'

/** A clock that stands until it is turned. */
export interface TurnedClock extends Clock {
  turn(ms: number): void
}

export function turnedClock(now = Date.UTC(2026, 0, 1)): TurnedClock {
  return {
    now: () => now,
    sleep: () => Promise.resolve(),
    turn: (ms) => void (now += ms),
  }
}

export interface SigningPair {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export async function makePair(kid: string, alg = 'ES256'): Promise<SigningPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** What an authorization server answers at a path: a body, a status, or a function that answers. */
export type Answering =
  object | number | ((request: IncomingMessage, response: ServerResponse, body: string) => void)

export interface AuthorizationServer {
  readonly issuer: string
  /** By path; anything else is 404. */
  readonly answers: Map<string, Answering>
  /** The paths that were asked for, in order. */
  readonly asked: string[]
  close(): Promise<void>
}

export const jwksPath = '/keys'
export const metadataPath = '/.well-known/oauth-authorization-server'

/** An authorization server on a real socket, with metadata and these keys. */
export async function authorizationServer(...pairs: SigningPair[]): Promise<AuthorizationServer> {
  const answers = new Map<string, Answering>()
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.push(path)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const answer = answers.get(path) ?? 404
      if (typeof answer === 'function') {
        answer(request, response, Buffer.concat(chunks).toString())
      } else if (typeof answer === 'number') response.writeHead(answer).end()
      else response.writeHead(200).end(JSON.stringify(answer))
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  answers.set(metadataPath, { issuer, jwks_uri: `${issuer}${jwksPath}` })
  answers.set(jwksPath, { keys: pairs.map(({ jwk }) => jwk) })
  return {
    issuer,
    answers,
    asked,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => void server.close(resolve))
    },
  }
}

export interface TokenOptions {
  readonly header?: object
  readonly key?: CryptoKey | Uint8Array
}

/** Signs a token: by default as the pair's key signs, with `typ` `at+jwt`. */
export function signToken(
  claims: JWTPayload,
  { kid, privateKey, jwk }: SigningPair,
  { header = {}, key = privateKey }: TokenOptions = {},
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: jwk.alg ?? 'ES256', typ: 'at+jwt', kid, ...header })
    .sign(key)
}

export const withToken = (token: string): Request =>
  new Request('https://idp.example/ssf/streams', { headers: { authorization: `Bearer ${token}` } })
