/** Looks into a database in y-indexeddb's layout, and changes it behind a client's back. */
export async function withStores<Result>(
  name: string,
  action: (updates: IDBObjectStore, notes: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result> {
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(name)
    request.onupgradeneeded = () => {
      request.result.createObjectStore('updates', { autoIncrement: true })
      request.result.createObjectStore('custom')
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  try {
    return await new Promise<Result>((resolve, reject) => {
      const transaction = db.transaction(['updates', 'custom'], 'readwrite')
      const request = action(transaction.objectStore('updates'), transaction.objectStore('custom'))
      transaction.oncomplete = () => resolve(request.result)
      transaction.onabort = () => reject(transaction.error)
    })
  } finally {
    db.close()
  }
}

export const rowsOf = (name: string): Promise<Uint8Array[]> => withStores(name, (updates) => updates.getAll())

export const addRow = (name: string, row: unknown) => withStores(name, (updates) => updates.add(row))

export const notesOf = (name: string) => withStores(name, (_, notes) => notes.getAllKeys())
