// Stands in for a WebSocket where the network lets none through: events from the same address. It hears and cannot speak.

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
    // It would come back by itself, but from where it stood rather than where the page does, and without spreading the tries.
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
