import type { Parameter } from './database.js'
import type { Group } from './group.js'

/** The parameters of `WRITE_GROUP`, in its order. The bytes of all rows and values are one of them. */
export function groupParameters({ rooms, values }: Group): Parameter[] {
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
  // Of arrays that end early PostgreSQL takes the rest as null.
  const writing = rooms.some(({ after }) => after !== null) ? rooms : []
  return [
    arrayOfBytes(rooms.map(({ name }) => name)),
    arrayOf(rooms.map(({ rows }) => rows.length)),
    arrayOf(writing.map(({ before, after }) => (after ? before.turn : null))),
    arrayOf(writing.map(({ before }) => before.state !== null)),
    arrayOf(writing.map(({ after }) => after?.client ?? null)),
    arrayOf(writing.map(({ after }) => after?.clock ?? null)),
    arrayOf(rowPlaces),
    arrayOf(rowNumbers),
    arrayOf(rowStarts),
    arrayOf(rowLengths),
    arrayOf(values.map(({ room }) => (room === null ? 0 : (places.get(room) ?? 0)))),
    arrayOfBytes(values.map(({ scope }) => scope)),
    arrayOfBytes(values.map(({ name }) => name)),
    arrayOf(values.map(({ value }) => put(value))),
    arrayOf(values.map(({ value }) => value?.byteLength ?? null)),
    Buffer.concat(bytes, end - 1),
  ]
}

/** PostgreSQL's text for an array; the driver's own way takes ten times as long, which counts for thousands. */
function arrayOf(elements: ReadonlyArray<number | boolean | null>): string {
  return `{${elements.map((element) => element ?? 'NULL').join(',')}}`
}

function arrayOfBytes(values: readonly Buffer[]): string {
  return `{${values.map((value) => `"\\\\x${value.toString('hex')}"`).join(',')}}`
}
