import { useRef, useSyncExternalStore } from 'react'
import type { Pair } from './pair.js'
import { saySomething } from './people.js'

const EXPERIMENTS: ReadonlyArray<{
  readonly title: string
  readonly steps: string
  readonly result: string
}> = [
  {
    title: 'Edit one draft on both',
    steps:
      'Type “See you at eight” on one device. Take both off the network. Change the beginning on the one, the end on the other.',
    result: 'Back on the network, both have both changes, letter by letter.',
  },
  {
    title: 'Start two drafts',
    steps:
      'Take both off the network. Open the same conversation on both and type something different on each.',
    result: 'Both drafts stay: one in the field, the other beside it.',
  },
  {
    title: 'Send while the other types',
    steps: 'Type a draft. Take the phone off the network, send on the laptop, type on in the phone.',
    result: 'The message is sent once; what was typed after it waits beside the field.',
  },
  {
    title: 'Read here, mark there',
    steps:
      'Take both off the network. Read a conversation on the laptop; mark another as unread on the phone.',
    result: 'Reading only moves forward, and no mark is lost.',
  },
  {
    title: 'Delete, and be written to',
    steps: 'Take the phone off the network and delete Mina’s conversation there. Let her write.',
    result: 'The deletion does not hide what came after it.',
  },
]

/** What can be tried with two devices, and the means to. */
export function Experiments({ pair }: { readonly pair: Pair }) {
  const [laptop, phone] = pair.devices
  const turn = useRef(0)
  const online = [useOnline(laptop), useOnline(phone)]
  const apart = online.every((on) => !on)
  return (
    <aside className="experiments" aria-label="Experiments">
      <div className="experiments__buttons">
        <button
          type="button"
          className="button button--primary"
          onClick={() => {
            for (const device of pair.devices) device.setNetwork(apart)
          }}
        >
          {apart ? 'Bring both back' : 'Take both off the network'}
        </button>
        <button
          type="button"
          className="button"
          onClick={() => saySomething(pair.server, turn.current++, Date.now())}
        >
          Let somebody write
        </button>
      </div>
      <h2>Experiments</h2>
      <ol>
        {EXPERIMENTS.map(({ title, steps, result }) => (
          <li key={title}>
            <h3>{title}</h3>
            <p>{steps}</p>
            <p className="experiments__result">{result}</p>
          </li>
        ))}
      </ol>
    </aside>
  )
}

function useOnline({ network }: Pair['devices'][number]): boolean {
  return useSyncExternalStore(network.subscribe, network.getSnapshot)
}
