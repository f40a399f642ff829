import assert from "node:assert/strict";

/** Collects errors: requests to other hosts, failed requests, exceptions and policy violations. */
export class Watch {
  #faults = [];
  #refusals = 0;
  #outage = false;

  constructor(page, origin) {
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) this.#faults.push(`external request: ${url}`);
    });
    page.on("websocket", (socket) => {
      if (new URL(socket.url()).host !== new URL(origin).host) this.#faults.push(`external socket: ${socket.url()}`);
    });
    page.on("requestfailed", (request) => {
      if (!this.#outage) this.#faults.push(`failed: ${request.url()} ${request.failure()?.errorText}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) this.#fault([401, 403].includes(response.status()), `${response.status()} for ${response.url()}`);
    });
    page.on("pageerror", (error) => this.#faults.push(`error: ${error.stack}`));
    // The collected errors explain the step that failed.
    page.on("close", () => this.#faults.forEach((fault) => console.error(fault)));
    page.on("console", (entry) => {
      // The browser's message for a status that the response listener has handled.
      if (entry.text().startsWith("Failed to load resource")) return;
      if (this.#outage && entry.text().startsWith("WebSocket connection to")) return;
      if (entry.type() === "error") this.#faults.push(`console: ${entry.text()}`);
    });
  }

  /** Responses with 401 or 403 are expected from now on. */
  expectRefusals(count) {
    this.#refusals = count;
  }

  /** The server may be away from now on, until the returned function is called. */
  expectOutage() {
    this.#outage = true;
    return () => (this.#outage = false);
  }

  assertClean() {
    assert.deepEqual(this.#faults, []);
    assert.equal(this.#refusals, 0, "an expected refusal did not happen");
  }

  #fault(refused, text) {
    if (refused && this.#refusals > 0) this.#refusals--;
    else this.#faults.push(text);
  }
}
