// Elements whose asks are under way: `aria-busy`, `data-bw-busy`, and buttons with `bw-disable`.

/** @typedef {{ asks: number, disabled: HTMLButtonElement[], focused: Element | null }} Busy */

/** @type {WeakMap<Element, Busy>} */
const busy = new WeakMap()

/**
 * Begins an ask of this element.
 *
 * @param {Element} element
 */
export function beginBusy(element) {
  const known = busy.get(element)
  if (known) {
    known.asks++
    return
  }
  const focused = document.activeElement
  const disabled = buttonsOf(element).filter((button) => !button.disabled)
  busy.set(element, { asks: 1, disabled, focused })
  element.setAttribute("aria-busy", "true")
  element.setAttribute("data-bw-busy", "")
  for (const button of disabled) button.disabled = true
}

/**
 * Ends an ask of this element.
 *
 * @param {Element} element
 */
export function endBusy(element) {
  const known = busy.get(element)
  if (!known || --known.asks > 0) return
  busy.delete(element)
  element.removeAttribute("aria-busy")
  element.removeAttribute("data-bw-busy")
  for (const button of known.disabled) enable(button, known.focused)
}

/**
 * @param {HTMLButtonElement} button
 * @param {Element | null} focused the element that had the focus before
 */
function enable(button, focused) {
  button.disabled = false
  if (button === focused && document.activeElement === document.body)
    button.focus({ preventScroll: true })
}

/**
 * @param {Element} element
 * @returns {HTMLButtonElement[]}
 */
function buttonsOf(element) {
  const own = element instanceof HTMLFormElement ? [...element.elements] : [element]
  return /** @type {HTMLButtonElement[]} */ (
    own.filter((each) => each.matches("[bw-disable]") && "disabled" in each)
  )
}
