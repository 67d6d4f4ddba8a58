// The fields of a form as the data of an action.

import { setValue, valuesOf } from "./controls.js"
import { randomId } from "./outbox.js"
import { wellFormed } from "./text.js"

/** @typedef {Record<string, string | string[]>} Fields */

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} [submitter]
 * @returns {{ fields: Fields, hasFiles: boolean }} several values of one name become a list
 */
export function fieldsOf(form, submitter) {
  /** @type {Fields} */
  const fields = {}
  let hasFiles = false
  for (const [name, value] of new FormData(form, submitter)) {
    if (typeof value !== "string") hasFiles ||= value.size > 0
    else fields[name] = Object.hasOwn(fields, name) ? [fields[name], value].flat() : value
  }
  return { fields, hasFiles }
}

/**
 * The field that asks for an id, filled with a new one.
 *
 * @param {HTMLFormElement} form
 * @returns {string | null} the id; `null` if there is no such field
 */
export function renewClientId(form) {
  const field = /** @type {any} */ (form.elements.namedItem("client_id"))
  if (!field) return null
  field.value = randomId()
  return field.value
}

/**
 * Makes the text of a form well-formed, so that it equals what is sent.
 *
 * @param {HTMLFormElement} form
 */
export function repairText(form) {
  for (const [control, value] of valuesOf(form)) {
    if (typeof value === "string") setValue(control, wellFormed(value))
  }
}
