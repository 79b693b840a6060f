const PATHS = {
  archive: 'M3.5 4.5h17v4h-17zM5 8.5v11h14v-11M10 12.5h4',
  unarchive: 'M3.5 4.5h17v4h-17zM5 8.5v11h14v-11M12 17v-5m-2.3 2.2L12 11.9l2.3 2.3',
  arrowLeft: 'M19 12H5m6-6-6 6 6 6',
  at: 'M15.5 12a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0Zm0 0v1.2a2.4 2.4 0 0 0 4.8 0V12a8.3 8.3 0 1 0-3.4 6.7',
  bell: 'M6 16.5V11a6 6 0 1 1 12 0v5.5l1.5 2h-15zM10 21h4',
  bellOff: 'M8 6.5A6 6 0 0 1 18 11v4M6 10v6.5l-1.5 2H17M10 21h4M4 3.5l16.5 17',
  check: 'm5 12.5 4.5 4.5L19.5 7',
  checks: 'm2.5 12.5 4.5 4.5L16 8m-4 8 1 1 9-9',
  clock: 'M12 7v5l3 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z',
  cloudOff: 'M9.5 6.2A6 6 0 0 1 18 11.5a3.8 3.8 0 0 1 2.2 6.4M6.5 9.5a5 5 0 0 0 .5 9.5h10M3.5 3.5l17 17',
  close: 'M6 6l12 12M18 6 6 18',
  devices: 'M3 5.5h13v9H3zM1.5 18h11M16 9.5h5.5v11H16z',
  down: 'm6 9 6 6 6-6',
  info: 'M12 11v6m0-9.5v.1M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z',
  inspect: 'M4 20V10m5.3 10V4m5.4 16v-7M20 20V7',
  mailDot: 'M13 5.5H3.5v13h17V11M4 6.5l8 6.5 4.5-3.6M20 5.5h.1',
  mailOpen: 'M3.5 10 12 4l8.5 6v9.5h-17zM4 10.5l8 5.5 8-5.5',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z',
  more: 'M5.5 12h.1m6.4 0h.1m6.3 0h.1',
  pencil: 'M4 20h4L19.5 8.5l-4-4L4 16zM13 7l4 4',
  pin: 'M9 3.5h6l-.7 6.5 3.7 3.5H6L9.7 10zM12 13.5V21',
  reply: 'M9.5 6 4 11.5 9.5 17M4.5 11.5H14a6 6 0 0 1 6 6V19',
  search: 'm20.5 20.5-4.7-4.7M18 10.8a7.2 7.2 0 1 1-14.4 0 7.2 7.2 0 0 1 14.4 0Z',
  send: 'M4 12 20.5 4.5 15 20l-3.5-6.5zM11.5 13.5l9-9',
  sun: 'M12 3v2m0 14v2m9-9h-2M5 12H3m15.4-6.4L17 7M7 17l-1.4 1.4m12.8 0L17 17M7 7 5.6 5.6M16 12a4 4 0 1 1-8 0 4 4 0 0 1 8 0Z',
  system: 'M3.5 4.5h17v11h-17zM9 20h6m-3-4.5V20',
  undo: 'M8.5 5.5 4 10l4.5 4.5M4.5 10H14a5.5 5.5 0 0 1 0 11h-3',
  trash: 'M4.5 6.5h15M9.5 6.5v-3h5v3M6.5 6.5l1 14h9l1-14M10 10.5v6m4-6v6',
  warning: 'M12 9.5v4.5m0 3v.1M12 3.5 2.5 20h19z',
  wifiOff:
    'M4 9.5a12 12 0 0 1 4.5-2.8M20 9.5a12 12 0 0 0-7.5-3.4M7 13.2A7.5 7.5 0 0 1 11 11m6 2.2a8 8 0 0 0-1.6-1.2M12 18.5h.1M4 3.5l16.5 17',
  wifi: 'M3.5 9.5a12.5 12.5 0 0 1 17 0M6.8 13.2a7.7 7.7 0 0 1 10.4 0M12 18.5h.1M9.5 16a3.6 3.6 0 0 1 5 0',
} as const

/** The name of an icon. */
export type IconName = keyof typeof PATHS

/** A line icon of the size of its text. It says nothing to a screen reader: its button has a label. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === 'more' ? 2.6 : 1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  )
}
