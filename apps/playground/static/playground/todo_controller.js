// Clears the field when its task appears in the list.

import { application, Controller } from "../app.js"

application.register(
  "todo",
  class extends Controller {
    static targets = ["task", "text"]

    submitted() {
      this.waiting = this.textTarget.value.trim()
    }

    taskTargetConnected(task) {
      if (!this.waiting || task.textContent !== this.waiting) return
      if (this.textTarget.value.trim() === this.waiting) this.textTarget.value = ""
      this.waiting = null
    }
  },
)
