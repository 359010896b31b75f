import type { IncomingHttpHeaders } from 'node:http'
import type { RequestLike } from '../guard/access-decision.ts'

/** Reads the headers of Node as those of Fetch are read. */
export function requestLike(method: string, headers: IncomingHttpHeaders): RequestLike {
  return {
    method,
    headers: {
      get: (name) => {
        const value = headers[name.toLowerCase()]
        return Array.isArray(value) ? value.join(', ') : (value ?? null)
      },
    },
  }
}
