// Links with `bw-send="Action"`: a plain click is sent over the socket while it is connected. Any
// other click follows the link as usual, and so does one that the server does not answer.

const ANSWER = 4_000 // ms to wait for an answer before the link is followed

let pending = 0 // the timer of the last click that was sent

/** Handles clicks. `link` represents the page: `{ connected(), send(action, data, element) }`. */
export function listenToLinks(link) {
  document.addEventListener("click", (event) => {
    const anchor = event.target.closest?.("a[bw-send]")
    if (!anchor || event.defaultPrevented || !isPlain(event) || !link.connected()) return
    const data = JSON.parse(anchor.getAttribute("bw-data") || "{}")
    if (link.send(anchor.getAttribute("bw-send"), data, anchor) === null) return
    event.preventDefault()
    const from = location.href
    clearTimeout(pending)
    if (anchor.href === from) return
    const mine = setTimeout(() => location.href === from && location.assign(anchor.href), ANSWER)
    pending = mine
    // With `bw-stay` the answer changes this page, and any frame counts as the answer to this
    // click.
    if (anchor.hasAttribute("bw-stay")) document.addEventListener("bellwire:applied", () => clearTimeout(mine), { once: true })
  })
  // A frame that navigates is the answer to the last click.
  document.addEventListener("bellwire:moved", () => clearTimeout(pending))
}

const isPlain = ({ button, ctrlKey, metaKey, shiftKey, altKey }) =>
  button === 0 && !(ctrlKey || metaKey || shiftKey || altKey)
