// Adds what depends on this browser: the tools of the user's own messages, local times, and the
// state of the forms.

import { application, Controller } from "../app.js"
import { onState, send } from "../bellwire.js"

const MAX = 200 // characters per message, as the server counts them
const WARN_AT = 40 // characters left

application.register(
  "social",
  class extends Controller {
    static targets = ["tools", "time", "edit", "text", "left", "said"]
    static values = { admin: Boolean }
    #stop

    connect() {
      this.#stop = onState((state) => state === "connected" && this.#reopenForms())
      this.count() // a rejected or restored form already contains text
    }

    disconnect() {
      this.#stop()
    }

    // The list is the same for everyone. Only its signed-in author may edit a message; an
    // administrator may also delete it.
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

    /**
     * Tells screen readers that a message was saved. Clears the form of a new one, unless its text
     * has changed in the meantime.
     */
    saved({ detail: { data } }) {
      if (!("text" in data)) return
      const isNew = !("id" in data)
      this.saidTarget.textContent = isNew ? "Your message has been sent." : "Your change has been saved."
      if (!isNew || this.textTarget.value !== data.text) return
      this.textTarget.value = ""
      this.count()
    }

    count() {
      const left = MAX - [...this.textTarget.value.trim()].length
      this.leftTarget.textContent = left > WARN_AT ? `At most ${MAX} characters` : `${left} left`
      this.leftTarget.toggleAttribute("data-over", left < 0)
    }

    // Reopens the edit forms on a new connection: the server does not know them, and would send no
    // note when someone else changes their messages.
    #reopenForms() {
      for (const form of this.editTargets) send("open edit page", { id: form.dataset.id })
    }
  },
)
