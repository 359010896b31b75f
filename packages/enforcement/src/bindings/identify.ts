import type { Who } from '../who.ts'

/** Nobody is logged in: `undefined`, or what `login && { … }` leaves of a login that is not there. */
export type Nobody = undefined | null | false | ''

/**
 * Says who makes a request, from the session or the token that the application has verified. A
 * request of nobody passes: to let nobody in is the application's own business. What this function
 * throws lets nothing pass.
 */
export type Identify<Req> = (request: Req) => Who | Nobody | Promise<Who | Nobody>
