// Links with `bw-send="Action"`: a plain click travels over the socket while there is one. Everything else is a link like any other,
// and one that the server does not answer is followed.

const ANSWER = 4_000 // how long the way over the socket may take before the link is followed

let pending = 0 // the timer of the click that was sent last

/** `link` answers for the page: `{ connected(), send(action, data, element) }`. */
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
    // The answer comes into this page: any frame shows that the line is alive. It answers no click but this one.
    if (anchor.hasAttribute("bw-stay")) document.addEventListener("bellwire:applied", () => clearTimeout(mine), { once: true })
  })
  // A frame that leads elsewhere is the answer; a connection that ends has none.
  document.addEventListener("bellwire:moved", () => clearTimeout(pending))
}

const isPlain = ({ button, ctrlKey, metaKey, shiftKey, altKey }) =>
  button === 0 && !(ctrlKey || metaKey || shiftKey || altKey)
