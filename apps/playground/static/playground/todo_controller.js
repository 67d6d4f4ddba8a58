// Empties the field when the task that was typed into it has come back as an item of the list.

import { application, Controller } from "../app.js"

application.register(
  "todo",
  class extends Controller {
    static targets = ["task", "text"]

    asked() {
      this.waiting = this.textTarget.value.trim()
    }

    taskTargetConnected(task) {
      if (!this.waiting || task.textContent !== this.waiting) return
      if (this.textTarget.value.trim() === this.waiting) this.textTarget.value = ""
      this.waiting = null
    }
  },
)
