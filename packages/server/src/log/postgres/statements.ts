import type { Statement } from './database.js'

function statement(name: string, text: string): Statement {
  return { name: `parley_${name}`, text }
}

/**
 * Which history of the database this is. After a fail-over, a restore, or a copy into another database the clocks that the
 * server gave out under a client id may be lost; then it takes a new client id. The start time stands for a restored data
 * directory, whose timeline is the one it had; the file node for tables that a dump was loaded into again.
 */
const ERA = `hashtextextended(concat_ws('/',
  (select system_identifier from pg_control_system()),
  left(pg_walfile_name(pg_current_wal_insert_lsn()), 8),
  extract(epoch from pg_postmaster_start_time()),
  pg_relation_filenode('parley_rooms'::regclass),
  'parley_rooms'::regclass::oid), 0)`

/** Which database and tables these are: no others have the same, copies of them included. */
export const IDENTITY = statement(
  'identity',
  `select concat_ws('/', (select system_identifier from pg_control_system()),
    (select oid from pg_database where datname = current_database()), 'parley_rooms'::regclass::oid) as identity`,
)

/**
 * Writes a group: takes the next versions of all its rooms under their row locks, and stores the rows and the values, in one
 * statement, so that no node ever holds a lock between two.
 *
 * Rooms are locked in the order of their names, first those that exist, then those that are created: nodes whose groups
 * have rooms in common then wait for each other and never in a circle. A room that somebody else created meanwhile, or in which
 * another node wrote as the server since this one looked, is left out together with its rows and values, and not returned.
 *
 * 1 to 6, an element a room: name, number of rows, how often the server had written in it (null: it does not now), whether
 * it goes on under the client it had, the client and the clock from now on. 7 to 10, an element a row: which room, which of its
 * rows, where its bytes begin, how many. 11 to 15, an element a value: which room it depends on or 0, scope, name, where its bytes
 * begin, how many or null if it is removed. 16: all bytes.
 */
export const WRITE_GROUP = statement('write_group', writeGroup(true))

/** {@link WRITE_GROUP} for a group of what devices wrote: without 3 to 6 and 11 to 15, which most groups do not need. */
export const APPEND_GROUP = statement('append_group', writeGroup(false))

/** The statement, with what the server itself writes and values or without: planned for nothing they take half of its time. */
function writeGroup(full: boolean): string {
  const when = (part: string, otherwise = ''): string => (full ? part : otherwise)
  const bytes = full ? '$16' : '$7'
  const rows = full ? ['$7', '$8', '$9', '$10'] : ['$3', '$4', '$5', '$6']
  const writer = ['writer_turn', 'writer_client', 'writer_clock', 'writer_era']
    .map((name) => `, ${name}`)
    .join('')
  return `with wanted as materialized (
    select * from unnest($1::bytea[], $2::bigint[]${when(', $3::bigint[], $4::boolean[], $5::bigint[], $6::bigint[]')})
      with ordinality as w (room, appended${when(', turn, goes_on, client, clock')}, place)
  )${when(`, era as materialized (
    select case when exists (select from wanted where turn is not null) then ${ERA} end as era
  )`)}, existing as materialized (
    select room${when(', writer_turn, writer_era')} from parley_rooms
    where room = any($1::bytea[]) order by room for update
  ), moved as (
    update parley_rooms r set
      version = r.version + w.appended${when(`,
      writer_turn = r.writer_turn + case when w.turn is null then 0 else 1 end,
      writer_client = coalesce(w.client, r.writer_client),
      writer_clock = coalesce(w.clock, r.writer_clock),
      writer_era = case when w.turn is null then r.writer_era else era end`)}
    from existing e join wanted w using (room) ${when('cross join era')}
    where r.room = e.room ${when(`
      and (w.turn is null or w.turn = e.writer_turn and (not w.goes_on or e.writer_era = era))`)}
    returning w.place, r.id, r.version - w.appended as base
  ), created as (
    insert into parley_rooms (room, version${when(writer)})
    select w.room, w.appended${when(`, case when w.turn is null then 0 else 1 end, w.client, w.clock,
      case when w.turn is not null then era end`)}
    from wanted w ${when('cross join era')}
    where w.room not in (select room from existing) ${when('and coalesce(w.turn, 0) = 0')}
    order by w.room
    on conflict (room) do nothing
    returning room, id
  ), heads as (
    select place, id, base from moved
    union all
    select w.place, c.id, 0 from created c join wanted w using (room)
  ), appended as (
    insert into parley_rows (room_id, version, bytes)
    select h.id, h.base + n.number, substring(${bytes}::bytea from n.start for n.length)
    from unnest(${rows[0]}::bigint[], ${rows[1]}::bigint[], ${rows[2]}::int[], ${rows[3]}::int[])
      as n (place, number, start, length) join heads h using (place)
  )${when(`, valued as materialized (
    select v.scope, v.name, v.start, v.length
    from unnest($11::bigint[], $12::bytea[], $13::bytea[], $14::int[], $15::int[])
      as v (place, scope, name, start, length)
    where v.place = 0 or v.place in (select place from heads)
  ), put as (
    insert into parley_values (scope, name, bytes)
    select scope, name, substring(${bytes}::bytea from start for length) from valued where length is not null
    order by scope, name
    on conflict (scope, name) do update set bytes = excluded.bytes
  ), removed as (
    delete from parley_values p using valued v where v.length is null and p.scope = v.scope and p.name = v.name
  )`)}
  select place, base from heads`
}

/** As whom the server wrote last in rooms, and how often it has; no client where that was in another era. */
export const READ_WRITERS = statement(
  'read_writers',
  `select room, writer_turn as turn, w.client, w.clock from parley_rooms left join lateral (
    select writer_client as client, writer_clock as clock where writer_era = ${ERA}
  ) w on true
  where room = any($1::bytea[])`,
)

/** Values of several scopes: 1 and 2, an element a value: scope, name. */
export const READ_SCOPED_VALUES = statement(
  'read_scoped_values',
  `select scope, name, bytes from unnest($1::bytea[], $2::bytea[]) as w (scope, name)
    join parley_values using (scope, name)`,
)

/** All of a room that whoever knows it as of a version lacks: first its numbers, then its snapshot, then its rows. */
export const LOAD = statement(
  'load',
  `with known as materialized (select id, epoch, version, snapshot_version from parley_rooms where room = $1::bytea)
  select 0 as part, version, epoch, null::bytea as bytes from known
  union all
  select 1, k.snapshot_version, 0, s.bytes from known k left join parley_snapshots s on s.room_id = k.id
  where k.snapshot_version > $2::bigint
  union all
  select 2, n.version, 0, n.bytes from known k join parley_rows n on n.room_id = k.id
  where n.version > case when k.snapshot_version > $2::bigint then 0 else $2::bigint end
  order by part, version`,
)

export const HEADS = statement(
  'heads',
  'select room, version from parley_rooms where room = any($1::bytea[])',
)

/** 1: room, 2: scope, 3: name. */
export const READ_WITH_HEAD = statement(
  'read_with_head',
  `select (select version from parley_rooms where room = $1::bytea) as head,
    (select bytes from parley_values where scope = $2::bytea and name = $3::bytea) as bytes`,
)

/** 1: room, 2: the version compacted through, 3: the snapshot, 4: versions of rows that stay. */
export const COMPACT = statement(
  'compact',
  `with moved as (
    update parley_rooms set snapshot_version = $2::bigint
    where room = $1::bytea and version >= $2::bigint and snapshot_version < $2::bigint
    returning id
  ), replaced as (
    delete from parley_rows n using moved where n.room_id = moved.id and n.version <= $2::bigint and n.version <> all($4::bigint[])
  )
  insert into parley_snapshots (room_id, version, bytes) select id, $2::bigint, $3::bytea from moved
  on conflict (room_id) do update set version = excluded.version, bytes = excluded.bytes`,
)

/** 1: room, 2: versions, 3: the reason of each. */
export const QUARANTINE = statement(
  'quarantine',
  `with locked as materialized (select id from parley_rooms where room = $1::bytea for update), gone as (
    delete from parley_rows n using locked, unnest($2::bigint[], $3::text[]) as q (version, reason)
    where n.room_id = locked.id and n.version = q.version
    returning n.room_id, n.version, q.reason, n.bytes
  ), renewed as (
    update parley_rooms set writer_turn = writer_turn + 1, writer_client = null, writer_clock = null, writer_era = null
    where id in (select room_id from gone)
  )
  insert into parley_quarantine select * from gone`,
)

/** 1: room, 2: client ids: finds the room if the server's own rows have one of them. */
export const FIND_WRITER = statement(
  'find_writer',
  'select room from parley_rooms where room = $1::bytea and writer_client = any($2::bigint[])',
)

/** 1: room, 2: client ids: the server's own rows get a new client id if they have one of them. */
export const RETIRE_WRITER = statement(
  'retire_writer',
  `update parley_rooms set writer_turn = writer_turn + 1, writer_client = null, writer_clock = null, writer_era = null
  where room = $1::bytea and writer_client = any($2::bigint[])`,
)

export const SIZE = statement(
  'size',
  `select r.epoch, r.version, r.snapshot_version as "snapshotVersion",
    coalesce((select octet_length(bytes)::bigint from parley_snapshots where room_id = r.id), 0) as "snapshotBytes",
    n.count as "rowCount", n.bytes as "rowBytes"
  from parley_rooms r, lateral (
    select count(*) as count, coalesce(sum(octet_length(bytes)), 0)::bigint as bytes from parley_rows where room_id = r.id
  ) n
  where r.room = $1::bytea`,
)

export const LIST_QUARANTINED = statement(
  'list_quarantined',
  `select q.version, q.reason, octet_length(q.bytes)::bigint as bytes
  from parley_quarantine q join parley_rooms r on r.id = q.room_id where r.room = $1::bytea order by q.version`,
)

export const READ_VALUES = statement(
  'read_values',
  'select name, bytes from parley_values where scope = $1::bytea and name = any($2::bytea[])',
)

/** 1: scope, 2: the first name, 3: the name that all come before, 4: at most how many, or null. */
const LIST_VALUES = `select name, bytes from parley_values
  where scope = $1::bytea and name >= $2::bytea and name < $3::bytea`
export const LIST_VALUES_UP = statement('list_values_up', `${LIST_VALUES} order by name limit $4::bigint`)
export const LIST_VALUES_DOWN = statement(
  'list_values_down',
  `${LIST_VALUES} order by name desc limit $4::bigint`,
)

/** A page of the scopes that have values, after a scope. */
export const SCOPES = statement(
  'scopes',
  'select distinct scope from parley_values where scope > $1::bytea order by scope limit $2::bigint',
)

/** A page of the names of rooms, after a name. */
export const ROOMS = statement(
  'rooms',
  'select room from parley_rooms where room > $1::bytea order by room limit $2::bigint',
)

export const CHECK = statement(
  'check',
  `insert into parley_check (checked_at) values (now())
  on conflict (id) do update set checked_at = excluded.checked_at`,
)

/**
 * Makes room for what a room is to hold: numbers that are not what they were, and a writer that it did not have. 1: room, 2:
 * epoch, 3: version, 4: the version of the snapshot.
 */
export const REPLACE_NUMBERS = statement(
  'replace_numbers',
  `insert into parley_rooms as r (room, epoch, version, snapshot_version)
  values ($1::bytea, $2::bigint, $3::bigint, $4::bigint)
  on conflict (room) do update set epoch = excluded.epoch, version = excluded.version,
    snapshot_version = excluded.snapshot_version,
    writer_turn = r.writer_turn + 1, writer_client = null, writer_clock = null, writer_era = null
  returning id`,
)

/** Removes a room's rows and its snapshot, and returns them. 1: the room's id. */
export const TAKE_ROWS = statement(
  'take_rows',
  `with rows as (
    delete from parley_rows where room_id = $1::bigint returning version, bytes
  ), snapshots as (
    delete from parley_snapshots where room_id = $1::bigint returning version, bytes
  )
  select false as snapshot, version, bytes from rows union all select true, version, bytes from snapshots`,
)

/** 1: the room's id, 2: version, 3: bytes. */
const PUT = 'values ($1::bigint, $2::bigint, $3::bytea)'
export const PUT_ROW = statement('put_row', `insert into parley_rows (room_id, version, bytes) ${PUT}`)
export const PUT_SNAPSHOT = statement(
  'put_snapshot',
  `insert into parley_snapshots (room_id, version, bytes) ${PUT}`,
)

/** 1: the room's id, 2: version, 3: bytes, 4: the reason. What lies in quarantine under that version stays. */
export const PUT_ASIDE = statement(
  'put_aside',
  `insert into parley_quarantine (room_id, version, bytes, reason)
  values ($1::bigint, $2::bigint, $3::bytea, $4::text) on conflict do nothing`,
)

/** 1: scope, 2: name, 3: bytes, or null. */
export const PUT_VALUE = statement(
  'put_value',
  `insert into parley_values (scope, name, bytes) values ($1::bytea, $2::bytea, $3::bytea)
  on conflict (scope, name) do update set bytes = excluded.bytes`,
)
export const REMOVE_VALUE = statement(
  'remove_value',
  'delete from parley_values where scope = $1::bytea and name = $2::bytea',
)

/** Frees what deleted and replaced rows of the tables took. */
export const VACUUM = 'vacuum parley_rooms, parley_snapshots, parley_rows, parley_quarantine, parley_values'

/**
 * Removes a room: first its row is locked, and then all is removed that was committed before; a row that was appended while
 * the lock was waited for is not seen by the statement that waits.
 */
export function deleteRoom(room: Buffer, valueScope: Buffer): string {
  const literal = (bytes: Buffer): string => `'\\x${bytes.toString('hex')}'::bytea`
  return `select from parley_rooms where room = ${literal(room)} for update;
    with gone as (delete from parley_rooms where room = ${literal(room)} returning id),
      snapshots as (delete from parley_snapshots s using gone where s.room_id = gone.id),
      rows as (delete from parley_rows n using gone where n.room_id = gone.id),
      quarantined as (delete from parley_quarantine q using gone where q.room_id = gone.id)
    delete from parley_values where scope = ${literal(valueScope)};`
}
