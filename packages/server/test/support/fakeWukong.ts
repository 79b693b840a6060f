import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** What a WuKongIM server was asked to send. */
export interface SentMessage {
  readonly path: string
  readonly token: string | undefined
  readonly header: { readonly no_persist: number; readonly red_dot: number; readonly sync_once: number }
  readonly from_uid: string
  readonly channel_id: string
  readonly channel_type: number
  /** Decoded from base64. */
  readonly payload: { readonly type: number; readonly cmd: string; readonly param?: unknown }
}

/** An HTTP server in the place of WuKongIM's API. */
export interface FakeWukong {
  readonly url: string
  readonly sent: SentMessage[]
  /** The command and its parameters of each message of a user so far. */
  commands: (uid: string) => Array<[cmd: string, param: unknown]>
  /** How it answers, one request after the other, `null` not at all; the last one stays. */
  answers: Array<number | null>
  readonly requests: number
}

/** Starts a {@link FakeWukong} that stops when the test ends. */
export async function startFakeWukong(): Promise<FakeWukong> {
  const sent: SentMessage[] = []
  let requests = 0
  const server = createServer(async (request, response) => {
    requests++
    const { payload, ...message } = JSON.parse(await read(request))
    const status = (fake.answers.length > 1 ? fake.answers.shift() : fake.answers[0]) ?? null
    if (status === null) return
    if (status === 200) {
      sent.push({
        ...message,
        path: `${request.method} ${request.url}`,
        token: request.headers.token,
        payload: JSON.parse(Buffer.from(payload, 'base64').toString()),
      })
    }
    response.writeHead(status, { 'content-type': 'application/json', location: '/elsewhere' })
    response.end(JSON.stringify({ status, data: { message_id: 1 } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const fake: FakeWukong = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    commands: (uid) =>
      sent.filter(({ channel_id }) => channel_id === uid).map(({ payload: { cmd, param } }) => [cmd, param]),
    answers: [200],
    get requests() {
      return requests
    },
  }
  return fake
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
