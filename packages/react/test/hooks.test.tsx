// @vitest-environment happy-dom
// biome-ignore-all lint/correctness/noComponentHookFactories: components of a test close over what it looks at
import type { Client, ClientStatus } from '@parley/client'
import type { ListFilter, ListSnapshot, Store } from '@parley/core'
import { act, StrictMode, useLayoutEffect } from 'react'
import { createRoot, hydrateRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { describe, expect, it, vi } from 'vitest'
import {
  ParleyProvider,
  useConversation,
  useConversations,
  useDraft,
  useDraftInput,
  useParley,
  useStatus,
  useTotals,
} from '../src/index.js'
import { BOB, message, mount, openStore } from './helpers.js'

/** Counts the list views that are open. */
function watchViews(store: Store) {
  const list = store.list
  let open = 0
  vi.spyOn(store, 'list').mockImplementation((...args) => {
    const view = list(...args)
    open++
    return {
      ...view,
      close: () => {
        open--
        view.close()
      },
    }
  })
  return { open: () => open }
}

function List({ filter = {}, onRender }: { filter?: ListFilter; onRender?: (list: ListSnapshot) => void }) {
  // New objects at every render, as people write it.
  const list = useConversations({ ...filter }, { offset: 0, limit: 100 })
  onRender?.(list)
  return <p>{list.conversations.map(({ channel }) => channel.channelId).join(' ')}</p>
}

describe('useConversations', () => {
  it('shows the list in order and follows it', () => {
    const store = openStore()
    store.receive([message('bob', 1), message('carol', 2)])
    const { container } = mount(store, <List />)
    expect(container.textContent).toBe('carol bob')
    act(() => store.receive(message('bob', 3)))
    expect(container.textContent).toBe('bob carol')
  })

  it('keeps one view open while it is mounted in StrictMode, and none after', () => {
    const store = openStore()
    store.receive(message('bob', 1))
    const views = watchViews(store)
    const { render, unmount } = mount(store, <List />)
    expect(views.open()).toBe(1)
    for (let times = 0; times < 5; times++) render(<List />)
    expect(views.open()).toBe(1)
    render(<List filter={{ unread: true }} />)
    expect(views.open()).toBe(1)
    unmount()
    expect(views.open()).toBe(0)
  })

  it('leaves no view open for a render that React throws away', () => {
    const store = openStore()
    const views = watchViews(store)
    const Failing = () => {
      useConversations()
      throw new Error('thrown away')
    }
    expect(() =>
      renderToString(
        <ParleyProvider store={store}>
          <Failing />
        </ParleyProvider>,
      ),
    ).toThrow('thrown away')
    const root = createRoot(document.createElement('div'))
    expect(() =>
      act(() =>
        root.render(
          <ParleyProvider store={store}>
            <Failing />
          </ParleyProvider>,
        ),
      ),
    ).toThrow('thrown away')
    expect(views.open()).toBe(0)
  })

  it('gives the same snapshot when it renders again with an equal filter', () => {
    const store = openStore()
    store.receive([message('bob', 1), message('carol', 1)])
    const seen = new Set<ListSnapshot>()
    const onRender = (list: ListSnapshot) => seen.add(list)
    const { render } = mount(store, <List filter={{ channelTypes: [1] }} onRender={onRender} />)
    render(<List filter={{ channelTypes: [1] }} onRender={onRender} />)
    expect(seen.size).toBe(1)
  })

  it('follows a filter with a function that is new at every render without rendering for ever', () => {
    const store = openStore()
    store.receive([message('bob', 1), message('carol', 1)])
    let renders = 0
    const Search = ({ text }: { text: string }) => {
      renders++
      const { conversations } = useConversations({ match: ({ channel }) => channel.channelId.includes(text) })
      return <p>{conversations.map(({ channel }) => channel.channelId).join(' ')}</p>
    }
    const { container, render } = mount(store, <Search text="bo" />)
    expect(container.textContent).toBe('bob')
    render(<Search text="ca" />)
    expect(container.textContent).toBe('carol')
    expect(renders).toBeLessThan(20)
  })

  it('moves its window before the browser paints', () => {
    const store = openStore()
    store.receive(Array.from({ length: 30 }, (_, index) => message(`p${index}`, index + 1)))
    const Windowed = ({ offset }: { offset: number }) => {
      const { conversations, total } = useConversations({}, { offset, limit: 3 })
      return <p>{`${conversations.map(({ channel }) => channel.channelId).join(' ')} of ${total}`}</p>
    }
    const { container, render } = mount(store, <Windowed offset={0} />)
    expect(container.textContent).toBe('p29 p28 p27 of 30')
    render(<Windowed offset={10} />)
    expect(container.textContent).toBe('p19 p18 p17 of 30')
  })

  it('shows what changed between rendering and subscribing', () => {
    const store = openStore()
    const Late = () => {
      const { total } = useConversations()
      // Runs before the effect in which React subscribes.
      useLayoutEffect(() => store.receive(message('bob', 1)))
      return <p>{total}</p>
    }
    expect(mount(store, <Late />).container.textContent).toBe('1')
  })
})

describe('useConversation, useTotals and useDraft', () => {
  it('follow their conversation, with a channel that is a new object each time', () => {
    const store = openStore()
    const Panel = ({ id }: { id: string }) => {
      const { unread } = useConversation({ channelId: id, channelType: 1 })
      const { composer } = useDraft({ channelId: id, channelType: 1 })
      return <p>{`${unread} of ${useTotals().unread}: ${composer?.text ?? '-'}`}</p>
    }
    const { container, render } = mount(store, <Panel id="bob" />)
    expect(container.textContent).toBe('0 of 0: -')
    act(() => store.receive([message('bob', 1), message('carol', 2)]))
    expect(container.textContent).toBe('1 of 3: -')
    act(() => store.conversation(BOB).draft.set('hi'))
    expect(container.textContent).toBe('1 of 3: hi')
    render(<Panel id="carol" />)
    expect(container.textContent).toBe('2 of 3: -')
  })

  it('gives the actions of a draft with what it shows', () => {
    const store = openStore()
    let draft: ReturnType<typeof useDraft> | undefined
    const Panel = () => {
      draft = useDraft(BOB)
      return null
    }
    mount(store, <Panel />)
    act(() => draft?.set('hello'))
    expect(draft?.composer?.text).toBe('hello')
    let text: string | undefined
    act(() => {
      text = draft?.send()?.text
    })
    expect(text).toBe('hello')
    expect(draft?.composer).toBeNull()
    expect(draft?.sending).toHaveLength(1)
  })
})

describe('the provider', () => {
  const Everything = () => {
    const { unread } = useConversation(BOB)
    const input = useDraftInput(BOB)
    return (
      <div>
        <textarea {...input} />
        <p>
          {[
            useConversations().total,
            unread,
            useTotals().unread,
            useDraft(BOB).composer?.text ?? 'no draft',
            useStatus()?.saved ?? 'no status',
          ].join(', ')}
        </p>
      </div>
    )
  }

  it('says what is missing without one', () => {
    const Lost = () => <p>{useParley().store.userId}</p>
    expect(() => renderToString(<Lost />)).toThrow('<ParleyProvider>')
  })

  it('renders on a server as if nothing were known, and the browser takes over from there', async () => {
    const store = openStore()
    store.receive(message('bob', 1))
    store.conversation(BOB).draft.set('hello')
    const page = (
      <StrictMode>
        <ParleyProvider store={store}>
          <Everything />
        </ParleyProvider>
      </StrictMode>
    )
    const container = document.createElement('div')
    container.innerHTML = renderToString(page)
    expect(container.textContent).toBe('0, 0, 0, no draft, no status')
    const complaints: unknown[] = []
    const root = await act(() =>
      hydrateRoot(container, page, { onRecoverableError: (error) => complaints.push(error) }),
    )
    expect(container.querySelector('p')?.textContent).toBe('1, 1, 1, hello, no status')
    expect(container.querySelector('textarea')?.value).toBe('hello')
    expect(complaints).toEqual([])
    act(() => root.unmount())
  })

  it('gives the status of a client', () => {
    const store = openStore()
    const listeners = new Set<() => void>()
    let status = { saved: 'memory' } as ClientStatus
    const client = {
      store,
      status: {
        getSnapshot: () => status,
        subscribe: (listener: () => void) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      },
    } as unknown as Client
    const Saved = () => <p>{useStatus()?.saved}</p>
    const container = document.createElement('div')
    const root = createRoot(container)
    act(() =>
      root.render(
        <StrictMode>
          <ParleyProvider client={client}>
            <Saved />
          </ParleyProvider>
        </StrictMode>,
      ),
    )
    expect(container.textContent).toBe('memory')
    act(() => {
      status = { ...status, saved: 'server' }
      for (const listener of listeners) listener()
    })
    expect(container.textContent).toBe('server')
    act(() => root.unmount())
    expect(listeners.size).toBe(0)
  })
})
