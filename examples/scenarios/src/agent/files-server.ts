// The tools. Each says what grants it needs, and asks about the file that it is for.
import { setTimeout } from 'node:timers/promises'
import { fromJsonSchema, McpServer, type CallToolResult } from '@modelcontextprotocol/server'
import type { Who } from '@drawbridge/enforcement'
import type { GuardedServer, GuardServer } from '@drawbridge/enforcement/mcp'
import type { MayUse } from './data-boundary.ts'

/** What the tools of one request need. */
export interface FilesServerParts {
  readonly who: Who
  /** The files by path. */
  readonly files: Map<string, string>
  readonly mayUse: MayUse
  /** Tells the driver that something happened. */
  tell(event: string, data: unknown): void
}

const [reads, writes] = [['files:read'], ['files:write']]

/** Makes the server of one request. */
export function filesServer(guard: GuardServer, parts: FilesServerParts): GuardedServer {
  const { who, files, mayUse, tell } = parts
  const server = guard(new McpServer({ name: 'files', version: '1.0.0' }))
  server.registerTool('list_files', { requires: reads }, () => text([...files.keys()].join('\n')))
  server.registerTool(
    'read_file',
    { requires: reads, inputSchema: textsOf<'path'>('path') },
    async ({ path }, { mcpReq: { signal } }) => {
      const call = { tool: 'read_file', requires: reads, path, signal }
      return (await mayUse(who, call)) ? text(files.get(path) ?? 'There is no such file.') : refused
    },
  )
  server.registerTool(
    'write_file',
    { requires: writes, inputSchema: textsOf<'path' | 'content'>('path', 'content') },
    async ({ path, content }, { mcpReq: { signal } }) => {
      const call = { tool: 'write_file', requires: writes, path, signal }
      if (!(await mayUse(who, call))) return refused
      tell('write:began', { path })
      try {
        for (const line of content.split('\n')) await store(line, signal)
      } catch (error) {
        // The guard has answered the call by now; this is for those who look at the tool.
        tell('write:stopped', { path })
        throw error
      }
      files.set(path, content)
      return text('written')
    },
  )
  return server
}

/** A store that takes its time for each line. Nothing of a file is kept before all of it is there. */
const store = (line: string, signal: AbortSignal): Promise<string> =>
  setTimeout(20, line, { signal })

const text = (words: string): CallToolResult => ({ content: [{ type: 'text', text: words }] })

/** The same for whatever stands behind it: what an agent reads is a prompt. */
const refused: CallToolResult = {
  ...text('This session has no access to this file.'),
  isError: true,
}

const textsOf = <Name extends string>(...names: readonly Name[]) =>
  fromJsonSchema<Readonly<Record<Name, string>>>({
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    required: [...names],
  })
