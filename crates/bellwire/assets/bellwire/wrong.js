// Field errors: an error is shown in the element that the field's `aria-describedby` names. As on a
// page served by HTTP, the field itself is marked with `aria-invalid`.

const PLACE = '[id^="error--"]'

/** Marks the fields described by this element as invalid while it contains an error. */
export function mark(place) {
  if (!place.isConnected || !place.matches(PLACE)) return
  const isWrong = place.textContent.trim() !== ""
  for (const field of document.querySelectorAll(`[aria-describedby~="${CSS.escape(place.id)}"]`)) {
    if (isWrong) field.setAttribute("aria-invalid", "true")
    else field.removeAttribute("aria-invalid")
  }
}

/** Clears all errors of a form. */
export function forgive(form) {
  for (const place of form.querySelectorAll(`${PLACE}, [id="error"]`)) {
    place.replaceChildren()
    mark(place)
  }
}
