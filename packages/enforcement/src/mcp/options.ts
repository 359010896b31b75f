import type {
  AuthInfo,
  CreateMcpHandlerOptions,
  McpRequestContext,
} from '@modelcontextprotocol/server'
import { checkOptions } from '@drawbridge/core'
import type { Nobody } from '../bindings/identify.ts'
import type { Who } from '../who.ts'
import type { McpEnforcement } from './caller.ts'
import type { GuardedServer, GuardServer } from './guard-server.ts'

/** For whom a server is made: the context of `createMcpHandler`, and who it is. */
export interface McpCaller extends McpRequestContext {
  readonly who: Who
}

/** What the guard of an MCP server is made of. */
export interface GuardMcpOptions {
  /**
   * Says who makes a request, from the token that the application has verified. Nobody gets a 401.
   * What it throws, `fetch` rejects with, and nothing is answered.
   *
   * @param authInfo What the caller of `fetch` gave
   */
  readonly identify: (
    request: Request,
    authInfo: AuthInfo | undefined,
  ) => Who | Nobody | Promise<Who | Nobody>
  /**
   * Makes the server of one request: puts `guard` into a new `McpServer` before anything is
   * registered, registers the tools with what they require, and returns it.
   */
  readonly server: (guard: GuardServer, caller: McpCaller) => GuardedServer | Promise<GuardedServer>
  /**
   * The URL of the metadata that says which authorization server gives tokens for this one. It
   * stands in every challenge.
   *
   * @see RFC 9728, "Protected Resource Metadata"
   */
  readonly resourceMetadata: string
  /** Options of `createMcpHandler`. Default: its own. */
  readonly handler?: CreateMcpHandlerOptions
}

/**
 * Checks what the guard is made of.
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function checkGuardMcp(enforcement: McpEnforcement, options: GuardMcpOptions): void {
  const { check, known, url, done } = checkOptions('guardMcp')
  check(
    typeof enforcement?.check === 'function',
    '"enforcement" must be what createEnforcement(options) returns',
  )
  const { identify, server, resourceMetadata } = options ?? {}
  known(options ?? {}, ['identify', 'server', 'resourceMetadata', 'handler'])
  check(typeof identify === 'function', '"identify" must be a function of the request')
  check(typeof server === 'function', '"server" must be a function that makes an McpServer')
  // Development has no https; the client, not this side, decides what it will fetch.
  url('resourceMetadata', resourceMetadata, true)
  done()
}
