// The elements of asks: which one sent an ask, and what it shows meanwhile.

import { beginBusy, endBusy } from "./busy.js"
import { markReceived, valuesOf } from "./controls.js"

/** @typedef {import("./asks.js").Ask} Ask */
/** @typedef {import("./outbox.js").Item} Item */

/**
 * The form of an action of an earlier page.
 *
 * @param {Item} item
 * @returns {Element | null}
 */
export function formFor({ action, form }) {
  return form
    ? document.getElementById(form)
    : document.querySelector(`form[bw-send="${CSS.escape(action)}"]`)
}

/**
 * The element of an ask. A form may have been replaced since it sent the action.
 *
 * @param {Ask | undefined} ask
 */
export function elementOf(ask) {
  if (ask?.element?.isConnected) return ask.element
  return ask?.item.form ? document.getElementById(ask.item.form) : null
}

/**
 * The form of an ask, in which its errors are shown; otherwise its element.
 *
 * @param {Ask | undefined} ask
 * @returns {Element | null}
 */
export function formOf(ask) {
  const element = /** @type {any} */ (elementOf(ask))
  if (!element || element instanceof HTMLFormElement) return element
  return element.form ?? element.closest("form") ?? element
}

/**
 * Records that the fields of a kept ask no longer count as unsent.
 *
 * @param {Ask | undefined} ask
 */
export function markSent(ask) {
  const form = elementOf(ask)
  if (!ask?.isKept || !(form instanceof HTMLFormElement)) return
  const { data } = ask.item
  markReceived(valuesOf(form).filter(([control]) => data[control.name] === control.value))
}

/**
 * Shows whether an ask is under way.
 *
 * @param {Ask & { busyElement?: Element | null }} ask
 * @param {boolean} isBusy
 */
export function setBusy(ask, isBusy) {
  if (isBusy === Boolean(ask.busyElement)) return
  const element = isBusy ? elementOf(ask) : ask.busyElement
  ask.busyElement = isBusy ? element : null
  if (element) (isBusy ? beginBusy : endBusy)(element)
}
