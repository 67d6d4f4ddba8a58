// Clicks that are sent over the socket while it is connected: links with `bw-send="Action"`, and any
// element with `bw-click="Action"`. Any other click does what it does without JavaScript, and so
// does a link that the server does not answer.

import { refuse } from "./events.js"
import { NOT_CONNECTED } from "./messages.js"

/** @typedef {import("./page.js").Page} Page */

const ANSWER = 4_000 // ms to wait for an answer before the link is followed

/** @type {ReturnType<typeof setTimeout> | undefined} of the last link that was sent */
let followTimer

/** @param {() => Page | null} currentPage */
export function listenToClicks(currentPage) {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || !isPlain(event) || !(event.target instanceof Element)) return
    const element = event.target.closest("[bw-click]")
    const page = currentPage()
    if (element) return sendClick(event, element, page)
    const anchor = /** @type {HTMLAnchorElement | null} */ (event.target.closest("a[bw-send]"))
    if (anchor && page?.isConnected) sendLink(event, anchor, page)
  })
  // A frame that navigates is the answer to the last click.
  document.addEventListener("bellwire:moved", () => clearTimeout(followTimer))
}

/**
 * @param {MouseEvent} event
 * @param {Element} element
 * @param {Page | null} page
 */
function sendClick(event, element, page) {
  const [action, data] = [element.getAttribute("bw-click") ?? "", dataOf(element)]
  if (page?.isConnected) {
    event.preventDefault()
    page.send(action, data, element)
  } else if (!hasFallback(element)) {
    refuse(element, data, NOT_CONNECTED)
  }
}

/**
 * @param {MouseEvent} event
 * @param {HTMLAnchorElement} anchor
 * @param {Page} page
 */
function sendLink(event, anchor, page) {
  if (page.send(anchor.getAttribute("bw-send") ?? "", dataOf(anchor), anchor) === null) return
  event.preventDefault()
  const from = location.href
  clearTimeout(followTimer)
  if (anchor.href === from) return
  const timer = setTimeout(() => location.href === from && location.assign(anchor.href), ANSWER)
  followTimer = timer
  // With `bw-stay` the answer changes this page, and any frame counts as the answer to this
  // click.
  if (!anchor.hasAttribute("bw-stay")) return
  document.addEventListener("bellwire:applied", () => clearTimeout(timer), { once: true })
}

/**
 * The data in `bw-data`.
 *
 * @param {Element} element
 */
const dataOf = (element) => JSON.parse(element.getAttribute("bw-data") || "{}")

/**
 * Whether the browser does something on a click: follows a link, or submits a form.
 *
 * @param {any} element
 */
const hasFallback = (element) =>
  element.matches("a[href]") || (element.form && /^(submit|image|reset)$/.test(element.type))

/** @param {MouseEvent} event */
const isPlain = ({ button, ctrlKey, metaKey, shiftKey, altKey }) =>
  button === 0 && !(ctrlKey || metaKey || shiftKey || altKey)
