// What the page knows about its connection: one word on <html> that CSS, people and tests can see.

let current = null
const listeners = new Set()

/** `"connecting"`, `"connected"`, `"offline"`, or `null` on a page without a socket. */
export const state = () => current

/** Calls `listener(state, reason)` at every change. Returns a function that ends it. */
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

/** How the page is connected: `"socket"`, or `"stream"` where the network lets no socket through. */
export function setTransport(name) {
  document.documentElement.dataset.bellwireTransport = name
}

/** Shows the way to sign in again, until the state changes. */
export function offerSignIn(url) {
  const offer = document.getElementById("connection-sign-in")
  offer?.querySelector("a")?.setAttribute("href", url)
  offer?.removeAttribute("hidden")
}

/** Dispatches `bellwire:<name>`, bubbling, on an element, or on the document when it is gone. */
export function emit(target, name, detail) {
  ;(target?.isConnected ? target : document).dispatchEvent(
    new CustomEvent(`bellwire:${name}`, { detail, bubbles: true }),
  )
}
