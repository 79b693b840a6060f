import type { ButtonHTMLAttributes, Ref } from 'react'
import './button.css'
import { Icon, type IconName } from './icons.js'

/** What an {@link IconButton} takes beside what any button takes. */
export interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly icon: IconName
  /** What it does, for screen readers and as a tooltip. */
  readonly label: string
  readonly accent?: boolean
  readonly ref?: Ref<HTMLButtonElement>
}

/** A round button that shows an icon. */
export function IconButton({ icon, label, accent = false, className = '', ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`icon-button ${accent ? 'icon-button--accent' : ''} ${className}`}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  )
}
