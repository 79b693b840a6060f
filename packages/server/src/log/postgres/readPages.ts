import type { PostgresDatabase, Statement } from './database.js'

const PAGE_SIZE = 1000

/** Reads a column of names page by page, with a statement that takes the name to go on after and how many to read. */
export async function* readPages<Column extends string>(
  database: PostgresDatabase,
  statement: Statement,
  column: Column,
): AsyncIterable<Uint8Array> {
  let last = Buffer.alloc(0)
  for (;;) {
    const page = await database.read<Record<Column, Uint8Array>>(statement, [last, PAGE_SIZE])
    for (const row of page) yield row[column]
    const end = page.at(-1)
    if (!end || page.length < PAGE_SIZE) return
    last = Buffer.from(end[column])
  }
}
