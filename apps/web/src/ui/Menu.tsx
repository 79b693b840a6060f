import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { createPortal } from 'react-dom'
import { Icon, type IconName } from './icons.js'
import './menu.css'

/** Where a menu opens, in pixels of the viewport. */
export interface MenuPlace {
  readonly x: number
  readonly y: number
}

/** One thing to choose. */
export interface MenuItem {
  readonly id: string
  readonly label: string
  readonly icon: IconName
  /** The shortcut that is shown beside it. */
  readonly key?: string
  readonly danger?: boolean
  readonly run: () => void
}

/** The properties of a {@link Menu}. */
export interface MenuProps {
  readonly place: MenuPlace
  readonly label: string
  readonly items: readonly MenuItem[]
  readonly onClose: () => void
}

const MARGIN_PX = 8

/** A menu at a place of the page. It takes the focus and gives it back. */
export function Menu({ place, label, items, onClose }: MenuProps) {
  const element = useRef<HTMLDivElement>(null)
  const [position, setPosition] = useState(place)
  const close = useRef(onClose)
  close.current = onClose

  useLayoutEffect(() => {
    const box = element.current?.getBoundingClientRect()
    if (!box) return
    setPosition({
      x: Math.max(MARGIN_PX, Math.min(place.x, innerWidth - box.width - MARGIN_PX)),
      y: Math.max(MARGIN_PX, Math.min(place.y, innerHeight - box.height - MARGIN_PX)),
    })
  }, [place.x, place.y])

  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    element.current?.querySelector<HTMLElement>('[role="menuitem"]')?.focus()
    const away = (event: Event): void => {
      if (!element.current?.contains(event.target as Node)) close.current()
    }
    const goes = (): void => close.current()
    document.addEventListener('pointerdown', away, true)
    addEventListener('resize', goes)
    addEventListener('blur', goes)
    return () => {
      document.removeEventListener('pointerdown', away, true)
      removeEventListener('resize', goes)
      removeEventListener('blur', goes)
      // Unless the chosen action put it elsewhere.
      if (document.activeElement === document.body || element.current?.contains(document.activeElement)) {
        before?.focus({ preventScroll: true })
      }
    }
  }, [])

  const onKeyDown = (event: KeyboardEvent): void => {
    const all = [...(element.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])]
    const now = all.indexOf(document.activeElement as HTMLElement)
    const focus = (index: number): void => all[(index + all.length) % all.length]?.focus()
    event.stopPropagation()
    switch (event.key) {
      case 'ArrowDown':
        focus(now + 1)
        break
      case 'ArrowUp':
        focus(now - 1)
        break
      case 'Home':
        focus(0)
        break
      case 'End':
        focus(-1)
        break
      case 'Escape':
      case 'Tab':
        onClose()
        break
      default:
        return
    }
    event.preventDefault()
  }

  return createPortal(
    <div
      ref={element}
      role="menu"
      aria-label={label}
      tabIndex={-1}
      className="menu"
      style={{ left: position.x, top: position.y }}
      onKeyDown={onKeyDown}
      onContextMenu={(event) => event.preventDefault()}
    >
      {items.map(({ id, label: text, icon, key, danger, run }) => (
        <button
          key={id}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className={danger ? 'menu__item menu__item--danger' : 'menu__item'}
          onClick={() => {
            onClose()
            run()
          }}
        >
          <Icon name={icon} />
          {text}
          {key && (
            <span className="menu__key" aria-hidden="true">
              {key.length === 1 ? key.toUpperCase() : key}
            </span>
          )}
        </button>
      ))}
    </div>,
    document.body,
  )
}
