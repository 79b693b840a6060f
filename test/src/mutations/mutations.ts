// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
/** One rule of the core taken out of its source, and the test that must then fail. */
export interface Mutation {
  /** What is taken out. */
  readonly rule: string
  /** The source file, below `packages/core/src`. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** The whole title of a test that must fail. */
  readonly failing: string
  /** True if only that test can be run: others never end without the rule. */
  readonly isAlone?: boolean
}

/** The rules without which devices lose what users did. */
export const MUTATIONS: readonly Mutation[] = [
  {
    rule: 'the gap check',
    file: 'document/intake.ts',
    find: 'candidate.gap = findGap(doc, candidate.decoded)',
    replace: 'candidate.gap = null',
    failing: '[U3] [E3] a read position is not lost where the write that raised it never arrives',
  },
  {
    rule: 'the id check',
    file: 'document/decode.ts',
    find: 'reference.client === item.id.client && reference.clock >= item.id.clock',
    replace: 'false',
    failing: '[U2] refuses an item that refers to itself, which would stop the document from ever loading',
    // Without it other tests of the file let Yjs run out of memory.
    isAlone: true,
  },
  {
    rule: 'raw stamp order: times are clamped to the local clock',
    file: 'lattice/stamp.ts',
    find: 'if (typeof a === typeof b) return',
    replace:
      "const clamp = (x: StampPart) => (typeof x === 'number' && x > 1e11 ? Math.min(x, Date.now() + 60_000) : x)\n  a = clamp(a)\n  b = clamp(b)\n  if (typeof a === typeof b) return",
    failing: '[L2] stamps far in the future keep their order, whatever the time is here',
  },
  {
    rule: 'floors by instance',
    file: 'conversation/conversationHandle.ts',
    find: '`${family}.${clock.instance}`',
    replace: '`${family}.all`',
    failing: '[C9] a device that deleted less, later, does not bring back what another deleted',
  },
  {
    rule: 'marks by instance',
    file: 'conversation/conversationHandle.ts',
    find: '`unreadMark.${clock.instance}`',
    replace: '`unreadMark.all`',
    failing: '[C7] taking off one mark leaves the one that another device put on at the same time',
  },
  {
    rule: 'quiet runs by union: the last one counts',
    file: 'conversation/facts.ts',
    find: 'quiet: unionOfRuns(quiet)',
    replace: 'quiet: unionOfRuns(quiet).slice(-1)',
    failing: '[C5] what two devices know of silent messages adds up',
  },
  {
    rule: 'send registers: one for all acts of sending',
    file: 'drafts/draft.ts',
    find: '${facts.sends.length}${contentDigest(content)}',
    replace: '0AAAAAAAAAAAA',
    failing: '[D6] one device’s sending stands when another’s of the same draft fails',
  },
  {
    rule: 'code-point edits',
    file: 'drafts/smallestEdit.ts',
    find: 'if (index <= 0 || index >= text.length) return false',
    replace: 'if (index !== -1) return false',
    failing: '[D3] an emoji that becomes its neighbour is the same on both devices',
  },
  {
    rule: 'sweeps of strictly dominated entries only: equal ones are swept too',
    file: 'document/entryIndex.ts',
    find: 'if (order === 0) return',
    replace: 'if (order === 0) {\n        dominated.add(line)\n        return\n      }',
    failing: '[E2] two devices that wrote the same entry do not delete each other’s',
  },
  {
    rule: 'sweeps by the writer of the greater entry only, after it',
    file: 'document/entryLog.ts',
    find: 'last?.push([TICK])\n      last?.delete(last.length - 1, 1)',
    replace: '',
    failing: '[U3] [E3] a read position is not lost where the write that raised it never arrives',
  },
]
