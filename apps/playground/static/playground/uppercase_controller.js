// Sends the text on every keystroke, and again after the socket reconnects.

import { application, Controller } from "../app.js"
import { onState, send } from "../bellwire.js"

application.register(
  "uppercase",
  class extends Controller {
    static targets = ["text"]

    connect() {
      this.stop = onState((state) => state === "connected" && this.textTarget.value && this.send())
    }

    disconnect() {
      this.stop()
    }

    send() {
      send("text in capital letters", { text: this.textTarget.value })
    }
  },
)
