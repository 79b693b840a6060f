import { runBusTests } from './acceptance.js'
import { createLocalBusHub } from './localBus.js'

runBusTests('local', {
  open: async () => {
    const hub = createLocalBusHub()
    return async () => hub.connect()
  },
})
