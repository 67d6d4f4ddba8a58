// The state of the connection: an attribute of <html> for CSS, scripts and tests.

import { emit } from "./events.js"

/** @typedef {"connecting" | "connected" | "offline"} State */

/** @type {State | null} */
let current = null
let currentReason = ""
/** @type {Set<(state: State | null, reason: string) => void>} */
const listeners = new Set()

/** The state; `null` on a page without a connection. */
export const state = () => current

/**
 * Calls `listener(state, reason)` at every change.
 *
 * @param {(state: State | null, reason: string) => void} listener
 * @returns {() => void} removes the listener
 */
export function onState(listener) {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

/**
 * @param {State | null} next
 * @param {string} reason
 */
export function setState(next, reason = "") {
  if (next === current && reason === currentReason) return
  current = next
  currentReason = reason
  showState()
  for (const listener of listeners) listener(next, reason)
  emit(document, "state", { state: next, reason })
}

function showState() {
  document.documentElement.toggleAttribute("data-bellwire", current !== null)
  if (current) document.documentElement.setAttribute("data-bellwire", current)
  const shown = document.getElementById("connection-reason")
  if (shown) shown.textContent = currentReason
  document.getElementById("connection-sign-in")?.setAttribute("hidden", "")
}

/**
 * Shows the transport: a stream replaces the socket if the network blocks WebSockets.
 *
 * @param {"socket" | "stream"} name
 */
export function setTransport(name) {
  document.documentElement.dataset.bellwireTransport = name
}

/**
 * Shows the link to sign in again, until the state changes.
 *
 * @param {string} url
 */
export function offerSignIn(url) {
  const offer = document.getElementById("connection-sign-in")
  offer?.querySelector("a")?.setAttribute("href", url)
  offer?.removeAttribute("hidden")
}
