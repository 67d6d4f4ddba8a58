// bellwire.js, the client of Bellwire: an htmx extension that keeps a page in sync with its server
// over one socket. htmx swaps, morphs, and handles history, links and forms; this file and its
// modules handle the socket, the actions, and the page state that must survive a swap.

import htmx from "./htmx.js"
import { settle, valuesOf } from "./bellwire/controls.js"
import { listen } from "./bellwire/forms.js"
import { focus, refocus, remember, restore } from "./bellwire/keep.js"
import { listenToLinks } from "./bellwire/links.js"
import { Page } from "./bellwire/page.js"
import { look } from "./bellwire/person.js"
import { onState, setState, state } from "./bellwire/state.js"

export { onState, state }

let page = null
let internal // htmx's functions for extensions

/**
 * Sends an action to the server. An action whose `data` has a `client_id` (an empty one is filled
 * in) is kept until it is answered, and sent again after a reconnect; returns its id. Without a
 * `client_id` it is sent now or never: returns `""`, or `null` if it was not sent.
 */
export function send(action, data = {}) {
  return page && !page.socket.final ? page.send(action, data) : null
}

/** Opens, keeps or closes the socket, according to the page's `bw-connect`. */
function follow() {
  const element = document.querySelector("[bw-connect]")
  const url = element?.getAttribute("bw-connect")
  if (page && (page.url !== url || (page.socket.final && page.element !== element))) {
    page.close()
    page = null
  }
  if (!url) return setState(null)
  if (!page) {
    setState("connecting")
    page = new Page(element, url, internal, follow)
  }
  page.element = element
}

const sentBy = new WeakMap() // request → the values of its form when it was sent
const focusBefore = new WeakMap() // request → the focus before its swap

htmx.registerExtension("bellwire", {
  init: (api) => (internal = api),
  // A boosted parent must not send by HTTP what is sent over the socket.
  htmx_before_init: (element) => !element.hasAttribute?.("bw-send"),
  htmx_config_request: (_, { ctx }) => {
    if (ctx.request.form) sentBy.set(ctx, valuesOf(ctx.request.form))
  },
  htmx_before_swap: (_, { ctx, tasks }) => {
    if (ctx.request?.headers?.["HX-History-Restore-Request"]) return
    if (ctx.response?.status < 400) settle(sentBy.get(ctx) ?? [])
    focusBefore.set(ctx, focus())
    tasks.forEach(remember)
  },
  htmx_before_settle: (_, { task }) => restore(task),
  htmx_after_swap: (_, { ctx }) => {
    refocus(focusBefore.get(ctx))
    follow()
    page?.compare()
  },
  // The server does not know which elements the user opened; only the user closes them.
  htmx_before_morph_attr: (element, { attrName, newValue }) =>
    !(attrName === "open" && newValue === null && !element.closest("[data-bw-fresh]")),
})

const connected = () => page !== null && page.socket.open && !page.socket.streaming

listen({
  usable: () => page !== null && !page.socket.final,
  connected,
  ended: () => page !== null && page.socket.final,
  send: (action, data, form) => page.send(action, data, form),
  part: (action, data, form) => page.part(action, data, form),
})
listenToLinks({ connected, send: (action, data, anchor) => page.send(action, data, anchor) })

addEventListener("online", () => page?.socket.online())
addEventListener("offline", () => page?.socket.offline())
document.addEventListener("visibilitychange", () => document.hidden || page?.socket.wake())
// An open socket would keep the page out of the browser's back/forward cache.
addEventListener("pagehide", () => page?.hide())
addEventListener("pageshow", async ({ persisted }) => {
  if (!persisted) return
  page?.show()
  // The user may have signed out or in since the page was left.
  if ((await look())?.same === false) location.reload()
})

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", follow)
else follow()
