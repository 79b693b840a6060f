import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { findBrowsers } from './scripts/ensure-browsers.mjs'
import { findChromium } from './scripts/ensure-chromium.mjs'
import { disksFault } from './scripts/ensure-compiler.mjs'
import { findServices, leftOutLine } from './scripts/ensure-services.mjs'
import { publishedPackages } from './scripts/lib/packages.mjs'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

// The tests of packages and apps run on sources: a relative import of a package's own file and an import of it by
// name are then the same module (a class from src and its copy from dist fail each other's instanceof), no stale
// build is tested, and stack traces point at what one edits. The tests in test/ have no alias: they run on what is
// published, the built dist, which `pnpm test` has just brought up to date.
const sources = publishedPackages().flatMap(({ dir, manifest }) =>
  Object.entries(manifest.exports).map(([entry, target]) => ({
    find: new RegExp(`^${manifest.name}${entry.slice(1)}$`),
    replacement: `${dir}/${target.default.replace(/^\.\/dist\/(.+)\.js$/, 'src/$1.ts')}`,
  })),
)

const CHROMIUM_ARGS = [
  // Chromium's sandbox does not start as root, which is what containers and CI run as.
  '--no-sandbox',
  '--disable-gpu',
  // The rest keeps it from reaching out to the network by itself.
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const chromium = await findChromium()
const services = await findServices()
if (services.missing.length > 0) console.warn(leftOutLine(services.missing))
const disksMissing = disksFault()
if (disksMissing !== null) console.warn(disksMissing)
const browsers = findBrowsers()
if (browsers.fault !== null) console.warn(browsers.fault)
/** Tests of what is missing here: PostgreSQL and Redis, failing disks, Firefox and WebKitGTK. */
const leftOut = [
  ...(services.missing.length > 0 ? ['**/*.services.test.ts'] : []),
  ...(disksMissing === null ? [] : ['**/*.disk.test.ts']),
  ...(browsers.fault === null ? [] : ['**/*.browsers.test.ts']),
]

function browserTests(folder: string): string[] {
  try {
    return readdirSync(path(`./${folder}/test`), { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.browser\.test\.tsx?$/.test(file),
    )
  } catch {
    return []
  }
}

/** Tests of one package that run in Chromium itself. Each package is a root of its own, so that Vite finds its dependencies. */
function browserProject(folder: string): TestProjectInlineConfiguration {
  return {
    root: path(`./${folder}`),
    resolve: { alias: sources, dedupe: ['yjs', 'react', 'react-dom'] },
    // Dependencies found only while tests run make Vite reload the page under them; naming the entries finds them first.
    optimizeDeps: { entries: ['src/**/*.{ts,tsx}', 'test/**/*.browser.test.{ts,tsx}'] },
    test: {
      name: `browser:${folder.split('/').at(-1)}`,
      include: ['test/**/*.browser.test.{ts,tsx}'],
      testTimeout: 30_000,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            ...(chromium === undefined ? {} : { executablePath: chromium }),
            args: CHROMIUM_ARGS,
          },
        }),
        instances: [{ browser: 'chromium' }],
      },
    },
  }
}

const browserProjects = ['packages', 'apps']
  .flatMap((parent) => readdirSync(path(`./${parent}`)).map((name) => `${parent}/${name}`))
  .filter((folder) => browserTests(folder).length > 0)
  .map(browserProject)

export default defineConfig({
  test: {
    // CI counts the tests in the JSON report.
    reporters: process.env.CI ? ['default', ['json', { outputFile: 'reports/vitest.json' }]] : ['default'],
    projects: [
      {
        resolve: { alias: sources },
        test: {
          name: 'unit',
          // A file that needs a DOM says so itself: `// @vitest-environment happy-dom`.
          environment: 'node',
          // Property tests and simulated histories take seconds; on a machine that does other things, several times as many.
          testTimeout: 30_000,
          include: ['{packages,apps}/*/{src,test}/**/*.test.{ts,tsx}'],
          exclude: ['**/node_modules/**', '**/dist/**', '**/*.browser.test.*', ...leftOut],
          env: { ...services.env, ...browsers.env },
        },
      },
      ...browserProjects,
      {
        root: path('./test'),
        test: {
          name: 'system',
          include: ['src/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...leftOut],
          // They start the browser themselves, through playwright-core.
          env: { ...services.env, ...(chromium === undefined ? {} : { CHROMIUM_PATH: chromium }) },
          // They start servers and browsers, kill them and measure: one at a time, and with the machine to themselves.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
