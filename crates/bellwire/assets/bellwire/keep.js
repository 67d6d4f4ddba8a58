// Page state that survives a swap: focus, selection, scroll position, open details and dialogs,
// unsent text. `remember` runs before a swap and `restore` synchronously after it, so that the
// browser does not paint in between.

import { CONTROLS, halfTyped, idOf, isChoice, setValue, sortOf, valueOf } from "./controls.js"

const REPLACING = /^(inner|outer|text)/
const OPENABLE = "details[open], dialog[open], [popover]"

const memories = new WeakMap() // task → the state to restore after it

/** Saves the state that the swap `task` (htmx's `{target, fragment, swapSpec}`) would lose. */
export function remember(task) {
  const root = task.target
  if (!(root instanceof Element) || !REPLACING.test(task.swapSpec?.style)) return
  const all = [root, ...root.querySelectorAll("*")]
  const keep = (wanted, what) =>
    all.filter((each) => wanted(each) && !fresh(each)).map((each) => [addressOf(each, root), what(each)])
  memories.set(task, {
    path: location.pathname,
    live: keepAlive(task),
    focus: focus(root),
    values: keep((each) => each.matches(CONTROLS) && halfTyped(each), valueOf),
    open: keep((each) => each.matches(OPENABLE) && shown(each), shown),
    scroll: keep((each) => each.scrollTop || each.scrollLeft, scrollOf),
    around: ancestors(root).map((each) => [each, scrollOf(each)]),
  })
}

/** Restores the state that `remember` saved for this task. */
export function restore(task) {
  const memory = memories.get(task)
  memories.delete(task)
  // Another path is another page: fields of the same name must not receive text typed on the last
  // page.
  if (!memory || memory.path !== location.pathname) return
  const each = (entries, put) => {
    for (const [address, was] of entries) {
      const element = find(address, task.target)
      if (element && !fresh(element)) put(element, was)
    }
  }
  if (memory.live) copyAttributes(...memory.live)
  each(memory.values, setValue)
  each(memory.open, show)
  each(memory.scroll, scrollTo)
  for (const [element, was] of memory.around) scrollTo(element, was)
  refocus(memory.focus, task.target, true)
}

/**
 * Keeps elements that have an id and a child with `data-bw-keep` while `element` replaces an
 * element around them: in place of their successor, or next to their former neighbor.
 */
export function carry(target, element) {
  for (const kept of target.querySelectorAll("[id]:has(> [data-bw-keep])")) {
    const twin = byId(element, kept.id) ?? placeFor(kept, element)
    twin.setAttribute("hx-preserve", "") // htmx moves the existing element there
  }
}

// Creates a placeholder for a kept element without a successor: for example, newer items have
// pushed it off its page while the user works in it.
function placeFor(kept, element) {
  const twin = document.createElement(kept.localName)
  twin.id = kept.id
  const successor = (side) => {
    for (let each = kept[side]; each; each = each[side]) {
      const found = each.id && byId(element, each.id)
      if (found) return found
    }
  }
  const [before, after] = [successor("previousElementSibling"), successor("nextElementSibling")]
  if (before) before.after(twin)
  else if (after) after.before(twin)
  else (byId(element, kept.parentElement.id) ?? element).append(twin)
  return twin
}

const byId = (root, id) => (id ? root.querySelector(`[id="${CSS.escape(id)}"]`) : null)

/** The current focus, for `refocus`; `root` is the element that is about to be replaced. */
export function focus(root) {
  const element = document.activeElement
  if (!element || element === document.body) return null
  const { selectionStart, selectionEnd, selectionDirection } = element
  const selection = selectionStart == null ? null : [selectionStart, selectionEnd, selectionDirection]
  const address = root?.contains(element) && !fresh(element) ? addressOf(element, root) : null
  return { element, address, selection, typing: element.matches(CONTROLS), path: location.pathname }
}

/**
 * Restores the focus after a swap. Unless `always` is set, `autofocus` in the new content wins,
 * except over a control in which the user was typing.
 */
export function refocus(was, root, always = false) {
  if (!was || was.path !== location.pathname || document.activeElement === was.element) return
  if (!always && !was.typing && document.activeElement !== document.body) return
  const element = was.element.isConnected ? was.element : was.address && find(was.address, root)
  if (!element || fresh(element)) return
  element.focus({ preventScroll: true })
  try {
    if (was.selection) element.setSelectionRange(...was.selection)
  } catch {
    // Some input types do not support selection.
  }
}

const fresh = (element) => element.closest("[data-bw-fresh]") !== null

function shown(element) {
  if (matches(element, ":popover-open")) return "popover"
  if (!element.open) return null
  return matches(element, ":modal") ? "modal" : "open"
}

function show(element, how) {
  if (shown(element) === how) return
  if (how === "popover") return element.showPopover?.()
  element.open = how === "open" // `showModal` throws for a dialog that is open non-modally
  if (how === "modal") element.showModal()
}

const matches = (element, selector) => CSS.supports(`selector(${selector})`) && element.matches(selector)

const scrollOf = (element) => [element.scrollTop, element.scrollLeft]

// Writes only changed values: a write would end the browser's own scroll anchoring, which is
// better.
function scrollTo(element, [top, left]) {
  if (element.scrollTop !== top) element.scrollTop = top
  if (element.scrollLeft !== left) element.scrollLeft = left
}

function ancestors(element) {
  const found = []
  for (let each = element.parentElement; each; each = each.parentElement) {
    if (each.scrollHeight > each.clientHeight || each.scrollWidth > each.clientWidth) found.push(each)
  }
  return found
}

// Keeps the element itself in which the user types (htmx: hx-preserve), if it has an id: a copy
// would lose the undo history and an unfinished composition of an input method.
function keepAlive({ target, fragment, swapSpec }) {
  const element = document.activeElement
  if (!/HTML$/.test(swapSpec.style) || element === target || !target.contains(element)) return null
  if (!element.id || !element.matches("textarea, input") || fresh(element) || !halfTyped(element)) return null
  const twin = fragment.querySelector(`[id="${CSS.escape(element.id)}"]`)
  if (!twin || twin.type !== element.type || !isSuccessor(twin, addressOf(element, target)) || fresh(twin)) return null
  const copy = twin.cloneNode(true)
  twin.setAttribute("hx-preserve", "")
  return [element, copy]
}

function copyAttributes(element, from) {
  const ours = ({ name }) => !/^(style$|hx-|data-hx-|data-htmx-)/.test(name)
  for (const { name } of [...element.attributes].filter(ours))
    if (!from.hasAttribute(name)) element.removeAttribute(name)
  for (const { name, value } of [...from.attributes].filter(ours)) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value)
  }
  if (element.tagName === "TEXTAREA") element.defaultValue = from.defaultValue
}

// The address of an element, by which its successor is found: its id, or else its kind and its
// index below the nearest id.
function addressOf(element, root) {
  const { id, localName: tag } = element
  const address = { id, tag, self: element === root, kind: kindOf(element), label: labelOf(element) }
  if (id || address.self) return address
  const near = element.parentElement.closest("[id]")
  const scope = near && root.contains(near) ? near : root
  return { ...address, scope: scope === root ? null : scope.id, index: peers(scope, address).indexOf(element) }
}

function find(address, root) {
  if (address.id || address.self) {
    const element = address.id ? document.getElementById(address.id) : root
    return element && isSuccessor(element, address) ? element : null
  }
  const scope = address.scope === null ? root : document.getElementById(address.scope)
  return scope ? peers(scope, address)[address.index] : null
}

const isSuccessor = (element, { kind }) => kindOf(element) === kind

const peers = (scope, address) =>
  [...scope.querySelectorAll(address.tag)].filter(
    (each) => !each.id && isSuccessor(each, address) && labelOf(each) === address.label,
  )

// The kind includes the form's action: the same field in the form of another room is another field.
const kindOf = (element) =>
  [element.localName, element.matches(CONTROLS) && sortOf(element), element.form?.getAttribute("action")].join(" ")

// A label that distinguishes an element without an id from others of its kind.
function labelOf(element) {
  if (element.localName === "details") return element.querySelector("summary")?.textContent.trim()
  return [element.name, idOf(element.form), isChoice(element) && element.value].join(" ")
}
