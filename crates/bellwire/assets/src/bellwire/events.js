// The events of bellwire.js.

/**
 * Dispatches a bubbling `bellwire:<name>` on an element, or on the document if it was removed.
 *
 * @param {Node | null | undefined} target
 * @param {string} name
 * @param {unknown} detail
 */
export function emit(target, name, detail) {
  const event = new CustomEvent(`bellwire:${name}`, { detail, bubbles: true })
  ;(target?.isConnected ? target : document).dispatchEvent(event)
}

/**
 * Reports an action that was not sent.
 *
 * @param {Element | null} element
 * @param {any} data
 * @param {string} error
 * @param {string | null} id
 */
export function refuse(element, data, error, id = data?.client_id ?? null) {
  emit(element, "refused", { clientId: id, data, error, field: null })
}
