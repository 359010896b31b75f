/** One login: what an ID Token says, and what can be revoked. */
export interface Login {
  readonly sid: string
  readonly sub: string
  /** NumericDate, seconds. */
  readonly authTime: number
  readonly device: string
}

/** A login that the application has not fetched yet. */
export interface Code {
  readonly login: Login
  readonly nonce: string
}

/** What the provider knows of its people. */
export interface Directory {
  /** By `sid`, oldest first. */
  readonly logins: Map<string, Login>
  /** By authorization code. */
  readonly codes: Map<string, Code>
  /** The accounts that may do nothing. */
  readonly disabled: Set<string>
  /** Tells whether this is somebody's password. */
  knows(username: string, password: string): boolean
}

/** The accounts of this provider. A real one has a database, and hashes. */
const passwords = new Map([['alice', 'wonderland']])

/** Makes the directory. */
export function createDirectory(): Directory {
  const disabled = new Set<string>()
  return {
    logins: new Map(),
    codes: new Map(),
    disabled,
    knows: (username, password) => passwords.get(username) === password && !disabled.has(username),
  }
}
