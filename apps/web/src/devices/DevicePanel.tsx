import type { ChannelKey } from '@parley/core'
import { useState, useSyncExternalStore } from 'react'
import { DocumentFacts } from '../inspector/DocumentFacts.js'
import { DeletedConversations } from '../messenger/DeletedConversations.js'
import { Messenger } from '../messenger/Messenger.js'
import { IconButton } from '../ui/IconButton.js'
import { Icon } from '../ui/icons.js'
import type { Device } from './pair.js'

/** One device: a whole messenger in a frame, with a switch for its network. */
export function DevicePanel({ device }: { readonly device: Device }) {
  const { name, session, network, setNetwork } = device
  const [selected, setSelected] = useState<ChannelKey | null>(null)
  const online = useSyncExternalStore(network.subscribe, network.getSnapshot)
  return (
    <section className="device" aria-label={name} data-online={online}>
      <header className="device__bar">
        <h2>{name}</h2>
        <button
          type="button"
          role="switch"
          aria-checked={online}
          aria-label={`Network of the ${name}`}
          className="switch"
          onClick={() => setNetwork(!online)}
        >
          <Icon name={online ? 'wifi' : 'wifiOff'} size={18} />
          <span>{online ? 'On the network' : 'Off the network'}</span>
          <span className="switch__track" aria-hidden="true" />
        </button>
      </header>
      <div className="device__screen">
        <Messenger session={session} selected={selected} onSelect={setSelected} header={<DeviceHeader />} />
      </div>
      <details className="device__inside">
        <summary>Inside the document</summary>
        <DocumentFacts session={session} />
      </details>
    </section>
  )
}

function DeviceHeader() {
  const [showingDeleted, setShowingDeleted] = useState(false)
  return (
    <header className="sidebar__header">
      <div className="sidebar__title">
        <h3>Chats</h3>
      </div>
      <IconButton icon="trash" label="Deleted conversations" onClick={() => setShowingDeleted(true)} />
      {showingDeleted && <DeletedConversations onClose={() => setShowingDeleted(false)} />}
    </header>
  )
}
