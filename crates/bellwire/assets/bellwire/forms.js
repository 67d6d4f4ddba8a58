// Forms with `bw-send="Action"`: their fields are sent over the socket, or by HTTP if the socket
// cannot carry them.

import { halfTyped, valuesOf } from "./controls.js"
import { freshId } from "./outbox.js"
import { emit } from "./state.js"
import { forgive } from "./wrong.js"

const DOUBLE_CLICK = 1_000
const byHttp = new WeakSet() // forms that are about to be submitted again, by HTTP
const last = new WeakMap() // form → { text, at } of its last submit without later input

/**
 * Handles submits. `link` represents the page:
 * `{ usable(), connected(), ended(), send(action, data, form), part(action, data, form) }`.
 */
export function listen(link) {
  document.addEventListener("submit", (event) => submit(event, link))
  document.addEventListener("input", ({ isTrusted, target }) => isTrusted && target.form && last.delete(target.form))
}

function submit(event, link) {
  const form = event.target
  if (event.defaultPrevented || !form.hasAttribute("bw-send")) return
  if (byHttp.delete(form)) return
  const data = read(new FormData(form, event.submitter))
  if (data && isDoubleClick(form, data)) return event.preventDefault()
  const id = form.elements.namedItem("client_id")
  if (id) id.value = freshId() // also for HTTP, so that the server recognizes a repeated send
  if (data && id && link.ended()) return afterTheEnd(event, data, link)
  if (!data || !link.usable()) return // files, and pages without a socket
  if (!id && !link.connected()) return withoutSocket(event, data)
  event.preventDefault()
  forgive(form)
  link.send(form.getAttribute("bw-send"), id ? { ...data, client_id: id.value } : data, form)
}

// The server closed the socket for good. The form must not be sent in the name of another user who
// signed in since.
async function afterTheEnd(event, data, link) {
  const { submitter, target: form } = event
  event.preventDefault()
  const ask = { ...data, client_id: form.elements.namedItem("client_id").value }
  if (!(await link.part(form.getAttribute("bw-send"), ask, form))) return
  byHttp.add(form)
  form.requestSubmit(submitter)
}

// An action without `client_id` is not stored, so it must be delivered now: by HTTP, or not at all.
// A GET form needs an `action` attribute for this.
function withoutSocket(event, data) {
  if (navigator.onLine && (event.target.method === "post" || event.target.hasAttribute("action"))) return
  event.preventDefault()
  emit(event.target, "refused", { clientId: null, data, error: "You are not connected.", field: null })
}

function read(fields) {
  const data = {}
  for (const [name, value] of fields) {
    if (typeof value !== "string") {
      if (value.size) return null
      continue
    }
    data[name] = Object.hasOwn(data, name) ? [data[name], value].flat() : value
  }
  return data
}

// The second click of a double click: no input since the first one, and the fields are unchanged,
// or emptied by the app.
function isDoubleClick(form, data) {
  const controls = valuesOf(form).map(([control]) => control)
  const text = JSON.stringify({ ...data, client_id: "" })
  const before = last.get(form)
  const at = performance.now()
  if (before && at - before.at < DOUBLE_CLICK && (text === before.text || !controls.some(halfTyped))) return true
  // A form without fields may be submitted twice on purpose.
  if (controls.length) last.set(form, { text, at })
  return false
}
