// The bell on the first page swings whenever its count changes, whoever rang it.

import { application, Controller } from "../app.js"

application.register("bell", class extends Controller {
  static targets = ["count"]

  connect() {
    this.changes = new MutationObserver(() => this.swing())
    this.changes.observe(this.element, { childList: true, characterData: true, subtree: true })
    this.rung = this.countTarget.textContent
  }

  disconnect() {
    this.changes.disconnect()
  }

  swing() {
    const rung = this.countTarget.textContent
    if (rung === this.rung) return
    this.rung = rung
    this.element.classList.remove("bell--ringing")
    void this.element.offsetWidth // restarts the animation when two rings come close together
    this.element.classList.add("bell--ringing")
  }

  rest({ target }) {
    if (target.closest(".bell__swing")) this.element.classList.remove("bell--ringing")
  }
})
