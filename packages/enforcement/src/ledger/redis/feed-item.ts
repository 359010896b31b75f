/** One item of the feed: its id and its fields, name and value in turn. */
export type FeedItem = readonly [id: string, fields: readonly string[]]

/** The items in the answer to XREAD of one stream; none when it waited in vain. */
export function itemsOf(answer: unknown): readonly FeedItem[] {
  const [stream] = (answer as readonly [string, readonly FeedItem[]][] | null) ?? []
  return stream?.[1] ?? []
}

/** The texts of the entries among items. The item that begins an epoch holds none. */
export const textsOf = (items: readonly FeedItem[]): string[] =>
  items.flatMap(([, fields]) => (fields[0] === 'entry' ? fields.slice(1, 2) : []))

/** Compares ids of items: above 0 when the first is later. */
export function compareIds(one: string, other: string): number {
  const [ms, serial] = parts(one)
  const [otherMs, otherSerial] = parts(other)
  return Number(ms - otherMs || serial - otherSerial)
}

function parts(id: string): readonly [bigint, bigint] {
  const [ms = '0', serial = '0'] = id.split('-')
  return [BigInt(ms), BigInt(serial)]
}
