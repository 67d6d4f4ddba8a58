// Drafts: unsent text of a page that the user leaves to sign in again, restored for the same user
// on the same page.

import { halfTyped, idOf, setValue, sortOf, valuesOf } from "./controls.js"

const key = (url) => `bellwire:draft:${document.documentElement.dataset.user ?? ""}:${url}`

export function keep(url) {
  const forms = [...document.querySelectorAll("form[id][bw-send]")]
  const drafts = forms.flatMap((form) =>
    valuesOf(form)
      .filter(([control]) => control.name && sortOf(control) === "text" && control.type !== "password" && halfTyped(control))
      .map(([control, value]) => [idOf(form), control.name, value]),
  )
  if (drafts.length) store((storage) => storage.setItem(key(url), JSON.stringify(drafts)))
}

/** Restores the drafts into controls that have no newer unsent text. */
export function restore(url) {
  const drafts = store((storage) => JSON.parse(storage.getItem(key(url))))
  forget(url)
  for (const [form, name, value] of drafts ?? []) {
    const control = document.getElementById(form)?.elements.namedItem(name)
    if (!control?.matches?.("textarea, input, select") || halfTyped(control)) continue
    setValue(control, value)
    control.dispatchEvent(new Event("input", { bubbles: true }))
  }
}

export const forget = (url) => store((storage) => storage.removeItem(key(url)))

function store(action) {
  try {
    return action(sessionStorage)
  } catch {
    return null // no storage, no drafts
  }
}
