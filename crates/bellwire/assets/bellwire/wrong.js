// What is wrong with a field stands in the place that its `aria-describedby` names. As on a page by HTTP, the field itself says so as well.

const PLACE = '[id^="error--"]'

/** The fields that this place is about are wrong as long as something is said in it. */
export function mark(place) {
  if (!place.isConnected || !place.matches(PLACE)) return
  const isWrong = place.textContent.trim() !== ""
  for (const field of document.querySelectorAll(`[aria-describedby~="${CSS.escape(place.id)}"]`)) {
    if (isWrong) field.setAttribute("aria-invalid", "true")
    else field.removeAttribute("aria-invalid")
  }
}

/** Nothing is said any more of what was wrong with a form. */
export function forgive(form) {
  for (const place of form.querySelectorAll(`${PLACE}, [id="error"]`)) {
    place.replaceChildren()
    mark(place)
  }
}
