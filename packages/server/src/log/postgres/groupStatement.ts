import type { Parameter, Statement } from './database.js'
import type { Group } from './group.js'
import { APPEND_GROUP, WRITE_GROUP } from './statements.js'

/** The statement that writes a group, and its parameters. The bytes of all rows and values are one of them. */
export function groupStatement({ rooms, values }: Group): [statement: Statement, parameters: Parameter[]] {
  const bytes: Buffer[] = []
  // PostgreSQL counts from 1.
  let end = 1
  const put = (value: Buffer | null): number => {
    const start = end
    if (value) {
      bytes.push(value)
      end += value.byteLength
    }
    return start
  }
  const places = new Map<string, number>()
  const rowPlaces: number[] = []
  const rowNumbers: number[] = []
  const rowStarts: number[] = []
  const rowLengths: number[] = []
  for (const [index, { room, rows }] of rooms.entries()) {
    places.set(room, index + 1)
    for (const [number, value] of rows.entries()) {
      rowPlaces.push(index + 1)
      rowNumbers.push(number + 1)
      rowStarts.push(put(value))
      rowLengths.push(value.byteLength)
    }
  }
  const names = arrayOfBytes(rooms.map(({ name }) => name))
  const counts = arrayOf(rooms.map(({ rows }) => rows.length))
  const rows = [rowPlaces, rowNumbers, rowStarts, rowLengths].map(arrayOf)
  if (values.length === 0 && rooms.every(({ after }) => after === null)) {
    return [APPEND_GROUP, [names, counts, ...rows, Buffer.concat(bytes, end - 1)]]
  }
  const writers = [
    arrayOf(rooms.map(({ before, after }) => (after ? before.turn : null))),
    arrayOf(rooms.map(({ before }) => before.state !== null)),
    arrayOf(rooms.map(({ after }) => after?.client ?? null)),
    arrayOf(rooms.map(({ after }) => after?.clock ?? null)),
  ]
  const valued = [
    arrayOf(values.map(({ room }) => (room === null ? 0 : (places.get(room) ?? 0)))),
    arrayOfBytes(values.map(({ scope }) => scope)),
    arrayOfBytes(values.map(({ name }) => name)),
    arrayOf(values.map(({ value }) => put(value))),
    arrayOf(values.map(({ value }) => value?.byteLength ?? null)),
  ]
  return [WRITE_GROUP, [names, counts, ...writers, ...rows, ...valued, Buffer.concat(bytes, end - 1)]]
}

/** PostgreSQL's text for an array; the driver's own way takes ten times as long, which counts for thousands. */
function arrayOf(elements: ReadonlyArray<number | boolean | null>): string {
  return `{${elements.map((element) => element ?? 'NULL').join(',')}}`
}

function arrayOfBytes(values: readonly Buffer[]): string {
  return `{${values.map((value) => `"\\\\x${value.toString('hex')}"`).join(',')}}`
}
