import type { Authenticate, ReceiverIdentity } from '../receiver-identity.ts'
import { problem } from './problem.ts'

/** What a request needs to be allowed to do. */
export type Scope = 'ssf.read' | 'ssf.manage'

/**
 * Tells whose a request is, or how to refuse it. Only its headers are looked at.
 *
 * @see RFC 6750, "The WWW-Authenticate Response Header Field"
 */
export async function authorize(
  request: Request,
  scope: Scope,
  authenticate: Authenticate,
): Promise<ReceiverIdentity | Response> {
  const hasCredentials = request.headers.has('authorization')
  // A token in a URL is a token in every log. It counts as none, whatever `authenticate` would say.
  const isInUrl = new URL(request.url).searchParams.has('access_token')
  const receiver = isInUrl && !hasCredentials ? undefined : await authenticate(request)
  if (!receiver) {
    const challenge = hasCredentials ? 'Bearer error="invalid_token"' : 'Bearer'
    return problem(401, 'authentication_failed', 'an access token is needed', {
      'www-authenticate': challenge,
    })
  }
  if (allows(receiver.scopes, scope)) return receiver
  return problem(403, 'access_denied', `the scope "${scope}" is needed`, {
    'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"`,
  })
}

/** Whoever may change a stream may read it. */
const allows = (scopes: readonly string[], scope: Scope): boolean =>
  scopes.includes(scope) || scopes.includes('ssf.manage')
