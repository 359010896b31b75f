// Whom the events of the runs under fault are about, and who gets them: the child that transmits and the
// test that looks agree by this file.
const users = 100

/** The user whom the event with a number is about: all events of a user come in order. */
export const usersOf = (n) => `user-${n % users}`

/** Whether a Receiver gets events about a user: each user has two. */
export function wants(receiver, user, receivers) {
  const u = Number(user.slice('user-'.length))
  return receiver === u % receivers || receiver === (u + 7) % receivers
}
