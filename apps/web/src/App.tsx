import { useSyncExternalStore } from 'react'
import { About } from './about/About.js'
import { DevicesPage } from './devices/DevicesPage.js'
import { ChatsPage } from './messenger/ChatsPage.js'
import { currentRoute } from './routing/route.js'
import { currentSession } from './session/currentSession.js'
import { Welcome } from './welcome/Welcome.js'

/** The page that the address names. */
export function App() {
  const route = useSyncExternalStore(currentRoute.subscribe, currentRoute.getSnapshot)
  const session = useSyncExternalStore(currentSession.subscribe, currentSession.getSnapshot)
  switch (route.page) {
    case 'about':
      return <About />
    case 'devices':
      return <DevicesPage />
    case 'chats':
      // Another session is another page, of the same user too: nothing of the one before stays.
      return session ? (
        <ChatsPage key={session.id} session={session} selected={route.selected} />
      ) : (
        <Welcome />
      )
  }
}
