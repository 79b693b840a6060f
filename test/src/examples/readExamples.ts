import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A piece of code from a docstring or a README. */
export interface Example {
  /** File and line, such as `packages/core/src/store/createStore.ts:101`. */
  readonly place: string
  readonly language: 'ts' | 'tsx'
  readonly code: string
}

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../../')

/** Reads the examples in the docstrings and READMEs of all published packages. */
export function readExamples(): Example[] {
  return readdirSync(`${ROOT}packages`).flatMap((name) => {
    const folder = `packages/${name}/src`
    return [
      ...codeBlocksOf(`packages/${name}/README.md`),
      ...readdirSync(ROOT + folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => /(?<!\.test)\.tsx?$/.test(file))
        .flatMap((file) => examplesOf(`${folder}/${file}`)),
    ]
  })
}

/** Reads the code blocks of a Markdown file that are TypeScript. */
export function codeBlocksOf(file: string): Example[] {
  const text = readFileSync(ROOT + file, 'utf8')
  return [...text.matchAll(/^```(tsx?)\n(.*?)^```$/gms)].map((match) => ({
    place: `${file}:${text.slice(0, match.index).split('\n').length}`,
    language: match[1] === 'tsx' ? 'tsx' : 'ts',
    code: match[2] ?? '',
  }))
}

/** Whether an example is about what lies in PostgreSQL or Redis. */
export function needsServices({ code }: Example): boolean {
  return /\b(openPostgresLog|createRedisBus)\(/.test(code)
}

function examplesOf(file: string): Example[] {
  const examples: Example[] = []
  const lines = readFileSync(ROOT + file, 'utf8').split('\n')
  for (const [index, line] of lines.entries()) {
    if (!line.includes('@example')) continue
    const start = lines.findIndex((other, place) => place > index && /```tsx?$/.test(other))
    const end = lines.findIndex((other, place) => place > start && /```$/.test(other))
    const code = lines.slice(start + 1, end).map((other) => other.replace(/^\s*\* ?/, ''))
    const language = lines[start]?.trim().endsWith('tsx') ? 'tsx' : 'ts'
    examples.push({ place: `${file}:${index + 1}`, language, code: code.join('\n') })
  }
  return examples
}
