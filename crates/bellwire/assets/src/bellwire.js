// bellwire.js, the client of Bellwire: an htmx extension that keeps a page in sync with its server
// over one socket. htmx swaps, morphs, and handles history, links and forms; this file and its
// modules handle the socket, the actions, and the page state that must survive a swap.

import { beginBusy, endBusy } from "./bellwire/busy.js"
import { listenToChanges } from "./bellwire/changes.js"
import { listenToClicks } from "./bellwire/clicks.js"
import { markReceived, valuesOf } from "./bellwire/controls.js"
import { clearErrors } from "./bellwire/field-errors.js"
import { fieldsOf, renewClientId, repairText } from "./bellwire/fields.js"
import { listenToForms } from "./bellwire/forms.js"
import { changeOf, hook, runHooks } from "./bellwire/hooks.js"
import { dropFormerPages, Page, postForm } from "./bellwire/page.js"
import { currentFocus, restoreFocus, restoreState, saveState } from "./bellwire/preserve.js"
import { checkSession } from "./bellwire/session.js"
import { offerSignIn, onState, setState, state } from "./bellwire/state.js"
import htmx from "./htmx.js"

/** @typedef {import("./bellwire/hooks.js").Change} Change */
/** @typedef {import("../bellwire.d.ts").Bellwire} Bellwire */

/** @type {Page | null} */
let page = null
/** @type {any} htmx's functions for extensions */
let internal

/** @type {Bellwire["send"]} */
export const send = (action, data = {}) =>
  page && !page.socket.isFinal ? page.send(action, data, null) : null

/** @type {Bellwire["post"]} */
export async function post(form) {
  repairText(form)
  renewClientId(form)
  clearErrors(form)
  const values = valuesOf(form)
  beginBusy(form)
  const outcome = await postForm(form, fieldsOf(form).fields)
  endBusy(form)
  if (outcome.result === "accepted") markReceived(values)
  if (outcome.result === "unanswered") offerSignIn(outcome.session.url)
  return { error: null, field: null, ...outcome }
}

/** @type {Bellwire["cancel"]} */
export const cancel = (id) => page?.cancel(id) ?? false

/** @type {Bellwire["reconnect"]} */
export const reconnect = () => page?.reconnect()

/** @type {Bellwire["pending"]} */
export const pending = () => page?.pending() ?? []

export { hook, onState, state }

/** @type {Bellwire} */
const bellwire = { send, post, cancel, reconnect, state, onState, pending, hook }
globalThis.bellwire = bellwire
export default bellwire

/** Opens, keeps or closes the connection, according to the page's `bw-connect`. */
function followPage() {
  const element = document.querySelector("[bw-connect]")
  const url = element?.getAttribute("bw-connect")
  if (page && (page.url !== url || (page.socket.isFinal && page.element !== element))) {
    page.close()
    page = null
  }
  if (!element || !url) return setState(null)
  page ??= new Page(element, url, internal, changed)
  page.element = element
}

/** @param {Change[]} changes */
function changed(changes) {
  followPage()
  runHooks(changes)
}

/** @type {WeakMap<object, ReturnType<typeof valuesOf>>} request → the values of its form when it was sent */
const sentValues = new WeakMap()
/** @type {WeakMap<object, { focus: ReturnType<typeof currentFocus>, changes: Change[] }>} request → the page before its swap */
const before = new WeakMap()

htmx.registerExtension("bellwire", {
  init: (/** @type {any} */ api) => {
    internal = api
  },
  // A boosted parent must not send by HTTP what is sent over the socket.
  htmx_before_init: (/** @type {Element} */ element) => !element.hasAttribute?.("bw-send"),
  htmx_config_request: (/** @type {unknown} */ _, /** @type {any} */ { ctx }) => {
    if (ctx.request.form) sentValues.set(ctx, valuesOf(ctx.request.form))
  },
  htmx_before_swap: (/** @type {unknown} */ _, /** @type {any} */ { ctx, tasks }) => {
    const changes = tasks.map((/** @type {any} */ { target, swapSpec }) =>
      changeOf(target, swapSpec?.style ?? ""),
    )
    const isRestore = ctx.request?.headers?.["HX-History-Restore-Request"]
    before.set(ctx, { focus: isRestore ? null : currentFocus(), changes })
    if (isRestore) return
    if (ctx.response?.status < 400) markReceived(sentValues.get(ctx) ?? [])
    tasks.forEach(saveState)
  },
  htmx_before_settle: (/** @type {unknown} */ _, /** @type {any} */ { task }) => restoreState(task),
  htmx_after_swap: (/** @type {unknown} */ _, /** @type {any} */ { ctx }) => {
    const { focus = null, changes = [] } = before.get(ctx) ?? {}
    restoreFocus(focus)
    changed(changes)
    page?.synchronize()
  },
  // The server does not know which elements the user opened; only the user closes them.
  htmx_before_morph_attr: (
    /** @type {Element} */ element,
    /** @type {any} */ { attrName, newValue },
  ) => !(attrName === "open" && newValue === null && !element.closest("[data-bw-fresh]")),
})

const currentPage = () => page
listenToForms(currentPage)
listenToClicks(currentPage)
listenToChanges(currentPage)

addEventListener("online", () => page?.socket.online())
addEventListener("offline", () => page?.socket.offline())
document.addEventListener("visibilitychange", () => document.hidden || page?.socket.wake())
// An open socket would keep the page out of the browser's back/forward cache.
addEventListener("pagehide", () => page?.hide())
addEventListener("pageshow", async ({ persisted }) => {
  if (!persisted) return
  page?.show()
  // The user may have signed out or in since the page was left.
  if ((await checkSession())?.same === false) location.reload()
})

function start() {
  queueMicrotask(dropFormerPages) // after the page's own scripts have added listeners
  changed([])
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start)
else start()
