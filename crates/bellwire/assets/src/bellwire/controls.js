// Values of form controls, and whether the server has received them.

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */

export const CONTROLS =
  "textarea, select, input:not([type=hidden], [type=submit], [type=button], [type=reset], [type=image])"

/** @type {WeakMap<Control, unknown>} the value of a control that the server has received */
const received = new WeakMap()

/**
 * The editable controls of a form, each with its value.
 *
 * @param {HTMLFormElement} form
 * @returns {[Control, unknown][]}
 */
export function valuesOf(form) {
  const controls = /** @type {Control[]} */ (
    [...form.elements].filter((each) => each.matches(CONTROLS))
  )
  return controls.map((each) => [each, readValue(each)])
}

/**
 * Records that the server has received these values: its answer may replace them.
 *
 * @param {[Control, unknown][]} entries
 */
export function markReceived(entries) {
  for (const [control, value] of entries) received.set(control, value)
}

/**
 * Whether the user may have typed or chosen a value that the server has not received.
 *
 * @param {Control} control
 */
export function hasUnsentValue(control) {
  const value = readValue(control)
  return value !== defaultOf(control) && value !== received.get(control)
}

/**
 * The id of a form, even if the form has a field named `id`.
 *
 * @param {Element | null | undefined} form
 */
export const idOf = (form) => form?.getAttribute("id") ?? ""

/**
 * The value of a control, in a comparable form; files cannot be compared and are kept as they are.
 *
 * @param {any} control
 * @returns {unknown}
 */
export function readValue(control) {
  if (isChoice(control)) return control.checked
  if (control.type === "file") return control.files.length ? control.files : null
  if (control.options)
    return JSON.stringify(Array.from(control.selectedOptions, (option) => option.value))
  return control.value
}

/**
 * @param {any} control
 * @param {any} value from `readValue`
 */
export function setValue(control, value) {
  if (isChoice(control)) control.checked = value
  else if (control.type === "file") control.files = value
  else if (control.options) choose([...control.options], JSON.parse(value))
  else if (control.value !== value) control.value = value
}

/**
 * The kind of value that a control holds.
 *
 * @param {any} control
 */
export const kindOfValue = (control) =>
  control.type === "file" || isChoice(control) ? control.type : "text"

/** @param {any} control */
export const isChoice = (control) => control.type === "checkbox" || control.type === "radio"

/** @param {any} control */
function defaultOf(control) {
  if (isChoice(control)) return control.defaultChecked
  if (control.type === "file") return null
  if (control.options) return defaultChoice(control)
  if (control.tagName === "TEXTAREA") return control.defaultValue
  return defaultOfInput(control)
}

// A range or color input has a default value without an attribute: read it from a new input.
function defaultOfInput(/** @type {HTMLInputElement} */ input) {
  const blank = document.createElement("input")
  for (const name of ["type", "min", "max", "step", "value"]) {
    const value = input.getAttribute(name)
    if (value !== null) blank.setAttribute(name, value)
  }
  return blank.value
}

/** @param {HTMLSelectElement} select */
function defaultChoice(select) {
  const options = [...select.options]
  const chosen = options.filter((option) => option.defaultSelected)
  if (select.multiple) return JSON.stringify(chosen.map((option) => option.value))
  const one = chosen.at(-1) ?? (select.size > 1 ? null : options.find((option) => !option.disabled))
  return JSON.stringify(one ? [one.value] : [])
}

/**
 * @param {HTMLOptionElement[]} options
 * @param {string[]} values
 */
function choose(options, values) {
  if (!values.every((value) => options.some((option) => option.value === value))) return // outdated
  for (const option of options) option.selected = values.includes(option.value)
}
