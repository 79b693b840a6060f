import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** What the parser hands over: nodes are told apart by their `type`. */
export interface SyntaxNode {
  readonly type: string
  readonly [key: string]: unknown
}

/** A source file of a package or an app. */
export interface Source {
  /** Relative to the repository, with forward slashes: `packages/core/src/index.ts`. */
  readonly file: string
  readonly program: SyntaxNode
}

/** Parses one file. Comments are no part of the tree, so an import in an `@example` is none. */
export function parseSource(file: string, text: string): Source {
  const { program, errors } = parseSync(file, text)
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors.map(({ message }) => message).join('; ')}`)
  return { file, program: program as unknown as SyntaxNode }
}

/** The folders of all packages and apps: `packages/core`. */
export function listFolders(): string[] {
  return ['packages', 'apps'].flatMap((parent) =>
    readdirSync(`${root}${parent}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${parent}/${name}`),
  )
}

/** The sources of one package or app, without the tests that stand beside them. */
export function readSources(folder: string): Source[] {
  return readFolder(`${folder}/src`, (file) => !TEST.test(file))
}

/** The tests of some packages or apps. */
export function readTests(folders: readonly string[]): Source[] {
  const tests = (folder: string): Source[] => readFolder(folder, (file) => TEST.test(file))
  return folders.flatMap((folder) => [...tests(`${folder}/src`), ...tests(`${folder}/test`)])
}

const TEST = /\.test(-d)?\.[jt]sx?$/

function readFolder(folder: string, isWanted: (file: string) => boolean): Source[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((file) => /\.[cm]?[jt]sx?$/.test(file) && isWanted(file))
    .map((file) => parseSource(file, readFileSync(`${root}${file}`, 'utf8')))
}

/** Calls `visit` for every node of a tree. */
export function walk(node: unknown, visit: (node: SyntaxNode) => void): void {
  if (Array.isArray(node)) {
    for (const child of node) walk(child, visit)
  } else if (typeof node === 'object' && node !== null) {
    if ('type' in node && typeof node.type === 'string') visit(node as SyntaxNode)
    for (const child of Object.values(node)) walk(child, visit)
  }
}

/** The string a node stands for, where it is written out. */
export function literal(node: unknown): string | undefined {
  const { type, value, quasis } = (node ?? {}) as Partial<SyntaxNode>
  if (type === 'Literal' && typeof value === 'string') return value
  if (type === 'TemplateLiteral' && Array.isArray(quasis) && quasis.length === 1) {
    return (quasis[0] as { value: { cooked: string } }).value.cooked
  }
  return undefined
}
