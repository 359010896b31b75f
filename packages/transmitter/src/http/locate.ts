import { wellKnownUrl } from '@drawbridge/schema'

/** What a path names. */
export interface Location {
  /** A name of the table of routes: `/streams`. */
  readonly name: string
  /** The stream of a poll; empty elsewhere. */
  readonly streamId: string
}

/** Tells what a path names, or undefined when it is none of this issuer's. */
export type Locate = (pathname: string) => Location | undefined

const names: ReadonlySet<string> = new Set(['/jwks', '/streams', '/status', '/verify'])
const pollPath = /^\/poll\/([A-Za-z0-9._~-]+)$/

/** Reads the paths of one issuer. */
export function createLocate(issuer: string): Locate {
  const metadataPath = new URL(wellKnownUrl(issuer)).pathname
  const prefix = `${new URL(issuer).pathname.replace(/\/$/, '')}/ssf`
  return (pathname) => {
    if (pathname === metadataPath) return { name: '/metadata', streamId: '' }
    if (!pathname.startsWith(`${prefix}/`)) return undefined
    const name = pathname.slice(prefix.length)
    if (names.has(name)) return { name, streamId: '' }
    const streamId = pollPath.exec(name)?.[1]
    return streamId === undefined ? undefined : { name: '/poll', streamId }
  }
}
