import { useTotals } from '@parley/react'
import { type ReactNode, useDeferredValue, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useMessenger } from '../messenger/messengerContext.js'
import { StatusLine } from '../status/StatusLine.js'
import { ToastList } from '../toast/ToastList.js'
import { IconButton } from '../ui/IconButton.js'
import { Icon } from '../ui/icons.js'
import { ConversationList } from './ConversationList.js'
import { FILTERS, type FilterName, makeFilter } from './filters.js'
import './sidebar.css'

/** The properties of a {@link Sidebar}. */
export interface SidebarProps {
  /** What stands above the list: who this is, and the menus. */
  readonly header: ReactNode
  /** What stands beside the status, such as a switch. */
  readonly footer?: ReactNode
}

/** The list with its search, its filters and the status. */
export function Sidebar({ header, footer }: SidebarProps) {
  const { selected, toasts, actions } = useMessenger()
  const last = useSyncExternalStore(actions.subscribe, actions.getSnapshot).at(-1)
  const { unreadConversations, mutedUnreadConversations, mentions } = useTotals()
  const [name, setName] = useState<FilterName>('all')
  const [search, setSearch] = useState('')
  const deferredSearch = useDeferredValue(search)
  const searchField = useRef<HTMLInputElement>(null)
  // Only these two views look at what is open; for the others a new selection is no new filter.
  const kept = name === 'unread' || name === 'mentions' ? selected : null
  const filter = useMemo(() => makeFilter(name, deferredSearch, kept), [name, deferredSearch, kept])
  const counts: Partial<Record<FilterName, number>> = {
    unread: unreadConversations + mutedUnreadConversations,
    mentions,
  }
  const empty = search.trim()
    ? `No conversation is called “${search.trim()}”.`
    : FILTERS.find((f) => f.name === name)?.empty

  return (
    <section className="sidebar" aria-label="Conversation list">
      {header}
      <div className="sidebar__search">
        <Icon name="search" size={18} />
        <input
          ref={searchField}
          type="search"
          aria-label="Search conversations"
          placeholder="Search"
          value={search}
          onChange={({ target }) => setSearch(target.value)}
          onKeyDown={({ key, nativeEvent }) => {
            // Esc takes back what an input method composes.
            if (key === 'Escape' && !nativeEvent.isComposing) setSearch('')
          }}
        />
      </div>
      <fieldset className="sidebar__filters">
        <legend className="visually-hidden">Show</legend>
        {FILTERS.map(({ name: offered, label }) => (
          <button
            key={offered}
            type="button"
            className="chip"
            aria-pressed={name === offered}
            onClick={() => setName(offered)}
          >
            {label}
            {(counts[offered] ?? 0) > 0 && <span className="chip__count">{counts[offered]}</span>}
          </button>
        ))}
      </fieldset>
      <ConversationList filter={filter} empty={empty} onSearch={() => searchField.current?.focus()} />
      {selected === null && <ToastList toasts={toasts} />}
      <footer className="sidebar__footer">
        <StatusLine />
        {footer}
        <IconButton
          icon="undo"
          label={last ? `Undo: ${last.label}` : 'Nothing to undo'}
          disabled={!last}
          // A click leaves the focus where it is.
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => actions.undo()}
        />
      </footer>
    </section>
  )
}
