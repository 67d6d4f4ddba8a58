// Values of form controls, and whether the server has received them.

export const CONTROLS =
  "textarea, select, input:not([type=hidden], [type=submit], [type=button], [type=reset], [type=image])"

const settled = new WeakMap() // control → the value that reached the server

/** The editable controls of a form, each with its value. */
export function valuesOf(form) {
  return [...form.elements].filter((each) => each.matches(CONTROLS)).map((each) => [each, valueOf(each)])
}

/**
 * Records that these values (`[control, value]`) reached the server: its answer may replace them.
 */
export function settle(entries) {
  for (const [control, value] of entries) settled.set(control, value)
}

/** Whether the user may have typed or chosen a value that the server has not received. */
export function halfTyped(control) {
  const value = valueOf(control)
  return value !== defaultOf(control) && value !== settled.get(control)
}

/** The id of a form, even if the form has a field named `id`. */
export const idOf = (form) => form?.getAttribute("id") ?? ""

/**
 * The value of a control, in a comparable form; files cannot be compared and are kept as they are.
 */
export function valueOf(control) {
  if (isChoice(control)) return control.checked
  if (control.type === "file") return control.files.length ? control.files : null
  if (control.options) return JSON.stringify(Array.from(control.selectedOptions, (option) => option.value))
  return control.value
}

export function setValue(control, value) {
  if (isChoice(control)) control.checked = value
  else if (control.type === "file") control.files = value
  else if (control.options) choose([...control.options], JSON.parse(value))
  else if (control.value !== value) control.value = value
}

/** The kind of value that a control holds. */
export const sortOf = (control) => (control.type === "file" || isChoice(control) ? control.type : "text")

export const isChoice = (control) => control.type === "checkbox" || control.type === "radio"

function defaultOf(control) {
  if (isChoice(control)) return control.defaultChecked
  if (control.type === "file") return null
  if (control.options) return defaultChoice(control)
  if (control.tagName === "TEXTAREA") return control.defaultValue
  // A range or color input has a default value without an attribute: read it from a new input.
  const blank = document.createElement("input")
  for (const name of ["type", "min", "max", "step", "value"]) {
    if (control.hasAttribute(name)) blank.setAttribute(name, control.getAttribute(name))
  }
  return blank.value
}

function defaultChoice(select) {
  const options = [...select.options]
  const chosen = options.filter((option) => option.defaultSelected)
  if (select.multiple) return JSON.stringify(chosen.map((option) => option.value))
  const one = chosen.at(-1) ?? (select.size > 1 ? null : options.find((option) => !option.disabled))
  return JSON.stringify(one ? [one.value] : [])
}

function choose(options, values) {
  if (!values.every((value) => options.some((option) => option.value === value))) return // outdated
  for (const option of options) option.selected = values.includes(option.value)
}
