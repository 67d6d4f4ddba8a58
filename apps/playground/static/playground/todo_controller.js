// Clears the field when its task was accepted, unless something else was typed in the meantime.

import { application, Controller } from "../app.js"

application.register(
  "todo",
  class extends Controller {
    static targets = ["text"]

    accepted({ detail }) {
      if (this.textTarget.value === detail.data.task) this.textTarget.value = ""
    }
  },
)
