// One entry for a tenant: a Map in memory, or a row of SQLite that is on disk before it counts.
export const memoryTenants = () => {
  const map = new Map()
  return {
    write: async (tenant, since) => void map.set(tenant, since),
    isRefused: (tenant, began) => began <= (map.get(tenant) ?? -1),
  }
}

/** As a ledger of one file: committed, then known. */
export function sqliteTenants(Database, file) {
  const database = new Database(file)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec('CREATE TABLE tenants (tenant TEXT PRIMARY KEY, since INTEGER)')
  const insert = database.prepare('INSERT INTO tenants VALUES (?, ?)')
  const { write, isRefused } = memoryTenants()
  return {
    isRefused,
    write: async (tenant, since) => {
      insert.run(tenant, since)
      await write(tenant, since)
    },
    close: () => database.close(),
  }
}
