import { randomUUID } from 'node:crypto'
import type { HttpInput, Input, MessageInput, Sender, Target } from '../inputs.js'
import type { Delays } from './probe.js'
import { type Received, request } from './request.js'
import { acknowledgeFrame, isAcknowledged, openClient } from './socket.js'
import type { Tested } from './tested.js'
import { INGEST_TOKEN, signToken } from './tokens.js'

/** What one size of an input cost. */
export interface Measured {
  readonly n: number
  /** Bytes sent. */
  readonly bytes: number
  /** CPU time of the server process, without what it uses when only the probe runs. */
  readonly cpuMs: number
  readonly wallMs: number
  readonly delays: Delays
  /** Statuses, or what followed the messages, with how often it was seen. */
  readonly outcome: Readonly<Record<string, number>>
  /** Bytes of the responses. */
  readonly received: number
}

/** What an input showed. */
export interface Result {
  readonly input: Input
  /** At n, 2n and 4n. */
  readonly sizes: readonly Measured[]
  /** How much more CPU time 4n costs than n; both count as {@link FLOOR_MS} at least. */
  readonly growth: number
  /** How much more memory is in use afterwards, garbage apart, in bytes. */
  readonly memory: number
  /** How much the greatest resident memory grew, in bytes. */
  readonly peak: number
  /** What is wrong, in words; empty if nothing is. */
  readonly faults: readonly string[]
}

/** What may be asked of a result. Delays are only judged on a machine with free cores. */
export interface Goals {
  readonly growth: number
  readonly delayMs: number
  readonly memory: number
}

const FACTORS = [1, 2, 4]
/** CPU times below this are noise. */
const FLOOR_MS = 25
/** How long messages may take until they are acknowledged. */
const ACKNOWLEDGE_MS = 120_000
const REQUEST_ID = 77

/** Runs an input at n, 2n and 4n. */
export async function runInput(input: Input, tested: Tested, goals: Goals): Promise<Result> {
  const before = await tested.server.usage()
  const sizes: Measured[] = []
  for (const factor of FACTORS) sizes.push(await measure(input, input.n * factor, tested))
  const after = await tested.server.usage()
  const [least, most] = [sizes[0]?.cpuMs ?? 0, sizes.at(-1)?.cpuMs ?? 0]
  const growth = Math.max(most, FLOOR_MS) / Math.max(least, FLOOR_MS)
  const result = {
    input,
    sizes,
    growth,
    memory: after.memory - before.memory,
    peak: after.peak - before.peak,
  }
  return { ...result, faults: faultsOf(result, goals) }
}

function faultsOf({ input, sizes, growth, memory }: Omit<Result, 'faults'>, goals: Goals): string[] {
  const faults: string[] = []
  if (growth > goals.growth) faults.push(`4n costs ${growth.toFixed(1)} times n, at most ${goals.growth}`)
  for (const { n, delays, outcome } of sizes) {
    const late = Math.max(delays.health, delays.edit)
    if (late > goals.delayMs)
      faults.push(`others waited ${Math.round(late)} ms at ${n}, at most ${goals.delayMs}`)
    const right: readonly (string | number)[] = input.kind === 'http' ? input.statuses : input.outcomes
    for (const seen of Object.keys(outcome)) {
      if (!right.map(String).includes(seen)) faults.push(`${seen} at ${n} instead of ${right.join(' or ')}`)
    }
  }
  if (memory > goals.memory) faults.push(`${memory} bytes stay in memory, at most ${goals.memory}`)
  return faults
}

async function measure(
  input: Input,
  n: number,
  { server, probe, auth, idleRate }: Tested,
): Promise<Measured> {
  const uid = `budget-${randomUUID()}`
  const target: Target = { url: server.url, uid, ingestToken: INGEST_TOKEN, token: signToken(uid) }
  await input.prepare?.(target, n)
  const send =
    input.kind === 'http' ? prepareHttp(input, n, target) : await prepareFrames(input, n, target, auth)
  const usage = await server.usage()
  await probe.call('take')
  const start = performance.now()
  const { bytes, outcome, received } = await send()
  const wallMs = performance.now() - start
  const delays = await probe.call('take')
  const { cpuMs } = await server.usage()
  const spent = cpuMs - usage.settledCpuMs - idleRate * wallMs
  return { n, bytes, cpuMs: Math.max(0, spent), wallMs, delays, outcome, received }
}

type Sent = Pick<Measured, 'bytes' | 'outcome' | 'received'>

function prepareHttp(input: HttpInput, n: number, target: Target): () => Promise<Sent> {
  const [method = '', path = ''] = input.route.split(' ')
  const headers = headersOf(input.as, target, input.auth ?? 'jwt')
  const requests = input.requests(n, target.uid)
  const bytes = requests.reduce((sum, { body }) => sum + Buffer.byteLength(body ?? ''), 0)
  return async () => {
    const answers = await Promise.all(
      requests.map((one) =>
        request(target.url, { method, path, ...one, headers: { ...headers, ...one.headers } }),
      ),
    )
    return { bytes, outcome: countStatuses(answers), received: sumOf(answers) }
  }
}

function countStatuses(answers: readonly Received[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of answers) {
    const name = String(status ?? 'none')
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

function sumOf(answers: readonly Received[]): number {
  return answers.reduce((sum, { bytes }) => sum + bytes, 0)
}

function headersOf(as: Sender, { uid, token }: Target, auth: 'jwt' | 'open'): Record<string, string> {
  if (as === 'nobody' || auth === 'open') return {}
  if (as === 'service') return { authorization: `Bearer ${INGEST_TOKEN}` }
  return { token: as === 'reader' ? signToken(uid, { readOnly: true }) : token }
}

async function prepareFrames(
  input: MessageInput,
  n: number,
  { url, uid }: Target,
  auth: 'jwt' | 'open',
): Promise<() => Promise<Sent>> {
  const claims = input.as === 'reader' ? { readOnly: true } : undefined
  const client = await openClient(url, uid, auth === 'open' ? null : signToken(uid, claims))
  const frames = input.frames(n, uid)
  const bytes = frames.reduce((sum, frame) => sum + frame.byteLength, 0)
  return async () => {
    const acknowledged = client
      .next((frame) => isAcknowledged(frame, REQUEST_ID))
      .then(
        () => 'acknowledged',
        () => client.closed.then(String),
      )
    for (const frame of frames) client.send(frame)
    client.send(acknowledgeFrame(REQUEST_ID))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, ACKNOWLEDGE_MS, 'nothing')
    })
    const outcome = await Promise.race([acknowledged, late])
    clearTimeout(timer)
    client.close()
    return { bytes, outcome: { [outcome]: 1 }, received: client.received }
  }
}
