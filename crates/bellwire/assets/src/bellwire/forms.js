// Forms with `bw-send="Action"`: their fields are sent over the socket, or by HTTP if the socket
// cannot carry them.

import { hasUnsentValue, valuesOf } from "./controls.js"
import { refuse } from "./events.js"
import { clearErrors } from "./field-errors.js"
import { fieldsOf, renewClientId, repairText } from "./fields.js"
import { NOT_CONNECTED } from "./messages.js"

/** @typedef {import("./fields.js").Fields} Fields */
/** @typedef {import("./page.js").Page} Page */

const DOUBLE_CLICK = 1_000 // ms

/** @type {WeakMap<HTMLFormElement, { text: string, at: number }>} the last submit without later input */
const lastSubmits = new WeakMap()

/** @param {() => Page | null} currentPage */
export function listenToForms(currentPage) {
  document.addEventListener("submit", (event) => submit(event, currentPage()))
  document.addEventListener("input", (event) => {
    const form = event.isTrusted && /** @type {any} */ (event.target).form
    if (form) lastSubmits.delete(form)
  })
}

/**
 * @param {SubmitEvent} event
 * @param {Page | null} page
 */
function submit(event, page) {
  const form = /** @type {HTMLFormElement} */ (event.target)
  if (event.defaultPrevented || !form.hasAttribute("bw-send")) return
  repairText(form)
  const { fields, hasFiles } = fieldsOf(form, event.submitter)
  if (!hasFiles && isDoubleClick(form, fields)) return event.preventDefault()
  const id = renewClientId(form) // also for HTTP, so that the server recognizes a repeated send
  if (hasFiles) return
  const action = form.getAttribute("bw-send") ?? ""
  const data = id === null ? fields : { ...fields, client_id: id }
  if (!page || (page.isEnded && id === null)) return
  if (id === null && !page.isConnected) return withoutSocket(event, data)
  event.preventDefault()
  clearErrors(form)
  if (page.isEnded) page.sendAfterEnd(action, data, form)
  else page.send(action, data, form)
}

// An action without `client_id` is not stored, so it must be delivered now: by HTTP, or not at all.
// A GET form needs an `action` attribute for this.
function withoutSocket(/** @type {SubmitEvent} */ event, /** @type {Fields} */ data) {
  const form = /** @type {HTMLFormElement} */ (event.target)
  if (
    navigator.onLine &&
    (form.getAttribute("method")?.toLowerCase() === "post" || form.hasAttribute("action"))
  )
    return
  event.preventDefault()
  refuse(form, data, NOT_CONNECTED)
}

// The second click of a double click: no input since the first one, and the fields are unchanged,
// or emptied by the app.
function isDoubleClick(/** @type {HTMLFormElement} */ form, /** @type {Fields} */ fields) {
  const controls = valuesOf(form).map(([control]) => control)
  const text = JSON.stringify({ ...fields, client_id: "" })
  const before = lastSubmits.get(form)
  const at = performance.now()
  const isUnchanged = before && (text === before.text || !controls.some(hasUnsentValue))
  if (isUnchanged && at - before.at < DOUBLE_CLICK) return true
  // A form without fields may be submitted twice on purpose.
  if (controls.length) lastSubmits.set(form, { text, at })
  return false
}
