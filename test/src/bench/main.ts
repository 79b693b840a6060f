import { parseArgs } from 'node:util'
import { cost } from './core/cost.js'
import { gateway } from './gateway/gateway.js'
import type { Benchmark, Row } from './measure.js'
import { postgres } from './postgres/postgres.js'
import { idle } from './sync/idle.js'
import { load } from './sync/load.js'
import { storm } from './sync/storm.js'

const BENCHMARKS: readonly Benchmark[] = [cost, gateway, load, idle, storm, postgres]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
})
const unknown = positionals.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name))
if (unknown !== undefined) {
  console.error(
    `There is no benchmark ${unknown}. There are: ${BENCHMARKS.map(({ name }) => name).join(', ')}`,
  )
  process.exit(1)
}

for (const benchmark of BENCHMARKS) {
  if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue
  for (const row of await benchmark.run()) console.log(values.json ? JSON.stringify(row) : format(row))
}

function format({ name, unit, value, reference, ratio, goal, met }: Row): string {
  const against = reference === null ? '' : ` against ${round(reference)} ${unit}: ${round(ratio)}`
  return `${met ? 'met  ' : 'MISSED'} ${name}: ${round(value)} ${unit}${against} (${goal})`
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
