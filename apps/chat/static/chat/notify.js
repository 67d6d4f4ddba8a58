// Browser notifications, for users who turned them on. Nothing here requests permission by itself.

/** Whether the browser has not asked for permission yet. */
export const mayAsk = () => "Notification" in window && Notification.permission === "default"

/** Requests permission. Browsers allow this only in response to a click. */
export const ask = () => Notification.requestPermission()

/** Shows a notification if the page is hidden. The same `id` from several windows shows once. */
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
    // Some mobile browsers define `Notification`, but only service workers can show one.
  }
}
