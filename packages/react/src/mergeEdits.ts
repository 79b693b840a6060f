import type { TextEdit } from '@parley/core'

/**
 * The text that two concurrent edits of `base` give together. Where they overlap, both insertions stay and both removals
 * hold.
 */
export function mergeEdits(base: string, ours: TextEdit, theirs: TextEdit): string {
  const [first, second] = ours.index <= theirs.index ? [ours, theirs] : [theirs, ours]
  const firstEnd = first.index + first.remove
  const between = base.slice(firstEnd, Math.max(firstEnd, second.index))
  const rest = base.slice(Math.max(firstEnd, second.index + second.remove))
  return base.slice(0, first.index) + first.insert + between + second.insert + rest
}

/** Where a position in a text is after an edit. What was inserted right at it comes behind it. */
export function shiftPosition(position: number, { index, remove, insert }: TextEdit): number {
  if (position <= index) return position
  if (position >= index + remove) return position + insert.length - remove
  return index + insert.length
}

/** A text after several edits, each made in what the one before left. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  return edits.reduce(
    (edited, { index, remove, insert }) => edited.slice(0, index) + insert + edited.slice(index + remove),
    text,
  )
}
