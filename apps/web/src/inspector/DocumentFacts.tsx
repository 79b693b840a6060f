import { useEffect, useState } from 'react'
import type { Session } from '../session/session.js'
import { inspectDocument } from './inspectDocument.js'
import './inspector.css'

const REFRESH_MS = 1000

/** What is inside of a session's document, and where it stands. */
export function DocumentFacts({ session }: { readonly session: Session }) {
  const { client } = session
  const [{ figures, status }, setState] = useState(() => look(client))
  useEffect(() => {
    const timer = setInterval(() => setState(look(client)), REFRESH_MS)
    return () => clearInterval(timer)
  }, [client])

  const number = (value: number): string => value.toLocaleString()
  const { connection, storage, saved, tab } = status
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['Document', `${number(figures.bytes)} bytes`],
    ['Entries', number(figures.entries)],
    ['Drafts begun', number(figures.drafts)],
    ['Writers in the state vector', `${number(figures.clients)} (${number(figures.vectorBytes)} bytes)`],
    ['Changes ever made', number(figures.changes)],
    ['This writer', String(figures.clientId)],
    ['Connection', connection.reason ? `${connection.state}: ${connection.reason.code}` : connection.state],
    ['Storage', storage.reason ? `${storage.state}: ${storage.reason.code}` : storage.state],
    ['Edits are safe in', saved],
    ['This tab', tab],
  ]
  return (
    <dl className="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function look({ doc, status }: Session['client']) {
  return { figures: inspectDocument(doc), status: status.getSnapshot() }
}
