// One of the API's processes. Every request is answered from what this process knows of the shared
// ledger; one process has the Receiver, the others hear by the ledger's feed.
import type { FetchHandler } from '@drawbridge/core'
import {
  createEnforcement,
  fromClaims,
  memorySessions,
  type Enforcement,
  type LocalLift,
  type TokenClaims,
} from '@drawbridge/enforcement'
import { redisLedger } from '@drawbridge/enforcement/redis'
import { createReceiver, staticToken, type Receiver } from '@drawbridge/receiver'
import { toNode } from '@drawbridge/receiver/node'
import { opaque } from '@drawbridge/schema'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { createClient } from 'redis'
import { scenarios } from './all.ts'
import { turnableClock } from './frame/clock.ts'
import type { Scenario } from './frame/scenario.ts'
import { serve, tell, type Settings } from './frame/serve.ts'

const clock = turnableClock()

await serve(async (origin, settings) => {
  const { issuers, redis, receives, decisionPoint } = settings
  const scenario = scenarios[settings.scenario]
  if (!scenario) throw new Error('there is no such scenario')
  const notes = new Map<string, unknown>()
  const sessions = memorySessions({ clock })
  const enforcement = createEnforcement({
    ledger: redisLedger(createClient({ url: redis })),
    clock,
    maxStalenessMs: 3_600_000, // the clock is turned here, and that is no silence of the ledger
    ...scenario.enforcement({ issuers, notes, sessions, tell }),
  })
  for (const name of ['signal:applied', 'signal:followed'] as const) {
    enforcement.events.on(name, (event) => tell(name, event))
  }
  const receivers = receives ? receiversOf(origin, settings, enforcement) : []
  const verify = createVerify(issuers['idp'] ?? '')
  const api = createApi(scenario, verify, enforcement)
  const { agents } = scenario
  const gateway = await agents?.gateway({
    enforcement,
    sessions,
    decisionPoint,
    tell,
    verify: (request) => verify(request, agents.resource),
  })
  const handlers = gateway ? [gateway, ...receivers] : receivers
  return {
    listener: (request, response) => {
      const handler = handlers.find(({ serves }) => serves(request.url ?? '')) ?? api
      toNode(handler)(request, response)
    },
    acts: {
      turn: (ms: number) => clock.turn(ms),
      note: ([name, value]: readonly [string, unknown]) => void notes.set(name, value),
      giveBack: (lift: LocalLift) => enforcement.giveBack(lift),
    },
    start: async () => {
      await enforcement.start()
      await Promise.all(receivers.map((receiver) => receiver.start()))
      const signal = AbortSignal.timeout(30_000)
      await Promise.all(receivers.map((receiver) => receiver.verified({ signal })))
    },
    stop: async () => {
      await Promise.all(receivers.map((receiver) => receiver.stop()))
      await enforcement.stop()
    },
  }
})

/** One Receiver for each Transmitter, each with a path of its own that SETs are pushed to. */
function receiversOf(
  origin: string,
  { issuers, signalsToken }: Settings,
  enforcement: Enforcement,
): readonly Receiver[] {
  return Object.entries(issuers).map(([name, issuer]) => {
    const receiver = createReceiver({
      issuer,
      audience: 'api',
      authorize: staticToken(signalsToken),
      push: { url: `${origin}/signals/${name}` },
      allowInsecureHttp: true, // all of this is on loopback
    })
    receiver.handle('*', enforcement.apply)
    return receiver
  })
}

/** The claims of the access token of a request; undefined where there is none that is good. */
type Verify = (request: Request, audience: string) => Promise<TokenClaims | undefined>

function createVerify(issuer: string): Verify {
  const keys = createRemoteJWKSet(new URL(`${issuer}/login-keys`))
  return async (request, audience) => {
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? []
    const rules = { issuer, audience, typ: 'at+jwt', currentDate: new Date(clock.now()) }
    return await jwtVerify(token, keys, rules).then(
      ({ payload }) => payload,
      () => undefined,
    )
  }
}

/** The API itself: a token, a route, and the one question to the enforcement. */
function createApi(scenario: Scenario, verify: Verify, enforcement: Enforcement): FetchHandler {
  return {
    serves: () => true,
    fetch: async (request) => {
      const requires = scenario.routes[`${request.method} ${new URL(request.url).pathname}`]
      if (!requires) return new Response(null, { status: 404 })
      const claims = await verify(request, 'api')
      if (!claims) return new Response(null, { status: 401 })
      const who = fromClaims(claims, { subject: knownOf(claims) })
      const decision = enforcement.check(who, { requires })
      if (decision.outcome !== 'allow') return decision.response(request)
      return Response.json({ done: request.method })
    },
  }
}

/** What the tokens of this issuer say besides the registered claims. */
const knownOf = (claims: TokenClaims): Readonly<Record<string, ReturnType<typeof opaque>>> =>
  Object.fromEntries(
    ['device', 'tenant', 'credential'].flatMap((name) => {
      const value = claims[name]
      return typeof value === 'string' ? [[name, opaque(value)]] : []
    }),
  )
