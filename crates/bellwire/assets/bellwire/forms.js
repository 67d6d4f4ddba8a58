// Forms with `bw-send="Action"`: their fields travel over the socket, or by HTTP when that is the better way.

import { halfTyped, valuesOf } from "./controls.js"
import { freshId } from "./outbox.js"
import { emit } from "./state.js"
import { forgive } from "./wrong.js"

const DOUBLE_CLICK = 1_000
const byHttp = new WeakSet() // forms that are about to be sent once more, by HTTP
const last = new WeakMap() // form → { text, at } of its last submit that no input followed

/** `link` answers for the page: `{ usable(), connected(), ended(), send(action, data, form), part(action, data, form) }`. */
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
  if (id) id.value = freshId() // by HTTP as well: the server then knows a repeated one
  if (data && id && link.ended()) return afterTheEnd(event, data, link)
  if (!data || !link.usable()) return // files, and pages without a socket
  if (!id && !link.connected()) return withoutSocket(event, data)
  event.preventDefault()
  forgive(form)
  link.send(form.getAttribute("bw-send"), id ? { ...data, client_id: id.value } : data, form)
}

// The server wants no more of the socket. The form must not go out in the name of whoever signed in since.
async function afterTheEnd(event, data, link) {
  const { submitter, target: form } = event
  event.preventDefault()
  const ask = { ...data, client_id: form.elements.namedItem("client_id").value }
  if (!(await link.part(form.getAttribute("bw-send"), ask, form))) return
  byHttp.add(form)
  form.requestSubmit(submitter)
}

// Nothing remembers an ask without `client_id`, so it must be delivered now: by HTTP, or not at all. A form that only gets something says
// with its action where that is to be had.
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

// The second click of a double click: nothing was typed since, and the fields are as they were, or emptied by the app.
function isDoubleClick(form, data) {
  const controls = valuesOf(form).map(([control]) => control)
  const text = JSON.stringify({ ...data, client_id: "" })
  const before = last.get(form)
  const at = performance.now()
  if (before && at - before.at < DOUBLE_CLICK && (text === before.text || !controls.some(halfTyped))) return true
  if (controls.length) last.set(form, { text, at }) // a mere button may well be meant twice
  return false
}
