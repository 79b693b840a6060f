import { literal, type Source, type SyntaxNode, walk } from './sources.js'

interface Rule {
  /** The workspace packages that its sources may import. */
  readonly packages: readonly string[]
  /** Everything else that they may import, where that is limited; elsewhere knip compares it with package.json. */
  readonly modules?: RegExp
}

const YJS = /^(yjs|lib0\/[\w/-]+|fractional-indexing)$/

/** The arrows of the architecture: they run one way, and core knows none of the others. */
export const RULES: Readonly<Record<string, Rule>> = {
  'packages/core': { packages: [], modules: YJS },
  'packages/client': { packages: ['core'], modules: /^(yjs|lib0\/[\w/-]+|y-[a-z]+(\/.+)?)$/ },
  'packages/wukong': { packages: ['core'], modules: /^(lib0\/[\w/-]+|lossless-json)$/ },
  'packages/react': { packages: ['core', 'client'], modules: /^react(-dom)?(\/.+)?$/ },
  'packages/server': { packages: ['core', 'wukong'] },
  'apps/server': { packages: ['core', 'server'] },
  'apps/web': { packages: ['core', 'client', 'react'] },
}

/** The one file that listens to a document itself; everybody else is handed checked, ordered changes. */
export const DOCUMENT_LISTENER = 'packages/core/src/document/updates.ts'

const DOCUMENT_EVENTS = new Set([
  'update',
  'updateV2',
  'beforeTransaction',
  'beforeObserverCalls',
  'afterTransaction',
  'afterTransactionCleanup',
  'beforeAllTransactions',
  'afterAllTransactions',
  'subdocs',
])

const IMPORTS = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
])

function importsOf({ program }: Source): string[] {
  const found: string[] = []
  walk(program, (node) => {
    // `import('./x.js').Y` as a type, and `import x = require('x')`.
    const from =
      node.type === 'TSImportType'
        ? (literal(node.source) ?? literal((node.argument as SyntaxNode | undefined)?.literal))
        : node.type === 'TSExternalModuleReference'
          ? literal(node.expression)
          : IMPORTS.has(node.type)
            ? literal(node.source)
            : undefined
    if (from !== undefined) found.push(from)
  })
  return found
}

/** What an import of a source breaks, in words, for each that breaks something. */
export function importViolations(folder: string, source: Source): string[] {
  const rule = RULES[folder]
  if (rule === undefined) return [`${folder} has no rule: add it to RULES in test/src/architecture/rules.ts`]
  return importsOf(source).flatMap((from) => {
    const complaint = complain(folder, rule, source.file, from)
    return complaint === undefined ? [] : [`${source.file}: import of '${from}' ${complaint}`]
  })
}

function complain(folder: string, rule: Rule, file: string, from: string): string | undefined {
  if (from.startsWith('.')) {
    const target = new URL(from, `file:///${file}`).pathname.slice(1)
    return target.startsWith(`${folder}/`)
      ? undefined
      : 'leaves the package: import the other one by its name'
  }
  const own = /^@parley\/([\w-]+)/.exec(from)?.[1]
  if (own !== undefined)
    return rule.packages.includes(own) ? undefined : 'runs against the order of the packages'
  if (rule.modules !== undefined && !rule.modules.test(from)) return `is not among ${rule.modules}`
  return undefined
}

/** Listeners that a source adds to a Y.Doc itself, in words. Awareness has an `update` of its own. */
export function listenerViolations({ file, program }: Source): string[] {
  if (file === DOCUMENT_LISTENER) return []
  const found: string[] = []
  walk(program, (node) => {
    if (node.type !== 'CallExpression') return
    const callee = node.callee as SyntaxNode
    if (callee.type !== 'MemberExpression') return
    const method = nameOf(callee.property)
    if (method !== 'on' && method !== 'once') return
    const event = literal((node.arguments as unknown[])[0])
    if (event === undefined || !DOCUMENT_EVENTS.has(event)) return
    if (event === 'update' && /awareness$/i.test(nameOf(callee.object) ?? '')) return
    found.push(`${file}: .${method}('${event}') belongs into ${DOCUMENT_LISTENER}`)
  })
  return found
}

/** `name` of `name`, `this.name` and `a.name`. */
function nameOf(node: unknown): string | undefined {
  const { type, name, property } = node as SyntaxNode
  if (type === 'MemberExpression') return nameOf(property)
  return type === 'Identifier' || type === 'PrivateIdentifier' ? (name as string) : literal(node)
}
