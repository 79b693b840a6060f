import type { PoolClient } from 'pg'
import { damaged } from '../damaged.js'

/** A step of the tables' history. It is never changed once it was released; the next change is a new step. */
interface Migration {
  readonly format: number
  /**
   * The oldest format whose servers still work with the tables after this step: while a release replaces another both are at
   * work. A step that only adds leaves it as it was.
   */
  readonly readableFrom: number
  readonly sql: string
}

/** Names are UTF-8 in `bytea`: any string is one, and they are ordered alike under every collation. */
const MIGRATIONS: readonly Migration[] = [
  {
    format: 1,
    readableFrom: 1,
    sql: `
      create table parley_rooms (
        id bigint generated always as identity,
        room bytea primary key,
        epoch bigint not null default 0,
        version bigint not null,
        snapshot_version bigint not null default 0,
        writer_turn bigint not null default 0,
        writer_client bigint,
        writer_clock bigint,
        writer_era bigint
      ) with (fillfactor = 70);
      create table parley_snapshots (
        room_id bigint primary key,
        version bigint not null,
        bytes bytea not null
      );
      create table parley_rows (
        room_id bigint not null,
        version bigint not null,
        bytes bytea not null,
        primary key (room_id, version)
      );
      create table parley_quarantine (
        room_id bigint not null,
        version bigint not null,
        reason text not null,
        bytes bytea not null,
        primary key (room_id, version)
      );
      create table parley_values (
        scope bytea not null,
        name bytea not null,
        bytes bytea not null,
        primary key (scope, name)
      );
      create table parley_check (
        id integer primary key default 1 check (id = 1),
        checked_at timestamptz not null
      );`,
  },
]

const NEWEST = Math.max(...MIGRATIONS.map(({ format }) => format))
/** Servers that start together migrate one after the other. Any number will do that nobody else takes. */
const MIGRATION_LOCK = 7_275_395

/**
 * Brings the tables up to date, or finds out that a newer server has, and whether this one can work with that.
 *
 * @throws ServerError with code `store-damaged` if it cannot
 */
export async function migrate(client: PoolClient): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`)
  await client.query(`
    create table if not exists parley_schema (
      format integer primary key,
      readable_from integer not null,
      migrated_at timestamptz not null default now()
    )`)
  const { rows } = await client.query(
    'select coalesce(max(format), 0) as format, coalesce(max(readable_from), 0) as readable_from from parley_schema',
  )
  const found = rows[0] as { format: number; readable_from: number }
  if (found.readable_from > NEWEST) {
    throw damaged('parley_schema', `format ${found.format} is newer than this server, which reads ${NEWEST}`)
  }
  for (const { format, readableFrom, sql } of MIGRATIONS) {
    if (format <= found.format) continue
    await client.query(sql)
    await client.query('insert into parley_schema (format, readable_from) values ($1, $2)', [
      format,
      readableFrom,
    ])
  }
}
