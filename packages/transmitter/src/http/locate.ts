import { wellKnownUrl } from '@drawbridge/schema'
import { resourceMetadataUrl } from './protected-resource.ts'

/** What a path names. */
export interface Location {
  /** A name of the table of routes: `/streams`. */
  readonly name: string
  /** The stream of a poll; empty elsewhere. */
  readonly streamId: string
}

/** Tells what a path names, or undefined when it is none of this issuer's. */
export type Locate = (pathname: string) => Location | undefined

const names: ReadonlySet<string> = new Set([
  '/jwks',
  '/streams',
  '/status',
  '/subjects:add',
  '/subjects:remove',
  '/verify',
])
const pollPath = /^\/poll\/([A-Za-z0-9._~-]+)$/

/**
 * Reads the paths of one issuer.
 *
 * @param draftMetadata Whether the metadata is found under the drafts' name too
 * @param servers The authorization servers: without any there is no metadata of the protected
 *   resource, and its path is left to the application
 */
export function createLocate(
  issuer: string,
  draftMetadata = false,
  servers: readonly string[] = [],
): Locate {
  const metadataPath = new URL(wellKnownUrl(issuer)).pathname
  const draftPath = draftMetadata && metadataPath.replace('/ssf-', '/sse-')
  const prefix = `${new URL(issuer).pathname.replace(/\/$/, '')}/ssf`
  const resourcePath = servers.length > 0 && new URL(resourceMetadataUrl(issuer)).pathname
  return (pathname) => {
    if (pathname === resourcePath) return { name: '/resource', streamId: '' }
    if (pathname === metadataPath || pathname === draftPath)
      return { name: '/metadata', streamId: '' }
    if (!pathname.startsWith(`${prefix}/`)) return undefined
    const name = pathname.slice(prefix.length)
    if (names.has(name)) return { name, streamId: '' }
    const streamId = pollPath.exec(name)?.[1]
    return streamId === undefined ? undefined : { name: '/poll', streamId }
  }
}
