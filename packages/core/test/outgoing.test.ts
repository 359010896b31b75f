import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import {
  createSocketGuard,
  isPublicAddress,
  type LookupAll,
  type OutgoingRules,
} from '@drawbridge/core/outgoing'

describe('isPublicAddress', () => {
  it.each([
    '0.0.0.0',
    '10.255.255.255',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd12:3456::1',
    'ff02::1',
    '100::1',
    '2001:db8::1',
    '2001::1',
    '3fff::1',
    '4000::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::8.8.8.8',
    '2002:7f00:1::',
    '2002:0a00:0001::1',
    '::127.0.0.1',
    'localhost',
    '',
    '1.2.3',
  ])('says no to %s', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
  it.each([
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.0.1.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::1',
    '2001:4860:4860::8888',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
  ])('says yes to %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
})

const answering =
  (...addresses: readonly string[]): LookupAll =>
  (_, __, done) =>
    done(
      null,
      addresses.map((address): LookupAddress => ({
        address,
        family: address.includes(':') ? 6 : 4,
      })),
    )

const strict: OutgoingRules = { allowedHosts: [], allowLoopback: false }

/** What a connection by name leads to. */
const reached = async (
  names: LookupAll,
  rules: OutgoingRules,
  hostname = 'peer.example',
): Promise<string> => {
  const server = createServer((socket) => socket.end('reached')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { lookup } = createSocketGuard(rules, names)
  const socket = connect({ host: hostname, port, lookup })
  try {
    const [data] = (await once(socket, 'data')) as [Buffer]
    return data.toString()
  } catch (error) {
    return String((error as { code?: string }).code)
  } finally {
    socket.destroy()
    server.close()
  }
}

describe('createSocketGuard', () => {
  it('refuses a name that stands for this machine, at the socket', async () => {
    expect(await reached(answering('127.0.0.1'), strict)).toBe('ERR_ADDRESS_NOT_ALLOWED')
  })
  it('judges at each connection: a name that was a public one before is of no use', async () => {
    const answers = [['8.8.8.8'], ['127.0.0.1']]
    const rebinding: LookupAll = (name, options, done) =>
      answering(...(answers.shift() ?? []))(name, options, done)
    const { lookup } = createSocketGuard(strict, rebinding)
    const look = (): Promise<unknown> =>
      new Promise((resolve) => {
        lookup('peer.example', {}, (error, address) => resolve(error ?? address))
      })
    expect(await look()).toBe('8.8.8.8')
    expect(await look()).toMatchObject({ code: 'ERR_ADDRESS_NOT_ALLOWED' })
  })
  it('leaves the public ones of several addresses', async () => {
    const { lookup } = createSocketGuard(strict, answering('10.0.0.1', '8.8.8.8', '::1'))
    const all = await new Promise((resolve) => {
      lookup('peer.example', { all: true }, (_, addresses) => resolve(addresses))
    })
    expect(all).toEqual([{ address: '8.8.8.8', family: 4 }])
  })
  it('lets through what is allowed by name, and this machine where that is allowed', async () => {
    const loopback = answering('127.0.0.1')
    const allowedHosts = ['Peer.Example']
    expect(await reached(loopback, { ...strict, allowedHosts })).toBe('reached')
    expect(await reached(loopback, { ...strict, allowedHosts }, 'other.example')).toBe(
      'ERR_ADDRESS_NOT_ALLOWED',
    )
    expect(await reached(loopback, { ...strict, allowLoopback: true })).toBe('reached')
  })
  it('passes on that a name is not known', async () => {
    const unknown: LookupAll = (_, __, done) =>
      done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), [])
    expect(await reached(unknown, strict)).toBe('ENOTFOUND')
  })
  it('judges addresses in a URL, which are not looked up', () => {
    const guard = createSocketGuard({ ...strict, allowedHosts: ['10.1.1.1', '[fd00::1]'] })
    for (const host of ['127.0.0.1', '[::1]', '169.254.169.254', '[::ffff:a00:1]', '10.1.1.2']) {
      expect(guard.refuses(host)).toMatchObject({ code: 'ERR_ADDRESS_NOT_ALLOWED' })
    }
    for (const host of ['8.8.8.8', '10.1.1.1', '[fd00::1]', 'peer.example']) {
      expect(guard.refuses(host)).toBeUndefined()
    }
    expect(createSocketGuard({ ...strict, allowLoopback: true }).refuses('[::1]')).toBeUndefined()
  })
})
