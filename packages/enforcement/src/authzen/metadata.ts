import { isObject, PeerError, wellKnownUrl } from '@drawbridge/schema'
import { isEndpoint } from '../hooks/ready-made/post.ts'
import { exchange, type ExchangeSettings } from './exchange.ts'

/**
 * Where a decision point is asked.
 *
 * @see OpenID Authorization API 1.0, "Policy Decision Point Metadata"
 */
export interface DecisionPointMetadata {
  readonly access_evaluation_endpoint: string
  /** Where several things are asked at once. Where there is none, they are asked one by one. */
  readonly access_evaluations_endpoint?: string
}

/** What reading metadata needs. */
export interface MetadataSettings extends ExchangeSettings {
  readonly url: string
  readonly allowInsecureHttp: boolean
  /** Where the application has written it out. */
  readonly metadata?: DecisionPointMetadata
}

/** The metadata, read when it is first needed. */
export interface KnownMetadata {
  /** @throws PeerError `ERR_PEER_UNREACHABLE`, `ERR_PEER_ANSWER` or `ERR_PEER_ISSUER` */
  read(signal: AbortSignal): Promise<DecisionPointMetadata>
  /** Forgets what was read: the endpoints have moved. */
  forget(): void
}

/** Makes the memory of the metadata. A failure is not kept. */
export function createKnownMetadata(settings: MetadataSettings): KnownMetadata {
  let known: Promise<DecisionPointMetadata> | undefined
  return {
    read: async (signal) => {
      if (settings.metadata) return settings.metadata
      const reading = (known ??= fetchMetadata(signal, settings))
      return reading.catch((error: unknown) => {
        if (known === reading) known = undefined
        throw error
      })
    },
    forget: () => {
      known = undefined
    },
  }
}

async function fetchMetadata(
  signal: AbortSignal,
  settings: MetadataSettings,
): Promise<DecisionPointMetadata> {
  const url = wellKnownUrl(settings.url, 'authzen-configuration')
  const init = { headers: new Headers({ accept: 'application/json' }) }
  return readMetadata(await exchange({ url, init, signal }, settings), settings)
}

/**
 * Reads metadata. Endpoints are at the origin that was configured: what authorizes the application
 * goes there, and must not go elsewhere because a document says so.
 *
 * @throws PeerError `ERR_PEER_ISSUER` where it is another decision point's, `ERR_PEER_ANSWER` where
 *   an endpoint is missing or leads elsewhere
 * @see OpenID Authorization API 1.0, "Policy Decision Point Metadata Validation"
 */
function readMetadata(
  value: unknown,
  settings: Pick<MetadataSettings, 'url' | 'allowInsecureHttp'>,
): DecisionPointMetadata {
  const members = isObject(value) ? value : {}
  if (members['policy_decision_point'] !== settings.url) {
    throw new PeerError(
      'ERR_PEER_ISSUER',
      'the "policy_decision_point" of the metadata must be identical to "url"',
    )
  }
  const isOurs = (endpoint: unknown): endpoint is string =>
    isEndpoint(endpoint, settings) && new URL(endpoint).origin === new URL(settings.url).origin
  const one = members['access_evaluation_endpoint']
  const several = members['access_evaluations_endpoint']
  if (!isOurs(one)) throw elsewhere('access_evaluation_endpoint')
  if (several === undefined) return { access_evaluation_endpoint: one }
  if (!isOurs(several)) throw elsewhere('access_evaluations_endpoint')
  return { access_evaluation_endpoint: one, access_evaluations_endpoint: several }
}

const elsewhere = (name: string): PeerError =>
  new PeerError(
    'ERR_PEER_ANSWER',
    `the "${name}" of the metadata must be a URL at the origin of "url": where another one is right, write "metadata" out`,
  )
