import type { ReceiverIdentity } from '../receiver-identity.ts'
import type { Settings } from '../settings.ts'
import { problem } from './problem.ts'
import { resourceMetadataParameter } from './protected-resource.ts'

/** What a request needs to be allowed to do. */
export type Scope = 'ssf.read' | 'ssf.manage'

/**
 * Tells whose a request is, or how to refuse it. Only its headers are looked at.
 *
 * @throws PeerError `ERR_PEER_UNREACHABLE` where nobody can tell just now
 * @see RFC 6750, "The WWW-Authenticate Response Header Field"; RFC 9728, "WWW-Authenticate
 *   Response"
 */
export async function authorize(
  request: Request,
  scope: Scope,
  settings: Settings,
): Promise<ReceiverIdentity | Response> {
  const hasCredentials = request.headers.has('authorization')
  // A token in a URL is a token in every log. It counts as none, whatever `authenticate` would say.
  const isInUrl = new URL(request.url).searchParams.has('access_token')
  const receiver = isInUrl && !hasCredentials ? undefined : await settings.authenticate(request)
  if (!receiver) {
    const error = hasCredentials ? ['error="invalid_token"'] : []
    return problem(401, 'authentication_failed', 'an access token is needed', {
      'www-authenticate': challenge(error, settings),
    })
  }
  if (allows(receiver.scopes, scope)) return receiver
  return problem(403, 'access_denied', `the scope "${scope}" is needed`, {
    'www-authenticate': challenge(['error="insufficient_scope"', `scope="${scope}"`], settings),
  })
}

const challenge = (parameters: readonly string[], settings: Settings): string =>
  ['Bearer', [...parameters, ...resourceMetadataParameter(settings)].join(', ')].join(' ').trimEnd()

/** Whoever may change a stream may read it. */
const allows = (scopes: readonly string[], scope: Scope): boolean =>
  scopes.includes(scope) || scopes.includes('ssf.manage')
