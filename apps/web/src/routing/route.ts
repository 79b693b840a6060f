import { type ChannelKey, createEmitter, type Readable } from '@parley/core'

/** What the page shows. */
export type Route =
  | { readonly page: 'chats'; readonly selected: ChannelKey | null }
  | { readonly page: 'devices' }
  | { readonly page: 'about' }

/** Reads the part of an address behind the `#`. */
export function parseRoute(hash: string): Route {
  const [, page, rest] = /^#?\/?([^/]*)\/?(.*)$/.exec(hash) ?? []
  if (page === 'devices') return { page }
  if (page === 'about') return { page }
  const key = page === 'c' && rest ? decode(rest) : ''
  return { page: 'chats', selected: /^\d{1,3}:./s.test(key) ? key : null }
}

/** The address of a page. */
export function formatRoute(route: Route): string {
  if (route.page !== 'chats') return `#/${route.page}`
  return route.selected === null ? '#/' : `#/c/${encodeURIComponent(route.selected)}`
}

const LIST: Route = { page: 'chats', selected: null }

const changes = createEmitter<void>(console.error)
let current: Route | null = null

/** The page that is shown, by the address. */
export const currentRoute: Readable<Route> = {
  subscribe: (listener) => changes.subscribe(listener),
  getSnapshot() {
    current ??= parseRoute(location.hash)
    return current
  },
}

/** What is kept with an entry of the browser's history. */
interface EntryState {
  /** True if the entry before is the list. */
  readonly fromList: boolean
  /** The user whose page it is; what one user had open is not shown to another. */
  readonly owner: string | null
}

let owner: string | null = null

/** Says whose session is open: addresses that another user left in the browser's history lead to the list. */
export function setRouteOwner(userId: string | null): void {
  owner = userId
}

/** Shows another page in place of the one that is shown, which the browser's back button then does not lead to. */
export function replaceRoute(route: Route): void {
  history.replaceState({ fromList: false, owner } satisfies EntryState, '', formatRoute(route))
  update()
}

/** Shows another page. Conversations replace each other, so that the browser's back button leads to the list, too. */
export function navigate(route: Route): void {
  const now = currentRoute.getSnapshot()
  const address = formatRoute(route)
  if (address === formatRoute(now)) return
  const state = history.state as EntryState | null
  const isOpen = now.page === 'chats' && now.selected !== null
  if (isOpen && route.page === 'chats' && route.selected === null && state?.fromList) {
    history.back()
    return
  }
  if (isOpen && route.page === 'chats') history.replaceState(state, '', address)
  else history.pushState({ fromList: now.page === 'chats', owner } satisfies EntryState, '', address)
  update()
}

/** Follows the address. Call it once. */
export function installRouter(): void {
  addEventListener('popstate', update)
  addEventListener('hashchange', update)
}

function update(): void {
  const state = history.state as EntryState | null
  if (state?.owner && state.owner !== owner) history.replaceState(null, '', formatRoute(LIST))
  current = parseRoute(location.hash)
  changes.emit()
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
