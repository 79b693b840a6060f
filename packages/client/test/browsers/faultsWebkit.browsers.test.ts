import { describeFaults } from './faults.js'
import { startWebkit } from './remoteBrowser.js'

describeFaults('WebKitGTK', () => startWebkit(), null)
