// Field errors: an error is shown in the element that the field's `aria-describedby` names. As on a
// page served by HTTP, the field itself is marked with `aria-invalid`.

import { idOf } from "./controls.js"

const ERROR_PLACE = '[id^="error--"]'

/**
 * Marks the fields described by this element as invalid while it contains an error.
 *
 * @param {Element} place
 */
export function markFields(place) {
  if (!place.isConnected || !place.matches(ERROR_PLACE)) return
  const isInvalid = place.textContent?.trim() !== ""
  for (const field of document.querySelectorAll(`[aria-describedby~="${CSS.escape(place.id)}"]`)) {
    if (isInvalid) field.setAttribute("aria-invalid", "true")
    else field.removeAttribute("aria-invalid")
  }
}

/**
 * Clears all errors of a form.
 *
 * @param {HTMLFormElement} form
 */
export function clearErrors(form) {
  for (const place of form.querySelectorAll(`${ERROR_PLACE}, [id="error"]`)) {
    place.replaceChildren()
    markFields(place)
  }
}

/**
 * The element of a form for an error, since several forms of a page may have a field of the same
 * name: `error--<field>--…`, or `error--<the form's id>` for an error about the whole form.
 *
 * @param {Element | null} form
 * @param {string | null} field
 */
export function errorPlaceIn(form, field) {
  const isPlace = (/** @type {Element} */ { id }) =>
    field ? id.startsWith(`error--${field}--`) : id === `error--${idOf(form)}`
  return form ? [...form.querySelectorAll(ERROR_PLACE)].find(isPlace) : undefined
}

/**
 * Shows an error that did not arrive in a frame.
 *
 * @param {Element | null} form
 * @param {{ error: string, field: string | null }} refusal
 */
export function showError(form, { error, field }) {
  const place =
    errorPlaceIn(form, field) ?? document.getElementById(field ? `error--${field}` : "error")
  place?.replaceChildren(error)
  if (place) markFields(place)
}

/**
 * The first error in a page that was returned instead of an answer.
 *
 * @param {string} html
 * @returns {{ error: string, field: string | null } | null}
 */
export function findError(html) {
  const page = new DOMParser().parseFromString(html, "text/html") // never run
  const places = [...page.querySelectorAll(`[id="error"], ${ERROR_PLACE}`)]
  const shown = places.find((each) => each.textContent?.trim())
  if (!shown?.textContent) return null
  return { error: shown.textContent.trim(), field: shown.id.slice("error--".length) || null }
}
