import { jsonResponse } from '@drawbridge/core'
import { wellKnownUrl } from '@drawbridge/schema'
import type { Settings } from '../settings.ts'
import type { PublicCall } from './call.ts'

/** What a Receiver asks an access token for. */
const resourceOf = (issuer: string): string => `${issuer.replace(/\/$/, '')}/ssf`

/** Where the metadata of that resource is. */
export const resourceMetadataUrl = (issuer: string): string =>
  wellKnownUrl(resourceOf(issuer), 'oauth-protected-resource')

/** Whether there is something to publish: an authorization server where tokens can be had. */
const serversOf = ({ authenticate }: Settings): readonly string[] =>
  authenticate.authorizationServers ?? []

/** The parameter of a challenge that points to the metadata; empty where there is none. */
export const resourceMetadataParameter = (settings: Settings): readonly string[] =>
  serversOf(settings).length > 0
    ? [`resource_metadata="${resourceMetadataUrl(settings.issuer)}"`]
    : []

/** @see RFC 9728, "Protected Resource Metadata Response" */
export function readResourceMetadata({ management: { settings } }: PublicCall): Response {
  return jsonResponse(200, {
    resource: resourceOf(settings.issuer),
    authorization_servers: serversOf(settings),
    scopes_supported: ['ssf.read', 'ssf.manage'],
    bearer_methods_supported: ['header'],
  })
}
