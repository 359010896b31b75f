// One look into a Map and one comparison, and the same for whoever is acted for.
export function check(map, who) {
  const since = map.get(who.key)
  if (since !== undefined && who.began <= since) return false
  return who.delegator === undefined || check(map, who.delegator)
}
