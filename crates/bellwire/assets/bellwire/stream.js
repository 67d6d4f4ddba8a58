// An event stream with the interface of a WebSocket, from the same address, for networks that block
// WebSockets. It only receives.

export class Stream {
  readyState = WebSocket.CONNECTING
  #source

  constructor(address) {
    this.#source = new EventSource(address.replace(/^ws/, "http"))
    this.#source.onopen = () => {
      this.readyState = WebSocket.OPEN
      this.onopen?.()
    }
    this.#source.onmessage = (event) => this.onmessage?.(event)
    this.#source.addEventListener("close", ({ data }) => this.#end(JSON.parse(data)))
    // An EventSource would reconnect by itself, but from its own position instead of the page's,
    // and without jitter.
    this.#source.onerror = () => this.close()
  }

  close() {
    this.#end({ code: 1006, reason: "" })
  }

  #end(close) {
    if (this.readyState === WebSocket.CLOSED) return
    this.readyState = WebSocket.CLOSED
    this.#source.close()
    this.onclose?.(close)
  }
}
