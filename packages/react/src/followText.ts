import type { Draft, TextEdit } from '@parley/core'

type DraftText = ReturnType<Draft['text']>
type Observer = Parameters<DraftText['observe']>[0]

/** What {@link followText} gives back. */
export interface TextFollower {
  /** Looks at which text is in the composer now. */
  refresh: () => void
  stop: () => void
}

/** Tells each edit of the text in a composer, exactly: a comparison of two texts cannot tell two edits from one large one. */
export function followText(draft: Draft, onEdits: (edits: readonly TextEdit[]) => void): TextFollower {
  let followed: { draftId: string; text: DraftText } | null = null

  const observer: Observer = ({ delta }) => {
    let index = 0
    const edits: TextEdit[] = []
    for (const { retain = 0, insert, delete: remove = 0 } of delta) {
      index += retain
      if (typeof insert === 'string') {
        edits.push({ index, remove: 0, insert })
        index += insert.length
      } else if (remove > 0) edits.push({ index, remove, insert: '' })
    }
    onEdits(edits)
  }
  const stop = (): void => {
    followed?.text.unobserve(observer)
    followed = null
  }

  return {
    refresh() {
      const { composer } = draft.getSnapshot()
      // `text()` begins a draft where there is none. An emptied one is followed on: the next letter belongs to it.
      if (!composer || composer.draftId === followed?.draftId) return
      stop()
      followed = { draftId: composer.draftId, text: draft.text() }
      followed.text.observe(observer)
    },
    stop,
  }
}
