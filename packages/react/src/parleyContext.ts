import type { Client } from '@parley/client'
import type { Store } from '@parley/core'
import { createContext, createElement, type ReactElement, type ReactNode, useContext, useMemo } from 'react'

/** What the hooks of this package work with. */
export interface Parley {
  readonly store: Store
  /** The client that keeps and syncs the store; `null` for a store by itself. */
  readonly client: Client | null
}

/** The properties of {@link ParleyProvider}: a client, or a store by itself. */
export type ParleyProviderProps = { readonly children?: ReactNode } & (
  | { readonly client: Client; readonly store?: never }
  | { readonly store: Store; readonly client?: never }
)

const ParleyContext = createContext<Parley | null>(null)

/**
 * Lets the components inside of it use a user's conversations. It does not close what it is given: whoever created the
 * client or the store does that.
 *
 * @example
 * ```tsx
 * import { createStore } from '@parley/core'
 * import { ParleyProvider, useTotals } from '@parley/react'
 *
 * const store = createStore({ userId: 'alice' })
 * const Badge = () => <span>{useTotals().unread}</span>
 * const app = <ParleyProvider store={store}><Badge /></ParleyProvider>
 * ```
 */
export function ParleyProvider({ client, store, children }: ParleyProviderProps): ReactElement {
  const parley = useMemo<Parley>(
    () => (client ? { store: client.store, client } : { store: store as Store, client: null }),
    [client, store],
  )
  return createElement(ParleyContext.Provider, { value: parley }, children)
}

/**
 * The store and the client of the nearest {@link ParleyProvider}: for actions, which need no hook of their own.
 *
 * @throws Error outside of a provider
 * @example
 * ```tsx
 * import { useParley } from '@parley/react'
 *
 * function ReadButton() {
 *   const { store } = useParley()
 *   const bob = store.conversation({ channelId: 'bob', channelType: 1 })
 *   return <button type="button" onClick={() => bob.markRead()}>Mark as read</button>
 * }
 * ```
 */
export function useParley(): Parley {
  const parley = useContext(ParleyContext)
  if (!parley)
    throw new Error('The hooks of @parley/react work inside of a <ParleyProvider> only: add one above')
  return parley
}
