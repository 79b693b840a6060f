import type { RowAction } from './rowActions.js'

/** What a key means while the list has the focus. */
export type ListCommand =
  | { readonly type: 'move'; readonly index: number }
  | { readonly type: 'act'; readonly action: RowAction['id'] }
  | { readonly type: 'open' | 'menu' | 'search' }
  /** A key that is the list's but does nothing: it is held down, or belongs to a sentence. */
  | { readonly type: 'none' }

const ACTIONS: Readonly<Record<string, RowAction['id']>> = {
  u: 'read',
  p: 'pin',
  m: 'mute',
  e: 'archive',
  Delete: 'delete',
  Backspace: 'delete',
}

interface Key {
  readonly key: string
  readonly shiftKey: boolean
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  /** True for what a key that is held down sends after the first event. */
  readonly repeat: boolean
}

/** Where the list is, and whether the user is in the middle of a sentence. */
export interface ListPlace {
  readonly index: number
  /** How many rows a page key moves by. */
  readonly page: number
  readonly total: number
  readonly typing: boolean
}

/**
 * Reads a key; `null` for one that is the browser's. While a key repeats or the user types, only what moves in the list or
 * shows a menu has an effect.
 */
export function listKey(key: Key, place: ListPlace): ListCommand | null {
  const command = readKey(key, place)
  if (!command || command.type === 'move') return command
  if (key.repeat) return { type: 'none' }
  return place.typing && command.type !== 'menu' ? { type: 'none' } : command
}

function readKey(
  { key, shiftKey, ctrlKey, metaKey, altKey }: Key,
  { index, page, total }: ListPlace,
): ListCommand | null {
  if (ctrlKey || metaKey || altKey) return null
  switch (key) {
    case 'ArrowDown':
      return { type: 'move', index: index + 1 }
    case 'ArrowUp':
      return { type: 'move', index: index - 1 }
    case 'PageDown':
      return { type: 'move', index: index + page }
    case 'PageUp':
      return { type: 'move', index: index - page }
    case 'Home':
      return { type: 'move', index: 0 }
    case 'End':
      return { type: 'move', index: total - 1 }
    case 'Enter':
    case ' ':
    case 'ArrowRight':
      return { type: 'open' }
    case 'ContextMenu':
      return { type: 'menu' }
    case 'F10':
      return shiftKey ? { type: 'menu' } : null
    case '/':
      return { type: 'search' }
    default: {
      const action = shiftKey ? undefined : ACTIONS[key]
      return action ? { type: 'act', action } : null
    }
  }
}
