// Frames: HTML in which every top-level element names its target (`hx-swap-oob`). htmx swaps them
// in, one after the other.

import { CONTROLS, hasUnsentValue } from "./controls.js"
import { emit } from "./events.js"
import { errorPlaceIn, markFields } from "./field-errors.js"
import { changeOf } from "./hooks.js"
import { eventOf, ownAddress, surplusOf, swapOf } from "./instructions.js"
import { lastLocation } from "./location.js"
import { currentFocus, keepMarkedElements, restoreFocus, saveState } from "./preserve.js"

/** @typedef {import("./hooks.js").Change} Change */

/**
 * @typedef {object} FrameAnswer
 * @property {HTMLElement} element
 * @property {string} clientId
 * @property {string | null} error
 * @property {string | null} field
 */

/**
 * @typedef {object} Frame
 * @property {HTMLElement[]} patches
 * @property {{ person: string } | null} hello
 * @property {FrameAnswer[]} answers
 * @property {Set<string>} results the ids of the asks whose result is in the frame
 * @property {string} [feed]
 * @property {string} [seq]
 * @property {{ url?: string, title?: string, focusOn?: string }} page
 */

const INSERTS = ["beforebegin", "afterbegin", "beforeend", "afterend"]
const INSTRUCTIONS = [
  "hx-swap-oob",
  "data-bw-how",
  "data-bw-url",
  "data-bw-title",
  "data-bw-focus",
  "data-bw-keep-last",
]

/**
 * Parses a frame: its elements, and their attributes about feeds, answers and the page.
 *
 * @param {string} text
 * @returns {Frame}
 */
export function readFrame(text) {
  const template = document.createElement("template")
  // The HTML comes from the site's own server, like the page; scripts parsed this way never run.
  template.innerHTML = text
  const patches = patchesIn(template.content)
  const marked = patches.findLast((patch) => patch.dataset.feed && patch.dataset.seq)
  const attribute = (/** @type {string} */ name) =>
    patches.find((patch) => name in patch.dataset)?.dataset[name]
  const results = [...template.content.querySelectorAll("[data-client-id]")]
  return {
    patches,
    hello: attribute("bwHello") === undefined ? null : { person: attribute("bwPerson") ?? "" },
    answers: patches.flatMap(answerIn),
    results: new Set(results.map((each) => each.getAttribute("data-client-id") ?? "")),
    feed: marked?.dataset.feed,
    seq: marked?.dataset.seq,
    page: { url: attribute("bwUrl"), title: attribute("bwTitle"), focusOn: attribute("bwFocus") },
  }
}

/**
 * Applies a frame to the page. A part that fails does not stop the others.
 *
 * @param {Frame} frame
 * @param {any} htmx its functions for extensions
 * @returns {Promise<Change[]>} what has changed
 */
export async function applyFrame({ patches, page }, htmx) {
  const { pathname } = location
  let navigated = false // to another URL: the page then scrolls to its top, as after any link
  /** @type {Change[]} */
  const changes = []
  const steps = [
    () => (navigated = changeAddress(page.url, lastLocation(patches))),
    ...patches.map((patch) => () => {
      const isElsewhere = navigated && location.pathname !== pathname
      return applyPatch(patch, { htmx, navigated, isElsewhere, changes })
    }),
    () => setTitle(page.title),
    () => focusOn(page.focusOn, navigated),
    () => navigated && scrollTo({ top: 0, left: 0, behavior: "instant" }),
    () => navigated && emit(document, "moved", { url: location.href }),
  ]
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      console.error("bellwire: a part of a frame could not be applied", error)
    }
  }
  return changes
}

/**
 * Directs an error to the form that sent the action, if that has an element for it.
 *
 * @param {FrameAnswer} answer
 * @param {Element | null} form
 */
export function directError({ element, field }, form) {
  const place = errorPlaceIn(form, field)
  if (place) element.setAttribute("hx-swap-oob", `innerHTML:#${CSS.escape(place.id)}`)
}

/**
 * @param {DocumentFragment} content
 * @returns {HTMLElement[]}
 */
function patchesIn(content) {
  const nodes = [...content.childNodes].filter(
    (node) => node.nodeType === 1 || node.textContent?.trim(),
  )
  const patches = nodes.filter(
    (node) => node instanceof Element && node.hasAttribute("hx-swap-oob"),
  )
  const untargeted = nodes.filter((node) => node.nodeType !== 8).length - patches.length
  if (untargeted)
    console.warn(`bellwire: ${untargeted} part(s) of a frame name no target and are ignored`)
  return /** @type {HTMLElement[]} */ (patches)
}

/**
 * @param {HTMLElement} element
 * @returns {FrameAnswer[]}
 */
function answerIn(element) {
  const { bwAnswer, clientId, error: field } = element.dataset
  if (bwAnswer) return [{ element, clientId: bwAnswer, error: null, field: null }]
  if (!clientId || field === undefined) return []
  return [{ element, clientId, error: element.textContent?.trim() ?? "", field: field || null }]
}

// Changes the URL. A frame with its own `bw-at` navigates and adds a history entry; a frame without
// one renames the URL of the current content. Returns whether it navigated.
function changeAddress(
  /** @type {string | undefined} */ url,
  /** @type {string | undefined} */ at,
) {
  const next = url ? ownAddress(url, location.href) : null
  if (!next) return false
  if (at === undefined && lastLocation([document]) !== undefined) return rename(next)
  if (next.href === location.href) return false
  // htmx restores only entries with its mark; the entry that is left needs the mark as well.
  if (!history.state?.htmx) history.replaceState({ ...history.state, htmx: true }, "")
  history.pushState({ htmx: true }, "", next.href)
  return true
}

/** @param {URL} next */
function rename(next) {
  if (next.pathname !== location.pathname) {
    const rest = (next.search || location.search) + (next.hash || location.hash)
    history.replaceState(history.state, "", next.pathname + rest)
  }
  return false
}

/** @param {string | undefined} title */
function setTitle(title) {
  if (title) document.title = title
}

/**
 * @param {string | undefined} selector
 * @param {boolean} preventScroll
 */
function focusOn(selector, preventScroll) {
  const element = selector ? document.querySelector(selector) : null
  if (element instanceof HTMLElement) element.focus({ preventScroll })
}

/**
 * @typedef {object} Context
 * @property {any} htmx
 * @property {boolean} navigated
 * @property {boolean} isElsewhere whether it navigated to another path, whose fields are other ones
 * @property {Change[]} changes
 */

/**
 * @param {HTMLElement} patch
 * @param {Context} context
 */
async function applyPatch(patch, context) {
  const { dataset } = patch
  const [event, redirect, count] = [eventOf(dataset), dataset.bwRedirect, dataset.bwKeepLast]
  const { style, selector } = swapOf(
    patch.getAttribute("hx-swap-oob") ?? "",
    dataset.bwHow === "morph",
  )
  for (const name of INSTRUCTIONS) patch.removeAttribute(name)
  if (style !== "none") {
    for (const target of document.querySelectorAll(selector ?? `[id="${CSS.escape(patch.id)}"]`)) {
      await applyTo(target, patch, style, context)
      removeSurplus(target, count, style)
    }
  }
  if (event)
    document.dispatchEvent(new CustomEvent(event.name, { detail: event.detail, bubbles: true }))
  if (redirect) leaveFor(redirect)
  if ("bwReload" in dataset) location.reload()
}

/** @param {string} redirect */
function leaveFor(redirect) {
  const next = ownAddress(redirect, location.href)
  if (next) location.assign(next.href)
}

/**
 * @param {Element} target
 * @param {HTMLElement} patch
 * @param {string} style
 * @param {Context} context
 */
async function applyTo(target, patch, style, context) {
  const copy = /** @type {HTMLElement} */ (patch.cloneNode(true))
  if (INSERTS.includes(style)) await replaceKnown(copy, context)
  else if (style.startsWith("outer")) removePosition(copy, target)
  if (INSERTS.includes(style) && !copy.hasChildNodes()) return
  await swap(style, target, copy, context)
  markFields(target)
}

// Replaces elements that are in the page already in place, so that a repeated frame changes
// nothing.
async function replaceKnown(/** @type {HTMLElement} */ wrapper, /** @type {Context} */ context) {
  /** @type {Map<string, Element>} */
  const first = new Map()
  for (const child of [...wrapper.children].filter((each) => each.id)) {
    const known = document.getElementById(child.id)
    if (known) {
      child.remove()
      await swap("outerHTML", known, /** @type {HTMLElement} */ (child), {
        ...context,
        navigated: false,
      })
    } else {
      first.get(child.id)?.replaceWith(child)
    }
    first.set(child.id, child)
  }
}

// Removes the feed position from an element that is not itself the list: otherwise it would count
// as a second list of the feed.
function removePosition(/** @type {HTMLElement} */ element, /** @type {Element} */ target) {
  const { feed } = element.dataset
  if (feed === undefined || target.getAttribute("data-feed") === feed) return
  if (!document.querySelector(`[data-feed="${CSS.escape(feed)}"]`)) return
  element.removeAttribute("data-feed")
  element.removeAttribute("data-seq")
}

// Bounds a list. What somebody is typing in, or has opened, stays.
function removeSurplus(
  /** @type {Element} */ list,
  /** @type {string | undefined} */ count,
  /** @type {string} */ style,
) {
  for (const child of surplusOf([...list.children], count, style)) {
    if (!isInUse(child)) child.remove()
  }
}

/** @param {Element} element */
function isInUse(element) {
  const controls = /** @type {NodeListOf<any>} */ (element.querySelectorAll(CONTROLS))
  return (
    element.contains(document.activeElement) ||
    element.querySelector("[data-bw-keep]") !== null ||
    [...controls].some(hasUnsentValue)
  )
}

/**
 * @param {string} style
 * @param {Element} target
 * @param {HTMLElement} element
 * @param {Context} context
 */
async function swap(style, target, element, { htmx, navigated, isElsewhere, changes }) {
  const fragment = document.createDocumentFragment()
  fragment.append(element)
  changes.push(changeOf(target, style))
  if (!navigated && /^(inner|outer)/.test(style)) keepMarkedElements(target, element)
  const swapSpec = { style, strip: !style.startsWith("outer") }
  const task = { type: "oob", fragment, target, sourceElement: target, swapSpec }
  const focus = currentFocus()
  if (!isElsewhere && !element.hasAttribute("data-bw-fresh")) saveState(task)
  // Synchronous without transitions; its settle event calls `restoreState`.
  await htmx.insertContent(task, false)
  restoreFocus(focus, task.target)
}
