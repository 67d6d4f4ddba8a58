// The browser's own notifications, for whoever has asked for them. Nothing here asks by itself.

/** Whether the person was never asked. */
export const mayAsk = () => "Notification" in window && Notification.permission === "default"

/** Asks; the browser allows it only in answer to a click. */
export const ask = () => Notification.requestPermission()

/** Shows one while nobody looks at the page. The same `id` from several windows is shown once. */
export function notify({ id, title, text, opened }) {
  if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return
  try {
    const shown = new Notification(title, { body: text, tag: id })
    shown.addEventListener("click", () => {
      window.focus()
      shown.close()
      opened()
    })
  } catch {
    // Some phones have the name, and let only a service worker use it.
  }
}
