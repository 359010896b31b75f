import { EventEmitter } from 'eventemitter3'

/**
 * What happens, to watch and never to decide: listeners are called after the fact and cannot change
 * it.
 */
export interface Watchable<Events extends object> {
  /** Calls the listener each time. What a listener throws is printed and stops nothing. */
  on<Name extends keyof Events & string>(name: Name, listener: (event: Events[Name]) => void): void
  /** Calls the listener the next time only. */
  once<Name extends keyof Events & string>(
    name: Name,
    listener: (event: Events[Name]) => void,
  ): void
  /** Removes a listener. */
  off<Name extends keyof Events & string>(name: Name, listener: (event: Events[Name]) => void): void
}

/** The owner's side of a {@link Watchable}. */
export interface Emitter<Events extends object> {
  /** What is given to those who watch. */
  readonly watchable: Watchable<Events>
  /** Tells every listener of the name. Never throws. */
  emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void
}

type Listener = (event: never) => unknown
type Shielded = (event: unknown) => void

/** Makes an emitter whose listeners cannot throw into the code that emits. */
export function createEmitter<Events extends object>(): Emitter<Events> {
  const emitter = new EventEmitter<string>()
  const shields = new Map<string, WeakMap<Listener, Shielded>>()
  const shield = (name: string, listener: Listener): Shielded => {
    const known = shields.get(name) ?? new WeakMap<Listener, Shielded>()
    shields.set(name, known)
    const shielded =
      known.get(listener) ??
      ((event: unknown) => {
        const complain = (error: unknown): void =>
          console.error(`drawbridge: a listener of "${name}" threw`, error)
        try {
          // An async listener fits the type too; its rejection would end the process.
          Promise.resolve(listener(event as never)).catch(complain)
        } catch (error) {
          complain(error)
        }
      })
    known.set(listener, shielded)
    return shielded
  }
  return {
    watchable: {
      on: (name, listener) => void emitter.on(name, shield(name, listener)),
      once: (name, listener) => void emitter.once(name, shield(name, listener)),
      off: (name, listener) => void emitter.off(name, shield(name, listener)),
    },
    emit: (name, event) => void emitter.emit(name, event),
  }
}
