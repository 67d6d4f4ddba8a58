// Animates the bell on the front page whenever the demo counter changes, from any window.

import { application, Controller } from "../app.js"

application.register("bell", class extends Controller {
  static targets = ["count"]

  connect() {
    this.changes = new MutationObserver(() => this.swing())
    this.changes.observe(this.element, { childList: true, characterData: true, subtree: true })
    this.shown = this.countTarget.textContent
  }

  disconnect() {
    this.changes.disconnect()
  }

  swing() {
    const count = this.countTarget.textContent
    if (count === this.shown) return
    this.shown = count
    this.element.classList.remove("bell--ringing")
    void this.element.offsetWidth // forces a reflow: restarts the animation if it is still running
    this.element.classList.add("bell--ringing")
  }

  rest({ target }) {
    if (target.closest(".bell__swing")) this.element.classList.remove("bell--ringing")
  }
})
