import type { Conversation, ListFilter } from '@parley/core'
import { displayName } from './displayName.js'

/** The views of the list that are offered. */
export type FilterName = 'all' | 'unread' | 'mentions' | 'archived'

/** The filters with what they are called, in order. */
export const FILTERS: ReadonlyArray<{
  readonly name: FilterName
  readonly label: string
  readonly empty: string
}> = [
  { name: 'all', label: 'All', empty: 'No conversations yet. Begin one with the pencil above.' },
  { name: 'unread', label: 'Unread', empty: 'You have read everything.' },
  { name: 'mentions', label: 'Mentions', empty: 'Nobody mentions you.' },
  { name: 'archived', label: 'Archive', empty: 'Nothing is archived.' },
]

/**
 * The filter of the store for a view and a search. The open conversation stays in the view it was opened from, though reading
 * it takes what it was there for.
 */
export function makeFilter(name: FilterName, search: string, selected: string | null): ListFilter {
  const words = search.toLocaleLowerCase().split(/\s+/u).filter(Boolean)
  if (words.length > 0) return { archived: 'any', match: (conversation) => isFound(conversation, words) }
  switch (name) {
    case 'all':
      return {}
    case 'unread':
      return { match: ({ unread, key }) => unread > 0 || key === selected }
    case 'mentions':
      return { match: ({ mentions, key }) => mentions > 0 || key === selected }
    case 'archived':
      return { archived: true }
  }
}

function isFound({ channel }: Conversation, words: readonly string[]): boolean {
  const name = displayName(channel).toLocaleLowerCase()
  return words.every((word) => name.includes(word))
}
