// Frames: HTML in which every top-level element names its target (`hx-swap-oob`). htmx swaps them
// in, one after the other.

import { idOf } from "./controls.js"
import { carry, focus, refocus, remember } from "./keep.js"
import { emit } from "./state.js"
import { said } from "./where.js"
import { mark } from "./wrong.js"

const STYLES = {
  true: "outerHTML",
  append: "beforeend",
  prepend: "afterbegin",
  before: "beforebegin",
  after: "afterend",
}
const MORPHS = { innerHTML: "innerMorph", outerHTML: "outerMorph" }
const INSERTS = ["beforebegin", "afterbegin", "beforeend", "afterend"]
const ORDERS = ["hx-swap-oob", "data-bw-how", "data-bw-url", "data-bw-title", "data-bw-focus"]

/** Parses a frame: its elements, and their attributes about feeds, answers and the page. */
export function read(text) {
  const template = document.createElement("template")
  // The HTML comes from the site's own server, like the page; scripts parsed this way never run.
  template.innerHTML = text
  const nodes = [...template.content.childNodes].filter((node) => node.nodeType === 1 || node.textContent.trim())
  const patches = nodes.filter((node) => node.nodeType === 1 && node.hasAttribute("hx-swap-oob"))
  const strangers = nodes.filter((node) => node.nodeType !== 8).length - patches.length
  if (strangers) console.warn(`bellwire: ${strangers} part(s) of a frame say not where they go and are ignored`)
  const marked = patches.findLast((patch) => patch.dataset.feed && patch.dataset.seq)
  const said = (name) => patches.find((patch) => name in patch.dataset)?.dataset[name]
  return {
    patches,
    answers: [...template.content.querySelectorAll("[data-client-id]")].map(answer),
    feed: marked?.dataset.feed,
    seq: marked?.dataset.seq,
    page: { url: said("bwUrl"), title: said("bwTitle"), focusOn: said("bwFocus") },
  }
}

/** Applies a frame to the page. A part that fails does not stop the others. */
export async function apply({ patches, page }, htmx) {
  let moved = false // to another URL: the page then scrolls to its top, as after any link
  const steps = [
    () => (moved = Boolean(page.url) && lead(page.url, said(patches))),
    ...patches.map((patch) => () => place(patch, htmx, moved)),
    () => page.title && (document.title = page.title),
    () => page.focusOn && document.querySelector(page.focusOn)?.focus({ preventScroll: moved }),
    () => moved && scrollTo({ top: 0, left: 0, behavior: "instant" }),
    () => moved && emit(document, "moved", { url: location.href }),
  ]
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      console.error("bellwire: a part of a frame could not be applied", error)
    }
  }
}

function answer(element) {
  const { clientId, error: field } = element.dataset
  return { element, clientId, field: field || null, error: field === undefined ? null : element.textContent.trim() }
}

/**
 * Directs an error to the form that sent the action, since several forms of a page may have a field
 * of the same name. The form needs an element for it: `error--<field>--…`, or
 * `error--<the form's id>` for an error about the whole.
 */
export function aim({ element, field }, form) {
  const isPlace = ({ id }) => (field ? id.startsWith(`error--${field}--`) : id === `error--${idOf(form)}`)
  const place = form && [...form.querySelectorAll('[id^="error--"]')].find(isPlace)
  if (place) element.setAttribute("hx-swap-oob", `innerHTML:#${CSS.escape(place.id)}`)
}

// Changes the URL. A frame with its own `bw-at` navigates and adds a history entry; a frame without
// one renames the URL of the current content. Returns whether it navigated.
function lead(url, at) {
  const next = new URL(url, location.href)
  if (next.origin !== location.origin) {
    console.warn("bellwire: a frame cannot lead to another site")
    return false
  }
  if (at === undefined && said([document]) !== undefined) return rename(next)
  if (next.href === location.href) return false
  // htmx restores only entries with its mark; the entry that is left needs the mark as well.
  if (!history.state?.htmx) history.replaceState({ ...history.state, htmx: true }, "")
  history.pushState({ htmx: true }, "", next.href)
  return true
}

function rename(next) {
  if (next.pathname !== location.pathname) {
    const rest = (next.search || location.search) + (next.hash || location.hash)
    history.replaceState(history.state, "", next.pathname + rest)
  }
  return false
}

async function place(patch, htmx, moved) {
  const [, how, selector] = patch.getAttribute("hx-swap-oob").match(/^([^\s:]*)(?::(.+))?/s)
  const targets = document.querySelectorAll(selector ?? `[id="${CSS.escape(patch.id)}"]`)
  const plain = STYLES[how || "true"] ?? how
  const style = (patch.dataset.bwHow === "morph" && MORPHS[plain]) || plain
  for (const name of ORDERS) patch.removeAttribute(name)
  for (const target of targets) {
    const copy = patch.cloneNode(true)
    if (INSERTS.includes(style)) await replaceKnown(copy, htmx)
    else if (style.startsWith("outer")) unmark(copy, target)
    if (style === "delete" || style.startsWith("outer") || copy.hasChildNodes() || style.startsWith("inner")) {
      await swap(style, target, copy, htmx, moved)
      mark(target)
    }
  }
}

// Replaces elements that are in the page already in place, so that a repeated frame changes
// nothing.
async function replaceKnown(wrapper, htmx) {
  const first = new Map()
  for (const child of [...wrapper.children].filter((each) => each.id)) {
    const known = document.getElementById(child.id)
    if (known) {
      child.remove()
      await swap("outerHTML", known, child, htmx)
    } else if (first.has(child.id)) {
      first.get(child.id).replaceWith(child)
    }
    first.set(child.id, child)
  }
}

// Removes the feed position from an element that is not itself the list: otherwise it would count
// as a second list of the feed.
function unmark(element, target) {
  const { feed } = element.dataset
  if (feed === undefined || target.dataset.feed === feed) return
  if (!document.querySelector(`[data-feed="${CSS.escape(feed)}"]`)) return
  element.removeAttribute("data-feed")
  element.removeAttribute("data-seq")
}

async function swap(style, target, element, htmx, moved = false) {
  const fragment = document.createDocumentFragment()
  fragment.append(element)
  if (!moved && /^(inner|outer)HTML$/.test(style)) carry(target, element)
  const task = {
    type: "oob",
    fragment,
    target,
    sourceElement: target,
    swapSpec: { style, strip: !style.startsWith("outer") },
  }
  const was = focus()
  if (!element.hasAttribute("data-bw-fresh")) remember(task)
  // Synchronous without transitions; its settle event calls `restore`.
  await htmx.insertContent(task, false)
  refocus(was, task.target)
}
