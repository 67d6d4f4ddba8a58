// What only this browser knows: which messages are mine, what time it is here, and what is being edited.

import { application, Controller } from "../app.js"
import { onState, send } from "../bellwire.js"

const MOST = 200 // characters of a message, as the server counts them
const SOON = 40 // left: then it is said

application.register(
  "social",
  class extends Controller {
    static targets = ["tools", "time", "edit", "text", "left"]
    static values = { admin: Boolean }
    #stop

    connect() {
      this.#stop = onState((state) => state === "connected" && this.#editOn())
      this.count() // what was refused, or came back, is there already
    }

    disconnect() {
      this.#stop()
    }

    // The list is the same for everyone; what somebody wrote who was signed in, they alone may edit, and an administrator may delete.
    toolsTargetConnected(tools) {
      const me = document.documentElement.dataset.user
      const mine = me && tools.dataset.owner === me
      if (mine || this.adminValue) tools.hidden = false
      if (mine) tools.querySelector("[bw-send='open edit page']").hidden = false
    }

    timeTargetConnected(time) {
      const at = new Date(time.dateTime)
      const year = at.getFullYear() === new Date().getFullYear() ? undefined : "numeric"
      time.title = at.toLocaleString()
      time.textContent = at.toLocaleString([], { day: "numeric", month: "short", year, hour: "2-digit", minute: "2-digit" })
    }

    /** The message is there: the form is for the next one. What was typed meanwhile stays. */
    added({ detail: { data } }) {
      if (this.textTarget.value !== data.text) return
      this.textTarget.value = ""
      this.count()
    }

    count() {
      const left = MOST - [...this.textTarget.value.trim()].length
      this.leftTarget.textContent = left > SOON ? `At most ${MOST} characters` : `${left} left`
      this.leftTarget.toggleAttribute("data-over", left < 0)
    }

    // A new socket does not know what is being edited here, and would not say that somebody else has changed it.
    #editOn() {
      for (const form of this.editTargets) send("open edit page", { id: form.dataset.id })
    }
  },
)
