/** True if a text names a user, as a word of its own. */
export function mentions(content: string, userId: string): boolean {
  const name = userId.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(^|[^\\p{L}\\p{N}_])${name}($|[^\\p{L}\\p{N}_])`, 'iu').test(content)
}
