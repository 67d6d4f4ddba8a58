// The comments below an article. The server sends the same bytes to everyone; for staff the removal
// form is added here, from a template that only their pages contain.

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

  // Clears the text, unless it was changed while the comment was being sent.
  written({ target, detail }) {
    if (target !== this.formTarget) return
    this.buttonTarget.disabled = false
    if (this.contentTarget.value !== detail.data.content) return
    this.contentTarget.value = ""
    this.contentTarget.focus({ preventScroll: true })
  }

  // Errors of a field are shown by the server's answer; others are shown here.
  refused({ target, detail }) {
    if (target !== this.formTarget) return
    this.buttonTarget.disabled = false
    if (!detail.field) this.errorTarget.textContent = detail.error
  }
})
