/**
 * What a signal does to a session that is alive.
 *
 * - `reauthenticate`: refused until its user has authenticated again, after T;
 * - `suspend`: refused, nothing is destroyed, and it can be given back;
 * - `terminate`: ended.
 */
export type Effect = 'reauthenticate' | 'suspend' | 'terminate'

/** The effects from mild to hard. */
export const effects: readonly Effect[] = ['reauthenticate', 'suspend', 'terminate']

/** Tells whether a value is an effect that this release can carry out. */
export const isEffect = (value: unknown): value is Effect =>
  (effects as readonly unknown[]).includes(value)

/** How hard an effect is: a place in {@link effects}, so that two can be compared. */
export const hardness = (effect: Effect): number => effects.indexOf(effect)

/** The harder one of two effects; nothing is milder than any. */
export function harder(one: Effect | undefined, other: Effect): Effect {
  return one !== undefined && hardness(one) > hardness(other) ? one : other
}
