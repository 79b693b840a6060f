/**
 * JSON with the members of all objects in the order of their names, indented: the same for the same data, and fit for
 * tools that compare texts line by line.
 */
export function canonicalText(value: unknown): string {
  return `${JSON.stringify(value, sortMembers, 2)}\n`
}

function sortMembers(_name: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  // `__proto__` as a member would set the prototype of an object made otherwise.
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
