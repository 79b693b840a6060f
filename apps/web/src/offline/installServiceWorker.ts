/** Keeps the app itself on this device, so that it opens without a network. Where that is not possible it works as before. */
export function installServiceWorker(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
  // After the page has what it needs: this is for the next visit.
  addEventListener('load', () => {
    navigator.serviceWorker.register('/sw.js').catch(() => {
      // Blocked, or not served over a secure connection.
    })
  })
}
