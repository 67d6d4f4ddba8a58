// The state of the connection: an attribute of <html> for CSS, scripts and tests.

let current = null
const listeners = new Set()

/** `"connecting"`, `"connected"`, `"offline"`, or `null` on a page without a socket. */
export const state = () => current

/**
 * Calls `listener(state, reason)` at every change. Returns a function that removes the listener.
 */
export function onState(listener) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function setState(next, reason = "") {
  if (next === current) return
  current = next
  document.documentElement.toggleAttribute("data-bellwire", next !== null)
  if (next) document.documentElement.setAttribute("data-bellwire", next)
  const shown = document.getElementById("connection-reason")
  if (shown) shown.textContent = reason
  document.getElementById("connection-sign-in")?.setAttribute("hidden", "")
  for (const listener of listeners) listener(next, reason)
  emit(document, "state", { state: next, reason })
}

/** Sets the transport: `"socket"`, or `"stream"` if the network blocks WebSockets. */
export function setTransport(name) {
  document.documentElement.dataset.bellwireTransport = name
}

/** Shows the link to sign in again, until the state changes. */
export function offerSignIn(url) {
  const offer = document.getElementById("connection-sign-in")
  offer?.querySelector("a")?.setAttribute("href", url)
  offer?.removeAttribute("hidden")
}

/** Dispatches a bubbling `bellwire:<name>` on an element, or on the document if it was removed. */
export function emit(target, name, detail) {
  ;(target?.isConnected ? target : document).dispatchEvent(
    new CustomEvent(`bellwire:${name}`, { detail, bubbles: true }),
  )
}
