// Page state that survives a swap: focus, selection, scroll position, open details and dialogs,
// unsent text. `saveState` runs before a swap and `restoreState` synchronously after it, so that
// the browser does not paint in between.

import {
  CONTROLS,
  hasUnsentValue,
  idOf,
  isChoice,
  kindOfValue,
  readValue,
  setValue,
} from "./controls.js"

const REPLACING = /^(inner|outer|text)/
const OPENABLE = "details[open], dialog[open], [popover]"

/**
 * A swap of htmx.
 *
 * @typedef {object} Task
 * @property {any} target
 * @property {DocumentFragment} fragment
 * @property {{ style: string }} swapSpec
 */

/**
 * The address of an element, by which its successor is found: its id, or else its kind, its label
 * and its index below the nearest id.
 *
 * @typedef {object} Address
 * @property {string} id
 * @property {string} tag
 * @property {boolean} isRoot
 * @property {string} kind
 * @property {string | undefined} label
 * @property {string | null} [scope] the id of the nearest element; `null` for the root
 * @property {number} [index]
 */

/** @typedef {[Address, any][]} Entries */

/**
 * @typedef {object} Saved
 * @property {string} path
 * @property {[element: any, copy: any] | null} typing
 * @property {Focus | null} focus
 * @property {Entries} values
 * @property {Entries} open
 * @property {Entries} scroll
 * @property {[Element, number[]][]} around
 */

/**
 * @typedef {object} Focus
 * @property {any} element
 * @property {Address | null} address
 * @property {any[] | null} selection
 * @property {boolean} isTyping
 * @property {string} path
 */

/** @type {WeakMap<Task, Saved>} the state to restore after a swap */
const saved = new WeakMap()

/**
 * Saves the state that a swap would lose.
 *
 * @param {Task} task
 */
export function saveState(task) {
  const root = task.target
  if (!(root instanceof Element) || !REPLACING.test(task.swapSpec?.style)) return
  const all = [root, ...root.querySelectorAll("*")]
  const collect = (
    /** @type {(each: any) => any} */ isWanted,
    /** @type {(each: any) => any} */ read,
  ) =>
    all
      .filter((each) => isWanted(each) && !isFresh(each))
      .map((each) => /** @type {[Address, any]} */ ([addressOf(each, root), read(each)]))
  saved.set(task, {
    path: location.pathname,
    typing: keepTyping(task),
    focus: currentFocus(root),
    values: collect((each) => each.matches(CONTROLS) && hasUnsentValue(each), readValue),
    open: collect((each) => each.matches(OPENABLE) && opennessOf(each), opennessOf),
    scroll: collect((each) => each.scrollTop || each.scrollLeft, scrollOf),
    around: scrollersAround(root).map((each) => [each, scrollOf(each)]),
  })
}

/**
 * Restores the state that `saveState` saved for this swap.
 *
 * @param {Task} task
 */
export function restoreState(task) {
  const state = saved.get(task)
  saved.delete(task)
  // Another path is another page: fields of the same name must not receive text typed on the last
  // page.
  if (!state || state.path !== location.pathname) return discardTyping(state?.typing)
  const apply = (
    /** @type {Entries} */ entries,
    /** @type {(element: any, value: any) => void} */ set,
  ) => {
    for (const [address, value] of entries) {
      const element = findSuccessor(address, task.target)
      if (element && !isFresh(element)) set(element, value)
    }
  }
  if (state.typing) copyAttributes(...state.typing)
  apply(state.values, setValue)
  apply(state.open, setOpenness)
  apply(state.scroll, scrollTo)
  for (const [element, position] of state.around) scrollTo(element, position)
  restoreFocus(state.focus, task.target, true)
}

/**
 * Keeps elements that have an id and a child with `data-bw-keep` while `element` replaces an
 * element around them: in place of their successor, or next to their former neighbor.
 *
 * @param {Element} target
 * @param {Element} element
 */
export function keepMarkedElements(target, element) {
  for (const kept of target.querySelectorAll("[id]:has(> [data-bw-keep])")) {
    const successor = byId(element, kept.id) ?? placeholderFor(kept, element)
    successor.setAttribute("hx-preserve", "") // htmx moves the existing element there
  }
}

// Creates a placeholder for a kept element without a successor: for example, newer items have
// pushed it off its page while the user works in it.
function placeholderFor(/** @type {Element} */ kept, /** @type {Element} */ element) {
  const placeholder = document.createElement(kept.localName)
  placeholder.id = kept.id
  const [before, after] = [
    neighborIn(element, kept, "previousElementSibling"),
    neighborIn(element, kept, "nextElementSibling"),
  ]
  if (before) before.after(placeholder)
  else if (after) after.before(placeholder)
  else (byId(element, kept.parentElement?.id) ?? element).append(placeholder)
  return placeholder
}

/**
 * The successor, in `element`, of the nearest sibling that has one.
 *
 * @param {Element} element
 * @param {Element} kept
 * @param {"previousElementSibling" | "nextElementSibling"} side
 */
function neighborIn(element, kept, side) {
  for (let each = kept[side]; each; each = each[side]) {
    const found = byId(element, each.id)
    if (found) return found
  }
  return null
}

/**
 * @param {Element} root
 * @param {string | undefined} id
 */
const byId = (root, id) => (id ? root.querySelector(`[id="${CSS.escape(id)}"]`) : null)

/**
 * The current focus, for `restoreFocus`; `root` is the element that is about to be replaced.
 *
 * @param {Element} [root]
 * @returns {Focus | null}
 */
export function currentFocus(root) {
  const element = /** @type {any} */ (document.activeElement)
  if (!element || element === document.body) return null
  const { selectionStart, selectionEnd, selectionDirection } = element
  const selection =
    selectionStart == null ? null : [selectionStart, selectionEnd, selectionDirection]
  const address = root?.contains(element) && !isFresh(element) ? addressOf(element, root) : null
  return {
    element,
    address,
    selection,
    isTyping: element.matches(CONTROLS),
    path: location.pathname,
  }
}

/**
 * Restores the focus after a swap. Unless `always` is set, `autofocus` in the new content wins,
 * except over a control in which the user was typing.
 *
 * @param {Focus | null | undefined} focus
 * @param {any} [root]
 * @param {boolean} [always]
 */
export function restoreFocus(focus, root, always = false) {
  if (!focus || focus.path !== location.pathname || document.activeElement === focus.element) return
  if (!always && !focus.isTyping && document.activeElement !== document.body) return
  const element = focus.element.isConnected
    ? focus.element
    : focus.address && findSuccessor(focus.address, root)
  if (!element || isFresh(element)) return
  element.focus({ preventScroll: true })
  try {
    if (focus.selection) element.setSelectionRange(...focus.selection)
  } catch {
    // Some input types do not support selection.
  }
}

/** @param {Element} element */
const isFresh = (element) => element.closest("[data-bw-fresh]") !== null

/** @param {any} element */
function opennessOf(element) {
  if (matches(element, ":popover-open")) return "popover"
  if (!element.open) return null
  return matches(element, ":modal") ? "modal" : "open"
}

/**
 * @param {any} element
 * @param {string} openness
 */
function setOpenness(element, openness) {
  if (opennessOf(element) === openness) return
  if (openness === "popover") return element.showPopover?.()
  element.open = openness === "open" // `showModal` throws for a dialog that is open non-modally
  if (openness === "modal") element.showModal()
}

/**
 * @param {Element} element
 * @param {string} selector
 */
const matches = (element, selector) =>
  CSS.supports(`selector(${selector})`) && element.matches(selector)

/** @param {Element} element */
const scrollOf = (element) => [element.scrollTop, element.scrollLeft]

// Writes only changed values: a write would end the browser's own scroll anchoring, which is
// better.
function scrollTo(/** @type {Element} */ element, /** @type {number[]} */ [top, left]) {
  if (element.scrollTop !== top) element.scrollTop = top
  if (element.scrollLeft !== left) element.scrollLeft = left
}

/** @param {Element} element */
function scrollersAround(element) {
  const found = []
  for (let each = element.parentElement; each; each = each.parentElement) {
    if (each.scrollHeight > each.clientHeight || each.scrollWidth > each.clientWidth)
      found.push(each)
  }
  return found
}

// Keeps the element itself in which the user types (htmx: hx-preserve), if it has an id: a copy
// would lose the undo history and an unfinished composition of an input method.
function keepTyping(/** @type {Task} */ { target, fragment, swapSpec }) {
  const element = /** @type {any} */ (document.activeElement)
  if (!/HTML$/.test(swapSpec.style) || element === target || !target.contains(element)) return null
  if (
    !element.id ||
    !element.matches("textarea, input") ||
    isFresh(element) ||
    !hasUnsentValue(element)
  )
    return null
  const successor = /** @type {any} */ (fragment.querySelector(`[id="${CSS.escape(element.id)}"]`))
  if (!successor || successor.type !== element.type || isFresh(successor)) return null
  if (!isOfKind(successor, addressOf(element, target))) return null
  const copy = successor.cloneNode(true)
  successor.setAttribute("hx-preserve", "")
  return /** @type {[any, any]} */ ([element, copy])
}

// The element in which the user typed has been moved into another page.
function discardTyping(/** @type {Saved["typing"] | undefined} */ typing) {
  if (typing) setValue(typing[0], typing[1].value)
}

/**
 * @param {any} element
 * @param {any} source
 */
function copyAttributes(element, source) {
  const isServers = (/** @type {Attr} */ { name }) =>
    !/^(style$|hx-|data-hx-|data-htmx-)/.test(name)
  for (const { name } of [...element.attributes].filter(isServers)) {
    if (!source.hasAttribute(name)) element.removeAttribute(name)
  }
  for (const { name, value } of [...source.attributes].filter(isServers)) {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value)
  }
  if (element.tagName === "TEXTAREA") element.defaultValue = source.defaultValue
}

/**
 * @param {any} element
 * @param {Element} root
 * @returns {Address}
 */
function addressOf(element, root) {
  const { id, localName: tag } = element
  const isRoot = element === root
  const address = { id, tag, isRoot, kind: kindOf(element), label: labelOf(element) }
  if (id || isRoot) return address
  const near = element.parentElement.closest("[id]")
  const scope = near && root.contains(near) ? near : root
  return {
    ...address,
    scope: scope === root ? null : scope.id,
    index: peersOf(scope, address).indexOf(element),
  }
}

/**
 * @param {Address} address
 * @param {Element} root
 */
function findSuccessor(address, root) {
  if (address.id || address.isRoot) {
    const element = address.id ? document.getElementById(address.id) : root
    return element && isOfKind(element, address) ? element : null
  }
  const scope = address.scope == null ? root : document.getElementById(address.scope)
  return scope ? peersOf(scope, address)[address.index ?? -1] : null
}

/**
 * @param {Element} element
 * @param {Address} address
 */
const isOfKind = (element, { kind }) => kindOf(element) === kind

/**
 * @param {Element} scope
 * @param {Address} address
 */
const peersOf = (scope, address) =>
  [...scope.querySelectorAll(address.tag)].filter(
    (each) => !each.id && isOfKind(each, address) && labelOf(each) === address.label,
  )

// The kind includes the form's action: the same field in the form of another room is another field.
const kindOf = (/** @type {any} */ element) =>
  [
    element.localName,
    element.matches(CONTROLS) && kindOfValue(element),
    element.form?.getAttribute("action"),
  ].join(" ")

// A label that distinguishes an element without an id from others of its kind.
function labelOf(/** @type {any} */ element) {
  if (element.localName === "details") return element.querySelector("summary")?.textContent.trim()
  return [element.name, idOf(element.form), isChoice(element) && element.value].join(" ")
}
