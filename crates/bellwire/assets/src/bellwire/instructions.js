// What a frame says about the page in attributes, as decisions that need no page.

/** @type {Record<string, string>} */
const STYLES = {
  true: "outerHTML",
  append: "beforeend",
  prepend: "afterbegin",
  before: "beforebegin",
  after: "afterend",
}
/** @type {Record<string, string>} */
const MORPHS = { innerHTML: "innerMorph", outerHTML: "outerMorph" }

/**
 * The swap that `hx-swap-oob` names, as htmx's style and a selector; without a selector the target
 * has the id of the element.
 *
 * @param {string} value
 * @param {boolean} isMorph
 * @returns {{ style: string, selector: string | undefined }}
 */
export function swapOf(value, isMorph = false) {
  const [, how = "", selector] = /^([^\s:]*)(?::(.+))?/s.exec(value) ?? []
  const plain = STYLES[how || "true"] ?? how
  return { style: (isMorph && MORPHS[plain]) || plain, selector }
}

/**
 * The event that a frame raises.
 *
 * @param {DOMStringMap} dataset of the element in the frame
 * @returns {{ name: string, detail: unknown } | null}
 */
export function eventOf({ bwEvent, bwDetail }) {
  return bwEvent ? { name: bwEvent, detail: JSON.parse(bwDetail || "null") } : null
}

/**
 * The address to which a frame leads, if it is on this site.
 *
 * @param {string} url
 * @param {string} base the address of the page
 * @returns {URL | null}
 */
export function ownAddress(url, base) {
  try {
    const next = new URL(url, base)
    if (/^https?:$/.test(next.protocol) && next.origin === new URL(base).origin) return next
  } catch {
    // It is no address at all.
  }
  console.warn(`bellwire: a frame cannot lead to another site: ${url}`)
  return null
}

/**
 * The children that a list loses by `data-bw-keep-last`: the first ones after an append, the last
 * ones after a prepend.
 *
 * @template T
 * @param {T[]} children
 * @param {string | undefined} count
 * @param {string} style
 * @returns {T[]}
 */
export function surplusOf(children, count, style) {
  if (!/^[0-9]+$/.test(count ?? "")) return []
  const surplus = Math.max(0, children.length - Number(count))
  if (style === "beforeend") return children.slice(0, surplus)
  return style === "afterbegin" ? children.slice(children.length - surplus) : []
}
