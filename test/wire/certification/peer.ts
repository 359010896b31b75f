import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { Agent, request as httpsRequest } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'

/** A JSON object from the wire, of which nothing is known. */
export type Json = Readonly<Record<string, unknown>>

/** An answer, its body read. */
export interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The parsed body; throws where it is no JSON. */
  readonly json: Json
}

/** A request to an endpoint. */
export interface Ask {
  readonly token?: string | null
  readonly query?: string
  /** An object is sent as JSON, a text as it is. */
  readonly body?: object | string
  readonly headers?: Readonly<Record<string, string>>
}

/** A Receiver that knows the specifications and nothing of ours. */
export interface Peer {
  readonly metadata: Json
  readonly agent: Agent
  /** Calls an endpoint that the metadata names, or a whole URL. */
  ask(method: string, endpoint: string, ask?: Ask): Promise<Answer>
  /** Checks the signature of a SET with the published keys, and takes it apart. */
  open(set: string): Promise<OpenedSet>
  close(): void
}

/** A SET whose signature is good. */
export interface OpenedSet {
  readonly header: Json
  readonly claims: Json & { readonly events: Readonly<Record<string, Json>> }
}

/** The access token of a Receiver with every scope. */
export const goodToken = 'good-token'

/**
 * Finds the metadata of an issuer, as SSF 1.0 says where it is.
 *
 * @param own The access token of what is asked without another
 */
export async function connect(issuer: string, ca: string, own = goodToken): Promise<Peer> {
  const agent = new Agent({ ca, keepAlive: true })
  const { origin, pathname } = new URL(issuer)
  const place = `${origin}/.well-known/ssf-configuration${pathname.replace(/\/$/, '')}`
  const { json: metadata } = await send('GET', place, { token: null }, agent)
  const ask: Peer['ask'] = (method, endpoint, options = {}) =>
    send(method, String(metadata[endpoint] ?? endpoint), { token: own, ...options }, agent)
  return {
    metadata,
    agent,
    ask,
    open: async (set) => openSet(set, await ask('GET', 'jwks_uri', { token: null })),
    close: () => agent.destroy(),
  }
}

async function send(method: string, url: string, options: Ask, agent: Agent): Promise<Answer> {
  const { token = null, query = '', body, headers = {} } = options
  const sent = typeof body === 'object' ? JSON.stringify(body) : body
  const request = httpsRequest(url + query, {
    method,
    agent,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(sent === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }),
      ...headers,
    },
  })
  return new Promise((resolve, reject) => {
    request.on('error', reject).on('response', (response) => {
      text(response).then((received) => {
        resolve({
          status: response.statusCode,
          headers: response.headers,
          text: received,
          get json() {
            return JSON.parse(received) as Json
          },
        })
      }, reject)
    })
    request.end(sent)
  })
}

function openSet(set: string, keys: Answer): OpenedSet {
  const [head = '', body = '', signature = '', ...more] = set.split('.')
  const header = parse(head)
  const jwks = keys.json['keys'] as (JsonWebKey & { readonly kid?: string })[]
  const jwk = jwks.find(({ kid }) => kid === header['kid'])
  if (!jwk || header['alg'] !== 'RS256' || more.length > 0) throw new Error('not signed as due')
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const bytes = Buffer.from(signature, 'base64url')
  if (!verify('sha256', Buffer.from(`${head}.${body}`), key, bytes)) throw new Error('forged')
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) throw new Error('too short a key')
  return { header, claims: parse(body) as OpenedSet['claims'] }
}

const parse = (part: string): Json => JSON.parse(Buffer.from(part, 'base64url').toString()) as Json
