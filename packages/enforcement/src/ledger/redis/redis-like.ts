/** What the ledger needs of a connection that it made by `duplicate`. */
export interface RedisConnectionLike {
  /** Resolves when commands can be sent. */
  connect(): Promise<unknown>
  /** Sends one command and resolves with the answer as RESP 2 has it. */
  sendCommand(args: readonly string[]): Promise<unknown>
  /** Tells of errors of the connection; without a listener they would end the process. */
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Closes at once; what was not answered is rejected. */
  destroy(): void
}

/** What the ledger sets otherwise on its own connections. */
export interface RedisOverrides {
  readonly RESP?: 2
  readonly emitInvalidate?: boolean
  readonly maintNotifications?: 'disabled'
  readonly disableOfflineQueue?: boolean
  readonly pingInterval?: number
  readonly socket?: {
    readonly connectTimeout?: number
    readonly socketTimeout?: number
    /** False: the ledger connects again itself. */
    readonly reconnectStrategy?: () => false
    readonly signal?: AbortSignal
  }
}

/**
 * The part of a client of the package `redis` that the ledger uses: the client of `createClient()`,
 * connected or not. It is a pattern only: the ledger makes connections of its own after it.
 */
export interface RedisLike {
  /** The options the client was made with. Those of the socket are carried over. */
  readonly options?: { readonly socket?: object | undefined } | undefined
  /** Makes a connection with other settings. */
  duplicate(overrides: RedisOverrides): RedisConnectionLike
}
