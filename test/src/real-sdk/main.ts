import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { createMemoryLog, createServer } from '@parley/server'
import type { App } from './app.js'
import { bundleApp, findSdk } from './bundle.js'
import { beginning, HEARD_OF_BOB, ofBob, SEEN } from './expected.js'
import type { Report } from './scenario.js'

const HELP = `pnpm test:sdk [--sdk FOLDER]

Runs an app of the JavaScript SDK of WuKongIM in Node: over the HTTP gateway in both shapes, and over a store in the page. FOLDER
is a checkout of WuKongIMJSSDK in which \`npm install\` and \`npm run build\` have run, or an unpacked npm package; the version
that the tests use if left out. Prints a line per run, and what differs. Exits with 1 if anything does.`

const { values } = parseArgs({
  // pnpm hands over the `--` of `pnpm test:sdk -- ...` as an argument.
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: { sdk: { type: 'string' }, help: { type: 'boolean', default: false } },
})
if (values.help) {
  console.log(HELP)
  process.exit()
}

function fail(error: Error): never {
  console.error(error.message)
  process.exit(1)
}

/** Compares what the app saw with what it must see; prints the runs, and returns whether they are the same. */
function judge(name: string, { heard, ...seen }: Report): boolean {
  const parts = [
    [seen, SEEN],
    [ofBob(heard), HEARD_OF_BOB],
  ] as const
  const wrong = parts.filter(([saw, must]) => !isDeepStrictEqual(saw, must))
  console.log(`${wrong.length === 0 ? 'ok     ' : 'DIFFERS'} ${name}`)
  for (const [saw, must] of wrong) {
    console.log(`  seen     ${JSON.stringify(saw)}\n  expected ${JSON.stringify(must)}`)
  }
  return wrong.length === 0
}

const sdk = values.sdk === undefined ? undefined : await findSdk(values.sdk).catch(fail)
console.log(`the SDK is ${sdk ?? 'the npm package wukongimjssdk 1.0.4'}`)
const bundle = await bundleApp(sdk).catch(fail)
const server = await createServer({
  store: createMemoryLog(),
  auth: 'open',
  port: 0,
  timing: { drainMs: 0 },
})
let passed = 0
let runs = 0
try {
  const { url } = await server.listen()
  const app = (await import(pathToFileURL(bundle.file).href)) as App
  for (const shape of ['tsdd', 'wukongim'] as const) {
    const { room, release } = await server.rooms.acquire(shape)
    await room.submit(beginning())
    release()
    runs++
    if (judge(`over HTTP, in the shape of ${shape}`, await app.runByHttp(url, shape, shape))) passed++
  }
  runs++
  if (judge('over a store in the page', await app.runInPage([...beginning()]))) passed++
} finally {
  await server.close()
  await bundle.remove()
}
console.log(`${passed} of ${runs} runs show what they must`)
// The SDK keeps timers of its own.
process.exit(passed === runs ? 0 : 1)
