import { expect, it } from '@jest/globals'
import type { Json } from './peer.ts'
import type { Site } from './site.ts'
import { pollMethod, pushMethod } from './streams.ts'

const endpoints = [
  'configuration_endpoint',
  'status_endpoint',
  'add_subject_endpoint',
  'remove_subject_endpoint',
  'verification_endpoint',
]

/** The metadata of a Transmitter and its keys. */
export function walkMetadata(site: () => Site): void {
  it('SSF-7.2.3-1, SSF-7.2-2, SSF-7.2.1-2, SSF-7.2-3, SSF-7.1-14: the metadata is JSON, whatever Accept says, and for everybody', async () => {
    const { peer, issuer } = site()
    const { origin } = new URL(issuer)
    const place = `${origin}/.well-known/ssf-configuration/tenant`
    for (const accept of ['application/json', 'text/html', 'image/*;q=0.1']) {
      const answer = await peer.ask('GET', place, { token: null, headers: { accept } })
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json'])
      expect(answer.json).toEqual(peer.metadata)
    }
    const suffixed = `${issuer}/.well-known/ssf-configuration`
    expect((await peer.ask('GET', suffixed, { token: null })).status).toBe(404)
  })

  it('SSF-7.1-1, SSF-7.1-3, SSF-7.1-4, SSF-7.1-5, SSF-7.1-13, SSF-7.1-15, SSF-7.1.1-2, CIOP-2.3.1-1, CIOP-2.3.2-1, CIOP-2.3.7-1, GAP-27: it says what is required', () => {
    const { metadata } = site().peer
    expect(metadata).toMatchObject({ issuer: site().issuer, spec_version: '1_0' })
    expect(metadata['delivery_methods_supported']).toEqual([pushMethod, pollMethod])
    expect(metadata['authorization_schemes']).toContainEqual({ spec_urn: 'urn:ietf:rfc:6749' })
    expect(['ALL', 'NONE']).toContain(metadata['default_subjects'])
  })

  it('SSF-7.2.3-3, SSF-7.1-6, SSF-7.1-7, SSF-7.1-8, SSF-7.1-9, SSF-7.1-10: no empty array, and every URL is https', () => {
    const { metadata } = site().peer
    const values = Object.values(metadata)
    expect(values.filter((value) => Array.isArray(value) && value.length === 0)).toEqual([])
    const urls = [...endpoints, 'jwks_uri', 'issuer'].map((name) => metadata[name])
    expect(urls.filter((url) => !String(url).startsWith('https://'))).toEqual([])
    expect(JSON.stringify(metadata)).not.toContain('http://')
  })

  it('CIOP-2.3.3-1: the keys are RSA of 2048 bits or more, and only their public members are there', async () => {
    const answer = await site().peer.ask('GET', 'jwks_uri', { token: null })
    const keys = answer.json['keys'] as Json[]
    expect([answer.status, keys.length > 0]).toEqual([200, true])
    for (const key of keys) {
      expect(key).toMatchObject({ kty: 'RSA', use: 'sig' })
      expect(Buffer.from(String(key['n']), 'base64url').length).toBeGreaterThanOrEqual(256)
      expect(Object.keys(key).filter((name) => /^(d|p|q|dp|dq|qi)$/.test(name))).toEqual([])
    }
  })

  it('SSF-7.2.2-2, SSF-7.2.3-4: there is none under the name of RISC, and only GET and HEAD are allowed', async () => {
    const { peer, issuer } = site()
    const { origin } = new URL(issuer)
    const statusOf = async (method: string, suffix: string): Promise<unknown> =>
      (await peer.ask(method, `${origin}/.well-known/${suffix}`, { token: null })).status
    expect(await statusOf('GET', 'risc-configuration/tenant')).toBe(404)
    expect(await statusOf('GET', 'ssf-configuration/other')).toBe(404)
    expect(await statusOf('HEAD', 'ssf-configuration/tenant')).toBe(200)
    for (const method of ['POST', 'PUT', 'DELETE']) {
      expect(await statusOf(method, 'ssf-configuration/tenant')).toBe(405)
    }
  })
}
