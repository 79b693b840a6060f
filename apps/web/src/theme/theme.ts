import { createEmitter, type Readable } from '@parley/core'

/** What the user chose: follow the system, or not. */
export type ThemeChoice = 'system' | 'light' | 'dark'

const STORAGE_KEY = 'parley.theme'
const CHOICES: readonly ThemeChoice[] = ['system', 'light', 'dark']

const changes = createEmitter<void>(console.error)
let choice: ThemeChoice = read()

/** The theme that is chosen. */
export const themeChoice: Readable<ThemeChoice> = {
  subscribe: (listener) => changes.subscribe(listener),
  getSnapshot: () => choice,
}

/** Chooses a theme and keeps the choice. */
export function chooseTheme(next: ThemeChoice): void {
  choice = next
  try {
    localStorage.setItem(STORAGE_KEY, next)
  } catch {
    // The choice holds until the page is closed.
  }
  apply()
  changes.emit()
}

/** The choice after this one, for a button that goes through them. */
export function nextTheme(current: ThemeChoice): ThemeChoice {
  return CHOICES[(CHOICES.indexOf(current) + 1) % CHOICES.length] as ThemeChoice
}

/** Puts the theme on the page and follows the system. Call it once, before anything is shown. */
export function installTheme(): void {
  apply()
  darkSystem().addEventListener('change', apply)
}

function apply(): void {
  const dark = choice === 'dark' || (choice === 'system' && darkSystem().matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
}

function darkSystem(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)')
}

function read(): ThemeChoice {
  try {
    const kept = localStorage.getItem(STORAGE_KEY)
    return CHOICES.find((known) => known === kept) ?? 'system'
  } catch {
    return 'system'
  }
}
