// Drafts: unsent text of a page that the user leaves to sign in again, restored for the same user
// on the same page. A page without an owner restores them after a hello for the same person.

import { hasUnsentValue, idOf, kindOfValue, setValue, valuesOf } from "./controls.js"
import { tabStorage } from "./storage.js"
import { draftsKey } from "./unowned.js"

/** @typedef {[form: string, name: string, value: string]} Draft */

/**
 * @param {string} url the address of the page's socket
 * @param {string | null} owner the person for whom the page was made
 */
export function keepDrafts(url, owner) {
  /** @type {HTMLFormElement[]} */
  const forms = [...document.querySelectorAll(/** @type {"form"} */ ("form[id][bw-send]"))]
  const drafts = forms.flatMap(draftsOf)
  if (drafts.length) tabStorage.set(draftsKey(owner, url), drafts)
}

/**
 * Restores the drafts into controls that have no newer unsent text.
 *
 * @param {string} url
 * @param {string | null} owner
 */
export function restoreDrafts(url, owner) {
  /** @type {Draft[]} */
  const drafts = tabStorage.get(draftsKey(owner, url)) ?? []
  forgetDrafts(url, owner)
  for (const draft of drafts) restore(draft)
}

/**
 * @param {string} url
 * @param {string | null} owner
 */
export const forgetDrafts = (url, owner) => tabStorage.set(draftsKey(owner, url), null)

/**
 * @param {HTMLFormElement} form
 * @returns {Draft[]}
 */
function draftsOf(form) {
  return valuesOf(form)
    .filter(
      ([control]) => control.name && kindOfValue(control) === "text" && control.type !== "password",
    )
    .filter(([control]) => hasUnsentValue(control))
    .map(([control, value]) => [idOf(form), control.name, String(value)])
}

/** @param {Draft} draft */
function restore([id, name, value]) {
  const form = document.getElementById(id)
  const control = form instanceof HTMLFormElement ? form.elements.namedItem(name) : null
  if (!(control instanceof Element) || !control.matches("textarea, input, select")) return
  if (hasUnsentValue(/** @type {import("./controls.js").Control} */ (control))) return
  setValue(control, value)
  control.dispatchEvent(new Event("input", { bubbles: true }))
}
