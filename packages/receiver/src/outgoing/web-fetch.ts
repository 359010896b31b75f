import { createAddressRules, OptionsError, type OutgoingRules } from '@drawbridge/core'

/**
 * Makes a `fetch` for where only Web APIs exist and nobody sees a socket: addresses that stand in
 * the URL are judged by the rules, and so is the name of the machine itself. Redirects are not
 * followed.
 *
 * @throws OptionsError where `ca` is given: nobody can add to what the runtime trusts
 */
export function guardedFetch({
  ca,
  ...rules
}: OutgoingRules & { readonly ca?: string }): typeof globalThis.fetch {
  if (ca !== undefined) {
    throw new OptionsError('createReceiver', ['"ca" can be given on Node alone: leave it out'])
  }
  const { refuses, isAllowed } = createAddressRules(rules)
  const isRefused = (hostname: string): boolean =>
    refuses(hostname) ||
    (/(^|\.)localhost\.?$/i.test(hostname) && !rules.allowLoopback && !isAllowed(hostname))
  return async (input, init) => {
    const { hostname } = new URL(typeof input === 'object' && 'url' in input ? input.url : input)
    if (isRefused(hostname)) {
      throw Object.assign(new Error('the host is not a public one, and not allowed by name'), {
        code: 'ERR_ADDRESS_NOT_ALLOWED',
      })
    }
    return await globalThis.fetch(input, { ...init, redirect: 'manual' })
  }
}
