import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.js'
import './theme/tokens.css'
import './theme/base.css'
import { installDropGuard } from './focus/drops.js'
import { installTyping } from './focus/typing.js'
import { installServiceWorker } from './offline/installServiceWorker.js'
import { installRouter } from './routing/route.js'
import { resumeSession } from './session/currentSession.js'
import { installTheme } from './theme/theme.js'

installTheme()
installRouter()
installTyping()
installDropGuard()
resumeSession()
installServiceWorker()

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
