import { memoryStore, createTransmitter, permitAll, staticTokens } from '@drawbridge/transmitter'
import type { Transmitter, TransmitterOptions } from '@drawbridge/transmitter'
import { caepInterop } from '@drawbridge/schema/profiles'
import type { Mount } from '../../support/mounts.ts'
import { createAuthority, type Authority } from '../../support/tls.ts'
import { connect, goodToken, type Peer } from './peer.ts'

/** A Transmitter that is served over TLS, and a Receiver that has found it. */
export interface Site {
  readonly issuer: string
  readonly transmitter: Transmitter
  readonly authority: Authority
  readonly peer: Peer
  close(): Promise<void>
}

/** The `aud` of the Receiver. */
export const audience = 'https://receiver.example/ssf'

const other = { id: 'other', audience: 'https://other.example' }
const own = { id: 'receiver', audience }

type Options = Partial<TransmitterOptions>

/** What is known of a Transmitter before it is made. */
export type Place = Pick<Site, 'issuer' | 'authority'>

/**
 * Opens a Transmitter whose issuer has a path, in an application of some framework.
 *
 * @param optionsOf Its options beside those that every Transmitter of these tests has
 */
export async function openSite(
  mount: Mount,
  optionsOf: (place: Place) => Options | Promise<Options> = () => ({}),
): Promise<Site> {
  const authority = createAuthority('an authority of a test')
  let transmitter: Transmitter | undefined
  const mounted = await mount(
    {
      fetch: async (request) => (await transmitter?.fetch(request)) ?? new Response(),
      serves: (pathname) => transmitter?.serves(pathname) ?? false,
    },
    authority.issue('localhost'),
  )
  const issuer = `https://localhost:${mounted.port}/tenant`
  const options = await optionsOf({ issuer, authority })
  transmitter = createTransmitter({
    issuer,
    secret: 'a secret of a test, 32 characters and more',
    store: memoryStore(),
    authenticate: staticTokens([
      { ...own, token: goodToken },
      { ...own, token: 'read-token', scopes: ['ssf.read'] },
      { ...own, token: 'idle-token', scopes: [] },
      { ...other, token: 'other-token' },
    ]),
    permitEvent: permitAll,
    profile: caepInterop,
    ...options,
    push: {
      allowedHosts: ['localhost', '127.0.0.1'],
      ca: authority.ca,
      backoff: { firstMs: 2, longestMs: 10 },
      ...options.push,
    },
    poll: { longPollMs: 200, ...options.poll },
  })
  await transmitter.start()
  const peer = await connect(issuer, authority.ca)
  return {
    issuer,
    transmitter,
    authority,
    peer,
    close: async () => {
      peer.close()
      await transmitter.stop()
      await mounted.close()
    },
  }
}
