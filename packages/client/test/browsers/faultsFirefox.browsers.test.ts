import { describeFaults } from './faults.js'
import { startFirefox } from './remoteBrowser.js'

describeFaults('Firefox', () => startFirefox(), startFirefox)
