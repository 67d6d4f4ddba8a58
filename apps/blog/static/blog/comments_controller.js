// The comments below an article. The server sends everyone the same bytes; what staff may do with a comment is added here, from a
// template that only their page has.

import { application, Controller } from "../app.js"

application.register("comments", class extends Controller {
  static targets = ["comment", "form", "error", "content", "button", "remove"]

  commentTargetConnected(comment) {
    if (!this.hasRemoveTarget || comment.querySelector(".comment__remove")) return
    const form = this.removeTarget.content.firstElementChild.cloneNode(true)
    form.action = form.getAttribute("action").replace("/0/", `/${comment.dataset.id}/`)
    form.elements.id.value = comment.dataset.id
    comment.append(form)
  }

  removeTargetConnected() {
    this.commentTargets.forEach((comment) => this.commentTargetConnected(comment))
  }

  wait({ target }) {
    if (target === this.formTarget) this.buttonTarget.disabled = true
  }

  // What was typed while it was on its way stays.
  written({ target, detail }) {
    if (target !== this.formTarget) return
    this.buttonTarget.disabled = false
    if (this.contentTarget.value !== detail.data.content) return
    this.contentTarget.value = ""
    this.contentTarget.focus({ preventScroll: true })
  }

  // What the server found wrong stands in the form already; what never reached it does not.
  refused({ target, detail }) {
    if (target !== this.formTarget) return
    this.buttonTarget.disabled = false
    if (!detail.field) this.errorTarget.textContent = detail.error
  }
})
