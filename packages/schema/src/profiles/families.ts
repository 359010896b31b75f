/** How the event type URIs of CAEP begin. */
const caepFamily = 'https://schemas.openid.net/secevent/caep/event-type/'
/** How the event type URIs of RISC begin. */
const riscFamily = 'https://schemas.openid.net/secevent/risc/event-type/'

/** Tells whether CAEP defines an event type. */
export const isOfCaep = (type: string): boolean => type.startsWith(caepFamily)

/** Tells whether CAEP or RISC defines an event type: in drafts, those had the subject in the event. */
export const isOfCaepOrRisc = (type: string): boolean =>
  isOfCaep(type) || type.startsWith(riscFamily)
