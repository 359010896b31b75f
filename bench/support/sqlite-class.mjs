import { hasNodeSqlite } from '@drawbridge/core/sqlite'

/** The class of the SQLite driver that the embedded store uses on this Node. */
export const sqliteClass = hasNodeSqlite()
  ? process.getBuiltinModule('node:sqlite').DatabaseSync
  : (await import('libsql')).default
