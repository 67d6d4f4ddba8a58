// Marks the drawn balls on this page's ticket. All clients receive the same bytes; only the page
// knows its numbers.

import { application, Controller } from "../app.js"

application.register(
  "bingo",
  class extends Controller {
    static targets = ["ticket", "ball", "result", "again"]

    ticketTargetConnected() {
      this.won = false
      this.resultTarget.textContent = ""
      this.againTarget.textContent = "New ticket"
    }

    ballTargetConnected(ball) {
      if (this.won || !this.hasTicketTarget) return
      const number = this.ticketTarget.querySelector(`[data-number="${ball.dataset.number}"]:not([data-marked])`)
      if (!number) return
      number.dataset.marked = ""
      number.textContent = "X"
      number.setAttribute("aria-label", `${ball.dataset.number}, marked`)
      if (!this.ticketTarget.querySelector("[data-number]:not([data-marked])")) this.win()
    }

    win() {
      this.won = true
      this.resultTarget.textContent = "Winner!"
      this.againTarget.textContent = "Play again"
    }
  },
)
