import { isTextField } from './typing.js'

/**
 * Keeps the browser from replacing the page, and what is typed in it, by a file or a link that is dropped beside a text field.
 * Text that is dropped into a field arrives there. Call it once.
 */
export function installDropGuard(): void {
  const refuse = (event: DragEvent): void => {
    const { dataTransfer, target } = event
    const isFile = dataTransfer?.types.includes('Files') ?? false
    if (isTextField(target) && !isFile) return
    event.preventDefault()
    if (dataTransfer) dataTransfer.dropEffect = 'none'
  }
  document.addEventListener('dragover', refuse)
  document.addEventListener('drop', refuse)
}
