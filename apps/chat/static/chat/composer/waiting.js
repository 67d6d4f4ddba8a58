// What this window has sent and nobody answered yet, and what was refused: of every room, for a room may be left before the answer.
// bellwire.js keeps the asks themselves; here is what people see of them.

import { Outbox } from "../../bellwire/outbox.js"

const MOST_REFUSED = 100
const MOST_SENT = 200

const key = () => `chat:refused:${document.documentElement.dataset.user ?? ""}`
const items = new Map(refusedBefore().map((item) => [item.id, item])) // client id → { id, room, message, problem }
const sentHere = new Set()

/** What waits in this room, the oldest first. */
export const waitingIn = (room) => [...items.values()].filter((item) => item.room === room)

/** Whether this very window has sent it. */
export const wasSentHere = (id) => sentHere.has(id)

export function forget(id) {
  items.delete(id)
  save()
}

/** Notes that it was refused, and why. A `field` says that the text itself will not do. */
export function refuse(id, { room, message }, error, field) {
  items.set(id, { id, room, message, problem: { error, field } })
  save()
}

/** It is not to be sent any more. */
export function discard(id) {
  const url = document.querySelector("[bw-connect]")?.getAttribute("bw-connect")
  if (url) new Outbox(url).take(id)
  forget(id)
}

/** An event of bellwire.js that is about a message, or nothing. */
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
    // where the browser grants no storage, it lasts as long as the page
  }
}
