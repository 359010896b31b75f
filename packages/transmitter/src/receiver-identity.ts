/** Who a request comes from. */
export interface ReceiverIdentity {
  /** Names the Receiver for ever: its streams belong to this. */
  readonly id: string
  /** The `aud` of its SETs. */
  readonly audience: string
  /** What it may do: `ssf.read`, `ssf.manage`. */
  readonly scopes: readonly string[]
}

/**
 * Tells who a request comes from, or undefined when its credentials are not good. It should look at
 * the headers only: the body is not read yet.
 */
export type Authenticate = (
  request: Request,
) => Promise<ReceiverIdentity | undefined> | ReceiverIdentity | undefined
