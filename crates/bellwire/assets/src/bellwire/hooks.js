// Hooks: functions of the app for elements with `bw-hook="name"`, called when such an element enters
// the page, after a swap that concerns it, and when it has left.

/**
 * @typedef {object} ElementHooks
 * @property {(element: Element) => void} [mounted]
 * @property {(element: Element) => void} [updated]
 * @property {(element: Element) => void} [removed]
 */

/**
 * The part of the page that a swap changes.
 *
 * @typedef {object} Change
 * @property {Node | null} node
 * @property {boolean} isDeep whether the elements inside of `node` may have changed as well
 */

/** @type {Map<string, ElementHooks>} */
const registered = new Map()
/** @type {Map<Element, ElementHooks>} */
const mounted = new Map()

/**
 * Registers the hooks of a name. Elements that are in the page are mounted at once.
 *
 * @param {string} name
 * @param {ElementHooks} hooks
 */
export function hook(name, hooks) {
  registered.set(name, hooks)
  if (document.readyState !== "loading") runHooks([])
}

/**
 * What the swap of this target will change; to be called before it.
 *
 * @param {unknown} target
 * @param {string} style
 * @returns {Change}
 */
export function changeOf(target, style) {
  if (!(target instanceof Element)) return { node: null, isDeep: false }
  const isOuter = /^(outerHTML|delete|beforebegin|afterend)/.test(style)
  return {
    node: isOuter ? target.parentElement : target,
    isDeep: !/^(outerHTML|delete|before|after)/.test(style),
  }
}

/**
 * Calls the hooks after these changes.
 *
 * @param {Change[]} changes
 */
export function runHooks(changes) {
  if (!registered.size) return
  for (const [element, hooks] of mounted) {
    if (!element.isConnected) leave(element, hooks)
    else if (changes.some((change) => concerns(change, element))) call(hooks.updated, element)
  }
  for (const element of document.querySelectorAll("[bw-hook]")) {
    const hooks = registered.get(element.getAttribute("bw-hook") ?? "")
    if (hooks && !mounted.has(element)) enter(element, hooks)
  }
}

/**
 * @param {Change} change
 * @param {Element} element
 */
function concerns({ node, isDeep }, element) {
  return node !== null && (element.contains(node) || (isDeep && node.contains(element)))
}

/**
 * @param {Element} element
 * @param {ElementHooks} hooks
 */
function enter(element, hooks) {
  mounted.set(element, hooks)
  call(hooks.mounted, element)
}

/**
 * @param {Element} element
 * @param {ElementHooks} hooks
 */
function leave(element, hooks) {
  mounted.delete(element)
  call(hooks.removed, element)
}

/**
 * @param {((element: Element) => void) | undefined} listener
 * @param {Element} element
 */
function call(listener, element) {
  try {
    listener?.(element)
  } catch (error) {
    console.error("bellwire: a hook failed", error)
  }
}
