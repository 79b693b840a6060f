import { parseArgs } from 'node:util'
import { HTTP_INPUTS } from './httpInputs.js'
import type { Input } from './inputs.js'
import { type Goals, type Result, runInput } from './runner/runInput.js'
import { startTested, type Tested } from './runner/tested.js'
import { MESSAGE_INPUTS } from './syncInputs.js'

const HELP = `pnpm budget [NAME...] [--json]

Sends hostile inputs to a server of its own and prints, for each, the CPU time at n, 2n and 4n, their growth, the greatest delay
of /healthz and of an edit in another room, and the memory that stays in use. NAME is a part of the names of inputs; all run if
left out. Exits with 1 if an input misses a goal.`

const GOALS: Goals = { growth: 8, delayMs: 250, memory: 96 * 1024 * 1024 }
const MIB = 1024 * 1024

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
})
if (values.help) {
  console.log(HELP)
  process.exit()
}
const all: readonly Input[] = [...HTTP_INPUTS, ...MESSAGE_INPUTS]
const chosen = all.filter(
  ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
)
if (chosen.length === 0) {
  console.error(
    `No input has a name with ${positionals.join(' or ')}. There are:\n${all.map(({ name }) => name).join('\n')}`,
  )
  process.exit(1)
}

let missed = 0
for (const auth of ['jwt', 'open'] as const) {
  const inputs = chosen.filter((input) => authOf(input) === auth)
  let tested: Tested | null = null
  for (const input of inputs) {
    tested ??= await startTested(auth)
    try {
      const result = await runInput(input, tested, GOALS)
      if (result.faults.length > 0) missed++
      console.log(values.json ? JSON.stringify(result) : format(result))
    } catch (error) {
      missed++
      console.log(`FAILED ${input.name}: ${error instanceof Error ? error.message : String(error)}`)
      await tested.stop()
      tested = null
    }
  }
  await tested?.stop()
}
console.log(`${chosen.length - missed} of ${chosen.length} inputs meet the goals`)
process.exitCode = missed > 0 ? 1 : 0

function authOf(input: Input): 'jwt' | 'open' {
  return (input.kind === 'http' && input.auth) || 'jwt'
}

function format({ input, sizes, growth, memory, peak, faults }: Result): string {
  const cpu = sizes.map(({ cpuMs }) => cpuMs.toFixed(0)).join(' / ')
  const late = (what: 'health' | 'edit'): string =>
    Math.max(...sizes.map(({ delays }) => delays[what])).toFixed(0)
  const last = sizes.at(-1)
  const outcome = Object.entries(last?.outcome ?? {}).map(([name, count]) => `${count} x ${name}`)
  const line = [
    `${faults.length === 0 ? 'met   ' : 'MISSED'} ${input.name} (${input.shape})`,
    `n ${input.n}: CPU ${cpu} ms, growth ${growth.toFixed(1)}`,
    `late /healthz ${late('health')} ms, edit ${late('edit')} ms`,
    `memory ${(memory / MIB).toFixed(1)} MiB, peak ${(peak / MIB).toFixed(0)} MiB`,
    `${last?.bytes} bytes in, ${last?.received} out: ${outcome.join(', ')}`,
  ].join(' | ')
  return [line, ...faults.map((fault) => `       ${fault}`)].join('\n')
}
