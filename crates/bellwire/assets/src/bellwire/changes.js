// Forms and controls with `bw-change="Action"`: the fields are sent while somebody types, after a
// pause. Only the newest counts.

import { idOf, isChoice } from "./controls.js"
import { fieldsOf } from "./fields.js"

/** @typedef {import("./page.js").Page} Page */

const PAUSE = 250 // ms, without `bw-debounce`

/** @type {Map<Element, ReturnType<typeof setTimeout>>} element with `bw-change` → the timer until it is sent */
const timers = new Map()

/** @param {() => Page | null} currentPage */
export function listenToChanges(currentPage) {
  document.addEventListener("input", ({ target }) => {
    const element = ownerOf(target)
    if (element && pauseOf(element) !== null) sendLater(element, currentPage)
  })
  document.addEventListener("change", ({ target }) => {
    const element = ownerOf(target)
    if (element && pauseOf(element) === null) send(element, currentPage())
  })
  // A submit sends the same fields, and more.
  document.addEventListener("submit", ({ target }) => cancelIn(target), { capture: true })
}

/**
 * The element whose `bw-change` covers a control.
 *
 * @param {any} control
 * @returns {Element | null}
 */
function ownerOf(control) {
  if (control?.matches?.("[bw-change]")) return control
  return control?.form?.hasAttribute?.("bw-change") ? control.form : null
}

/**
 * The pause in ms; `null` if only a finished change counts.
 *
 * @param {Element} element
 */
function pauseOf(element) {
  const value = element.getAttribute("bw-debounce")
  if (value === "blur") return null
  return /^\d+$/.test(value ?? "") ? Number(value) : PAUSE
}

/**
 * @param {Element} element
 * @param {() => Page | null} currentPage
 */
function sendLater(element, currentPage) {
  clearTimeout(timers.get(element))
  const timer = setTimeout(() => send(element, currentPage()), pauseOf(element) ?? 0)
  timers.set(element, timer)
}

/**
 * @param {Element} element
 * @param {Page | null} page
 */
function send(element, page) {
  timers.delete(element)
  if (!element.isConnected || !page?.isConnected) return
  const { client_id, ...data } = dataOf(element)
  page.send(element.getAttribute("bw-change") ?? "", data, element, true)
}

/**
 * @param {any} element
 * @returns {import("./fields.js").Fields}
 */
function dataOf(element) {
  const form = element instanceof HTMLFormElement ? element : element.form
  if (form) return fieldsOf(form).fields
  return isChoice(element) && !element.checked
    ? {}
    : { [element.name || idOf(element)]: element.value }
}

/** @param {any} form that is submitted */
function cancelIn(form) {
  for (const [element, timer] of timers) {
    if (element !== form && /** @type {any} */ (element).form !== form) continue
    clearTimeout(timer)
    timers.delete(element)
  }
}
