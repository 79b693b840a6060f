import { describeFaults } from './faults.js'
import { startChromium } from './remoteBrowser.js'

describeFaults('Chromium', () => startChromium(), startChromium)
