import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { decodeProtectedHeader } from 'jose'
import type { FetchHandler } from '@drawbridge/core'
import { clientCredentials, createReceiver, staticToken, type Receiver } from '@drawbridge/receiver'
import { opaque } from '@drawbridge/schema'
import { SessionRevoked } from '@drawbridge/schema/caep'
import {
  createTransmitter,
  jwtAccessTokens,
  memoryStore,
  permitAll,
  staticTokens,
  type SigningAlgorithm,
  type Transmitter,
} from '@drawbridge/transmitter'
import { mounts, type Mounted } from '../support/mounts.ts'
import { createAuthority } from '../support/tls.ts'
import {
  clientSecret,
  fetchTrusting,
  openTokenServer,
  type TokenServer,
} from './matrix/token-server.ts'

const bindings = ['node:http', 'Express', 'Fastify', 'Hono']
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const
const authorizations = ['staticToken', 'clientCredentials'] as const
const deliveries = ['push', 'poll'] as const

const authority = createAuthority('the authority of the matrix')
const allowedHosts = ['localhost']

/** Every SET that went over the wire, as it was sent. */
const wire: string[] = []
const transmitters = new Map<string, Transmitter>()
let tokens: TokenServer
let idp: Mounted
let app: Mounted
let receiver: Receiver

const headerOf = (set: string | undefined): unknown => decodeProtectedHeader(set ?? '')

/** What all Transmitters of an application answer; polled SETs are noted. */
const idpHandler: FetchHandler = {
  serves: (path) => [...transmitters.values()].some((one) => one.serves(path)),
  fetch: async (request) => {
    const { pathname } = new URL(request.url)
    const answer = await [...transmitters.values()]
      .find((one) => one.serves(pathname))
      ?.fetch(request)
    if (!answer) return new Response(null, { status: 404 })
    if (answer.status === 200 && pathname.includes('/poll')) {
      const { sets } = (await answer.clone().json()) as { sets: Record<string, string> }
      wire.push(...Object.values(sets))
    }
    return answer
  },
}

/** What the application of the Receiver answers; pushed SETs are noted. */
const appHandler: FetchHandler = {
  serves: (path) => receiver.serves(path),
  fetch: async (request) => {
    wire.push(await request.clone().text())
    return await receiver.fetch(request)
  },
}

async function transmitterFor(
  authorization: (typeof authorizations)[number],
  algorithm: SigningAlgorithm,
): Promise<Transmitter & { readonly issuer: string }> {
  const name = `${authorization}-${algorithm}`
  const issuer = `https://localhost:${idp.port}/${name}`
  const made = transmitters.get(name)
  if (made) return { ...made, issuer }
  const transmitter = createTransmitter({
    issuer,
    secret: 'a secret of a test, 32 characters and more',
    store: memoryStore(),
    authenticate:
      authorization === 'staticToken'
        ? staticTokens([{ id: 'app', audience: 'app', token: 'an-agreed-token' }])
        : jwtAccessTokens({
            issuer: tokens.issuer,
            audience: issuer,
            clock: tokens.clock,
            fetch: fetchTrusting(authority.ca),
          }),
    permitEvent: permitAll,
    algorithm,
    push: { allowedHosts, ca: authority.ca, backoff: { firstMs: 5, longestMs: 50 } },
  })
  transmitters.set(name, transmitter)
  await transmitter.start()
  return { ...transmitter, issuer }
}

const combinations = bindings.flatMap((binding) =>
  authorizations.flatMap((authorization) =>
    algorithms.flatMap((algorithm) =>
      deliveries.map((delivery) => ({ binding, authorization, algorithm, delivery })),
    ),
  ),
)

beforeAll(async () => void (tokens = await openTokenServer(authority)))
afterAll(() => tokens.close())

describe.each(bindings)('our Transmitter and our Receiver over TLS, both in %s', (binding) => {
  beforeAll(async () => {
    const mount = mounts[binding]
    if (!mount) throw new Error('there is no such binding')
    idp = await mount(idpHandler, authority.issue('localhost'))
    app = await mount(appHandler, authority.issue('localhost'))
  })
  afterEach(() => receiver.stop())
  afterAll(async () => {
    await Promise.all(Array.from(transmitters.values(), (one) => one.stop()))
    transmitters.clear()
    await Promise.all([idp.close(), app.close()])
  })

  it.each(combinations.filter((one) => one.binding === binding))(
    '$delivery, $authorization, $algorithm: verified, an event handled, another by a new key, the token expired in between',
    async ({ authorization, algorithm, delivery }) => {
      const transmitter = await transmitterFor(authorization, algorithm)
      const clientId = [binding, algorithm, delivery].join('-').replace(':', '')
      receiver = createReceiver({
        issuer: transmitter.issuer,
        audience: authorization === 'staticToken' ? 'app' : clientId,
        authorize:
          authorization === 'staticToken'
            ? staticToken('an-agreed-token')
            : clientCredentials({
                clientId,
                clientSecret,
                issuer: tokens.issuer,
                resource: transmitter.issuer,
              }),
        ...(delivery === 'push' && {
          push: {
            url: `https://localhost:${app.port}/${authorization}/${algorithm}`,
            authorizationHeader: 'Bearer of the stream',
          },
        }),
        events: [SessionRevoked],
        algorithms: [algorithm],
        allowedHosts,
        ca: authority.ca,
      })
      const handled: string[] = []
      let arrived = (): void => undefined
      receiver.handle(SessionRevoked, ({ txn }) => {
        handled.push(txn ?? '')
        arrived()
      })
      const transmit = async (): Promise<string> => {
        const { txn } = await transmitter.transmit(SessionRevoked, opaque('someone'), {})
        await new Promise<void>((resolve) => {
          arrived = () => handled.includes(txn) && resolve()
          arrived()
        })
        return txn
      }
      await receiver.start()
      await receiver.verified()
      const first = await transmit()

      tokens.expireTokens()
      const [rotated] = await transmitter.rotateKeys({ compromised: true })
      const second = await transmit()
      await receiver.ownStream?.readStatus()

      expect(handled).toEqual([first, second])
      expect(tokens.given(clientId)).toBe(authorization === 'staticToken' ? 0 : 2)
      expect(headerOf(wire.at(-1))).toEqual({
        alg: algorithm,
        kid: rotated?.kid,
        typ: 'secevent+jwt',
      })
      expect(headerOf(wire[0])).toMatchObject({ alg: algorithm })
      wire.length = 0
      await receiver.stop()
      await receiver.ownStream?.delete()
    },
  )
})
