// bellwire.js, the browser half of Bellwire: an htmx extension that keeps a page in step with its server over one socket.
// htmx swaps, morphs, keeps history and serves links and forms; here is the socket, what is sent, and what must survive.

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
 * Asks the server to do something. `data` with a `client_id` (an empty one is filled) is kept until it is answered and
 * sent again after a reconnect; its id is returned. Without, it is sent now or never: `""`, or `null` when it was not.
 */
export function send(action, data = {}) {
  return page && !page.socket.final ? page.send(action, data) : null
}

/** Opens, keeps or closes the socket, as the page has `bw-connect`. */
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

const sentBy = new WeakMap() // request → what its form held when it was sent
const focusBefore = new WeakMap() // request → who had the focus

htmx.registerExtension("bellwire", {
  init: (api) => (internal = api),
  // A boosted parent must not send by HTTP what we send over the socket.
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
  // The server knows nothing of what a person opened; only the person closes it.
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
  // Somebody may have signed out, or in, since it was left.
  if ((await look())?.same === false) location.reload()
})

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", follow)
else follow()
