import { checkOptions, Secret } from '@drawbridge/core'

/** What authenticates a client in one request. */
export interface ClientAuthentication {
  /** Header fields. */
  readonly headers?: Readonly<Record<string, string>>
  /** Parameters of the form. */
  readonly parameters?: Readonly<Record<string, string>>
}

/**
 * Authenticates the client at the authorization server. Called for each request, so that an
 * assertion can be a new one each time.
 *
 * @see OpenID Connect Core 1.0, "Client Authentication"
 */
export type Authenticate = () => ClientAuthentication | Promise<ClientAuthentication>

/**
 * Authenticates a client by its secret in the `Authorization` field: `client_secret_basic`.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 * @see RFC 6749, "Client Password"
 */
export function clientSecretBasic(client_id: string, client_secret: string): Authenticate {
  checkClient('clientSecretBasic', client_id, client_secret)
  // Both are form-encoded first: an id may have a colon in it.
  const pair = `${formEncode(client_id)}:${formEncode(client_secret)}`
  const authorization = new Secret(`Basic ${btoa(pair)}`)
  return () => ({ headers: { authorization: authorization.reveal() } })
}

/**
 * Authenticates a client by its secret in the form: `client_secret_post`. For a server that does
 * not take the other way.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 * @see RFC 6749, "Client Password"
 */
export function clientSecretPost(client_id: string, client_secret: string): Authenticate {
  checkClient('clientSecretPost', client_id, client_secret)
  const secret = new Secret(client_secret)
  return () => ({ parameters: { client_id, client_secret: secret.reveal() } })
}

const formEncode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)

function checkClient(factory: string, id: unknown, secret: unknown): void {
  const { check, done } = checkOptions(factory)
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
  check(isText(id), '"client_id" must be a non-empty string')
  check(isText(secret), '"client_secret" must be a non-empty string')
  done()
}
