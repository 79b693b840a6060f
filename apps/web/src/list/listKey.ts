import type { RowAction } from './rowActions.js'

/** What a key means while the list has the focus. */
export type ListCommand =
  | { readonly type: 'move'; readonly index: number }
  | { readonly type: 'act'; readonly action: RowAction['id'] }
  | { readonly type: 'open' | 'menu' | 'search' | 'undo' }

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
}

/** Reads a key; `null` for one that is the browser's. */
export function listKey(
  { key, shiftKey, ctrlKey, metaKey, altKey }: Key,
  { index, page, total }: { index: number; page: number; total: number },
): ListCommand | null {
  if (key.toLowerCase() === 'z' && (ctrlKey || metaKey) && !shiftKey && !altKey) return { type: 'undo' }
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
