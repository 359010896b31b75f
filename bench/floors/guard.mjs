// One look into a Map and one comparison.
export function check(map, who) {
  const since = map.get(who.key)
  return since === undefined || who.began > since
}
