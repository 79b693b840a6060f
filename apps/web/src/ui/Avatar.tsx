import type { CSSProperties } from 'react'
import './avatar.css'
import { hueOf, initials } from './avatar.js'

/** The round picture of somebody who has none: initials in a colour of their own. Names stand beside it. */
export function Avatar({ name, size = 48, group = false }: { name: string; size?: number; group?: boolean }) {
  const style = { '--avatar-size': `${size}px`, '--hue': hueOf(name) } as CSSProperties
  return (
    <span className={group ? 'avatar avatar--group' : 'avatar'} style={style} aria-hidden="true">
      {group ? '#' : initials(name)}
    </span>
  )
}
