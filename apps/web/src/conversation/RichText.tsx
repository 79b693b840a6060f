const ADDRESS = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/g

/** Text with its web addresses as links. */
export function RichText({ text }: { readonly text: string }) {
  // Split by a group: every second part is an address.
  return text.split(ADDRESS).map((part, place) =>
    place % 2 === 1 ? (
      <a key={place} href={part} target="_blank" rel="noreferrer noopener">
        {part}
      </a>
    ) : (
      part
    ),
  )
}
