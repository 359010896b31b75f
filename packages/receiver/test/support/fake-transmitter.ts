import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CompactSign, exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose'

/** What a test changes about one SET. */
export interface SetChanges {
  readonly claims?: Record<string, unknown>
  readonly header?: Record<string, unknown>
  readonly key?: CryptoKey
}

/** A Transmitter of the least code, with faults on order. */
export interface FakeTransmitter {
  readonly issuer: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  /** Every request that came: `POST /streams`. */
  readonly requests: {
    readonly line: string
    readonly body: unknown
    readonly headers: IncomingMessage['headers']
  }[]
  sign(changes?: SetChanges): Promise<string>
  /** Signs any text as if it were the claims of a SET. */
  signText(claims: string, header?: Record<string, unknown>): Promise<string>
  /** Puts a SET into the answer of the next poll. */
  offer(jti: string, token: string): void
  /** Answers the next request of a kind by hand: status and JSON body. */
  answerNext(line: string, status: number, body?: unknown, headers?: Record<string, string>): void
  /** Resolves with the first request of a kind from now on, or an earlier unseen one. */
  requested(
    line: string,
    where?: (body: Record<string, unknown>) => boolean,
  ): Promise<Record<string, unknown>>
  close(): Promise<void>
}

export const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'

export async function fakeTransmitter(): Promise<FakeTransmitter> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  const requests: FakeTransmitter['requests'] = []
  const overrides: {
    line: string
    status: number
    body: unknown
    headers: Record<string, string>
  }[] = []
  const offered = new Map<string, string>()
  const streams: Record<string, unknown>[] = []
  const watchers = new Set<() => void>()
  let pendingPoll: (() => void) | undefined
  let issuer = ''

  const sign: FakeTransmitter['sign'] = ({ claims = {}, header = {}, key = privateKey } = {}) =>
    new SignJWT({
      iss: issuer,
      aud: 'app',
      iat: Math.floor(Date.now() / 1000),
      jti: crypto.randomUUID(),
      txn: 't',
      sub_id: { format: 'iss_sub', iss: issuer, sub: 'alice' },
      events: { [sessionRevoked]: {} },
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'secevent+jwt', ...header })
      .sign(key)

  const signText: FakeTransmitter['signText'] = (claims, header = {}) =>
    new CompactSign(new TextEncoder().encode(claims))
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'secevent+jwt', ...header })
      .sign(privateKey)

  const verification = async (body: Record<string, unknown>): Promise<void> => {
    const jti = crypto.randomUUID()
    const sub_id = { format: 'opaque', id: body['stream_id'] }
    const uri = 'https://schemas.openid.net/secevent/ssf/event-type/verification'
    const events = { [uri]: body['state'] === undefined ? {} : { state: body['state'] } }
    const token = await sign({ claims: { jti, sub_id, events } })
    const [stream] = streams as { delivery: { method: string; endpoint_url: string } }[]
    if (stream?.delivery.method === 'urn:ietf:rfc:8935') {
      await fetch(stream.delivery.endpoint_url, {
        method: 'POST',
        body: token,
        headers: { 'content-type': 'application/secevent+jwt' },
      })
    } else {
      offer(jti, token)
    }
  }

  const offer = (jti: string, token: string): void => {
    offered.set(jti, token)
    pendingPoll?.()
  }

  const poll = async (
    body: Record<string, unknown>,
    request: IncomingMessage,
  ): Promise<unknown> => {
    for (const jti of (body['ack'] as string[] | undefined) ?? []) offered.delete(jti)
    for (const jti of Object.keys((body['setErrs'] as object | undefined) ?? {}))
      offered.delete(jti)
    if (body['maxEvents'] === 0) return { sets: {} }
    if (offered.size === 0 && !body['returnImmediately']) {
      await new Promise<void>((resolve) => {
        pendingPoll = resolve
        request.once('close', resolve)
      })
    }
    const sets = Object.fromEntries(offered)
    return { sets }
  }

  const route = async (
    line: string,
    body: Record<string, unknown>,
    request: IncomingMessage,
  ): Promise<[number, unknown?]> => {
    switch (line) {
      case 'GET /.well-known/ssf-configuration':
        return [
          200,
          {
            issuer,
            spec_version: '1_0',
            jwks_uri: `${issuer}/jwks`,
            configuration_endpoint: `${issuer}/streams`,
            verification_endpoint: `${issuer}/verify`,
          },
        ]
      case 'GET /jwks':
        return [200, { keys: [jwk] }]
      case 'GET /streams':
        return [200, streams]
      case 'POST /streams': {
        const stream_id = `s${streams.length + 1}`
        const delivery = { endpoint_url: `${issuer}/poll`, ...(body['delivery'] as object) }
        const stream = {
          ...body,
          stream_id,
          iss: issuer,
          aud: 'app',
          events_delivered: body['events_requested'],
          delivery,
        }
        streams.push(stream)
        return [201, stream]
      }
      case 'PATCH /streams': {
        const stream = streams.find((one) => one['stream_id'] === body['stream_id'])
        return stream ? [200, Object.assign(stream, body)] : [404]
      }
      case 'POST /verify':
        await verification(body)
        return [204]
      case 'POST /poll':
        return [200, await poll(body, request)]
      default:
        return [404]
    }
  }

  const server: Server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      const line = `${request.method} ${request.url}`
      const body = (text ? JSON.parse(text) : {}) as Record<string, unknown>
      requests.push({ line, body, headers: request.headers })
      for (const watcher of watchers) watcher()
      const index = overrides.findIndex((one) => one.line === line)
      const [override] = index < 0 ? [] : overrides.splice(index, 1)
      const [status, answer] = override
        ? [override.status, override.body]
        : await route(line, body, request)
      response.writeHead(status, { 'content-type': 'application/json', ...override?.headers })
      response.end(answer === undefined ? undefined : JSON.stringify(answer))
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    issuer,
    privateKey,
    publicKey,
    requests,
    sign,
    signText,
    offer,
    answerNext: (line, status, body, headers = {}) =>
      void overrides.push({ line, status, body, headers }),
    requested: (line, where = () => true) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = requests.find(
            (one) => one.line === line && where(one.body as Record<string, unknown>),
          )
          if (!found) return
          watchers.delete(look)
          resolve(found.body as Record<string, unknown>)
        }
        watchers.add(look)
        look()
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
