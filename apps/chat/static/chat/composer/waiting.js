// Messages that this window has sent without a response yet, and rejected ones, of all rooms,
// because the response may arrive in another room. bellwire.js has the outbox itself; this is the
// data for display.

import { cancel } from "../../bellwire.js"
import { person } from "../person.js"

const MOST_REFUSED = 100
const MOST_SENT = 200

const key = () => `chat:refused:${person()}`
const items = new Map(refusedBefore().map((item) => [item.id, item])) // client id → { id, room, message, problem }
const sentHere = new Set()

/** Returns the items of this room, the oldest first. */
export const waitingIn = (room) => [...items.values()].filter((item) => item.room === room)

/** Whether this window has sent it. */
export const wasSentHere = (id) => sentHere.has(id)

export function forget(id) {
  items.delete(id)
  save()
}

/** Stores that a message was rejected, and why. With a `field`, the text itself is invalid. */
export function refuse(id, { room, message }, error, field) {
  items.set(id, { id, room, message, problem: { error, field } })
  save()
}

/** Discards a message, which is then not sent. */
export function discard(id) {
  cancel(id)
  forget(id)
}

/** Returns the message of a bellwire.js event, or `null` if the event is about something else. */
export function about({ detail: { clientId, data, error = "", field = null } }) {
  if (!clientId || typeof data?.message !== "string" || !data.room) return null
  return { id: clientId, room: String(data.room), message: data.message, error, field }
}

document.addEventListener("bellwire:queued", (event) => {
  const ask = about(event)
  if (!ask) return
  items.set(ask.id, { id: ask.id, room: ask.room, message: ask.message, problem: null })
  sentHere.add(ask.id)
  if (sentHere.size > MOST_SENT) sentHere.delete(sentHere.values().next().value)
}, { capture: true })

document.addEventListener("bellwire:answered", (event) => forget(event.detail.clientId), { capture: true })

document.addEventListener("bellwire:refused", (event) => {
  const ask = about(event)
  if (ask) refuse(ask.id, ask, ask.error, ask.field)
}, { capture: true })

function refusedBefore() {
  try {
    return JSON.parse(sessionStorage.getItem(key())) ?? []
  } catch {
    return []
  }
}

function save() {
  const refused = [...items.values()].filter((item) => item.problem).slice(-MOST_REFUSED)
  try {
    if (refused.length) sessionStorage.setItem(key(), JSON.stringify(refused))
    else sessionStorage.removeItem(key())
  } catch {
    // without storage the items last as long as the page
  }
}
