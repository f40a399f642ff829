import type { SubscribePayload } from "graphql-ws";
import { chosenOperation, cursorVariable } from "./documents";

/**
 * A subscription that continues after the last event received. graphql-ws sends the payload again after each reconnect,
 * as it is then, so the cursor of each event is stored in the variable that the document passes as "after". A document
 * without such a variable starts again from the beginning of its stream.
 */
export class Resumable {
  readonly payload: SubscribePayload & { variables: Record<string, unknown> };
  #variable: string | undefined;
  #initial: unknown;

  constructor(request: SubscribePayload) {
    this.payload = { ...request, variables: { ...request.variables } };
    const { operation } = chosenOperation(request.query, request.operationName);
    this.#variable = operation && cursorVariable(operation);
    this.#initial = this.#variable && this.payload.variables[this.#variable];
  }

  received(data: Record<string, any> | null | undefined) {
    const cursor = Object.values(data ?? {})[0]?.cursor;
    if (this.#variable && typeof cursor === "string") this.payload.variables[this.#variable] = cursor;
  }

  restart() {
    if (this.#variable) this.payload.variables[this.#variable] = this.#initial;
  }
}
