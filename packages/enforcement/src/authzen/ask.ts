import { PeerError } from '@drawbridge/schema'
import type { Authorization } from '../hooks/ready-made/global-token-revocation.ts'
import { noDecision, readDecision, readDecisions } from './answer.ts'
import type { Decision, DecisionAnswer } from './answer.ts'
import { exchange, within } from './exchange.ts'
import { createKnownMetadata } from './metadata.ts'
import type { DecisionPointSettings } from './options.ts'

/** Asks a decision point. Nothing rejects: what fails is what `onError` says. */
export interface Ask {
  /** Asks one thing. */
  one(text: string): Promise<DecisionAnswer>
  /** Asks several things at once, where the decision point can answer so. */
  several(texts: readonly string[]): Promise<readonly DecisionAnswer[]>
}

interface Post {
  readonly url: string
  readonly body: string
  readonly requestId: string
  readonly signal: AbortSignal
}

/** Makes what asks. */
export function createAsk(settings: DecisionPointSettings): Ask {
  const { timeoutMs, clock, newRequestId } = settings
  const metadata = createKnownMetadata(settings)
  let rejected = false

  const post = async ({ url, body, requestId, signal }: Post): Promise<unknown> => {
    const headers = await headersFor(settings, rejected)
    headers.set('content-type', 'application/json')
    headers.set('accept', 'application/json')
    headers.set('x-request-id', requestId)
    const init = { method: 'POST', headers, body }
    return exchange({ url, init, signal }, settings, (status) => {
      rejected = status === 401
      if (status === 404) metadata.forget()
    })
  }

  const one = async (text: string): Promise<DecisionAnswer> => {
    const requestId = newRequestId()
    try {
      return await within(timeoutMs, clock, async (signal) => {
        const { access_evaluation_endpoint: url } = await metadata.read(signal)
        const decision = readDecision(await post({ url, body: text, requestId, signal }))
        return answerOf(decision, requestId, settings)
      })
    } catch (error) {
      return failed(error, requestId, settings)
    }
  }

  /** Undefined where several things cannot be asked at once. */
  const together = (
    texts: readonly string[],
    requestId: string,
  ): Promise<readonly (Decision | undefined)[] | undefined> =>
    within(timeoutMs, clock, async (signal) => {
      const { access_evaluations_endpoint: url } = await metadata.read(signal)
      if (url === undefined) return undefined
      const body = `{"evaluations":[${texts.join(',')}]}`
      return readDecisions(await post({ url, body, requestId, signal }), texts.length)
    })

  return {
    one,
    several: async (texts) => {
      if (texts.length < 2) return Promise.all(texts.map(one))
      const requestId = newRequestId()
      try {
        const decisions = await together(texts, requestId)
        if (!decisions) return await Promise.all(texts.map(one))
        return decisions.map((decision) => answerOf(decision, requestId, settings))
      } catch (error) {
        return texts.map(() => failed(error, requestId, settings))
      }
    },
  }
}

const answerOf = (
  decision: Decision | undefined,
  requestId: string,
  settings: Pick<DecisionPointSettings, 'onError'>,
): DecisionAnswer =>
  decision ? { ...decision, requestId } : failed(noDecision(), requestId, settings)

function failed(
  error: unknown,
  requestId: string,
  { onError }: Pick<DecisionPointSettings, 'onError'>,
): DecisionAnswer {
  return { decision: onError === 'permit', requestId, failure: peerError(error) }
}

/** What is none comes of the network, or of `authorize`. By name: realms differ. */
const peerError = (cause: unknown): PeerError =>
  (cause as { readonly name?: unknown } | undefined)?.name === 'PeerError'
    ? (cause as PeerError)
    : new PeerError('ERR_PEER_UNREACHABLE', 'no answer came from the decision point', { cause })

/** What the runtime says of a field that is wrong shows its value, a secret: nothing of it is kept. */
async function headersFor(
  { authorize }: Pick<DecisionPointSettings, 'authorize'>,
  rejected: boolean,
): Promise<Headers> {
  const given: Authorization | undefined = await authorize?.({ rejected })
  if (given === undefined) return new Headers()
  try {
    return new Headers(typeof given === 'string' ? { authorization: `Bearer ${given}` } : given)
  } catch {
    throw new PeerError(
      'ERR_PEER_UNREACHABLE',
      'the decision point could not be asked: "authorize" gave a header field that none can be',
    )
  }
}
