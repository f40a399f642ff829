import { createGraphiQLFetcher, type Fetcher, type FetcherOpts, type FetcherParams } from "@graphiql/toolkit";
import type { OperationDefinitionNode } from "graphql";
import { base } from "./base";
import type { Conversation } from "./conversation";
import { chosenOperation, sentMessage, streamedConversation } from "./documents";
import { createConversation } from "./operations";
import { reasonIn, type ServerStatus } from "./serverStatus";
import type { Session } from "./session";
import type { Sink, Socket } from "./socket";

const url = new URL("graphql", base).href;

/** How long a message waits for the socket that is to stream its reply. */
const WAIT_FOR_SOCKET_MS = 2_000;

interface Parts {
  session: Session;
  server: ServerStatus;
  socket: Socket;
  conversation: Conversation;
}

/** GraphiQL's fetcher: HTTP and WebSocket as the session's user. */
export function createFetcher({ session, server, socket, conversation }: Parts): Fetcher {
  const authorized = authorizedFetch(session, server);
  const http = createGraphiQLFetcher({ url, fetch: authorized });

  return async (params, options) => {
    if (params.operationName === "IntrospectionQuery") return schema(params, options);
    const { document, operation } = chosenOperation(params.query, params.operationName);
    const request = { ...params, operationName: operation?.name?.value };
    if (operation?.operation === "subscription") return subscription(request, operation);
    const send = (request: FetcherParams) => http(request, { ...options, documentAST: document });
    // A token that the user has entered may belong to another user than the socket's.
    const asSession = !new Headers(options?.headers).has("authorization");
    return operation?.operation === "mutation" && asSession ? mutation(request, operation, send) : send(request);
  };

  /** Rejects on an error: GraphiQL answers a result without data with another request. */
  async function schema(params: FetcherParams, options: FetcherOpts | undefined) {
    const result: any = await http(params, options);
    if (!result.data) throw new Error(result.errors?.[0]?.message);
    return result;
  }

  /** An observable, not an async generator, whose return() waits for the pending value: "stop" must be immediate. */
  function subscription(request: FetcherParams, operation: OperationDefinitionNode): any {
    const id = streamedConversation(operation, request.variables ?? {});
    return {
      subscribe(sink: Sink) {
        const { add, release } = id ? conversation.hold(id) : { add: conversation.add, release() {} };
        const next = (payload: unknown) => {
          add(payload);
          sink.next(payload);
        };
        const error = (errors: { message: string }[]) => {
          add({ errors });
          release();
          sink.error(errors);
        };
        const complete = () => {
          release();
          sink.complete();
        };
        return { unsubscribe: socket.subscribe(request, { next, error, complete }) };
      },
    };
  }

  /** Streams the conversation of a sendMessage before the message is sent, so that no part of the reply is missed. */
  async function mutation(
    request: FetcherParams,
    operation: OperationDefinitionNode,
    send: (request: FetcherParams) => any,
  ) {
    const message = sentMessage(operation, request.variables ?? {});
    if (!message) return send(request);
    const id = message.conversationId ?? (message.withConversation && (await newConversation()));
    if (id) {
      conversation.open(id);
      if (conversation.state.get().follow) await socket.sent(WAIT_FOR_SOCKET_MS);
      return send({ ...request, variables: message.withConversation?.(id) ?? request.variables });
    }
    // The document has no place for an id: the result has the new conversation.
    return observed(await send(request), (result) => {
      const created = result?.data?.sendMessage?.conversation?.id;
      if (typeof created === "string") conversation.open(created);
    });
  }

  /** The id of a new conversation; undefined on an error, which the message then meets too. */
  async function newConversation(): Promise<string | undefined> {
    const response = await authorized(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ query: createConversation }),
    });
    const result = await response.json();
    return result.data?.createConversation?.conversation.id;
  }
}

/** fetch with the session's token; retried once with a new token after a 401. Failures are GraphQL errors. */
function authorizedFetch(session: Session, server: ServerStatus): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    const send = async (bearer: string | null) => {
      if (bearer) headers.set("authorization", `Bearer ${bearer}`);
      return readable(await server.fetch(input, { ...init, headers }));
    };
    try {
      // A header that the user has entered takes precedence.
      if (headers.has("authorization")) return await send(null);
      const token = await session.token();
      const response = await send(token);
      if (response.status !== 401) return response;
      const reason = reasonIn(await response.clone().text()) ?? "";
      return session.refuse(token, reason) ? await send(await session.token()) : response;
    } catch (error) {
      return failure((error as Error).message);
    }
  };
}

/** The response, or a GraphQL error in place of a page or a plain text. */
async function readable(response: Response): Promise<Response> {
  if (/json|multipart/.test(response.headers.get("content-type") ?? "")) return response;
  const { status, statusText } = response;
  const reason = reasonIn(await response.text());
  return failure(`The server answered ${status} ${statusText}${reason ? `: ${reason}` : ""}`, status);
}

function failure(message: string, status = 200) {
  return Response.json({ errors: [{ message }] }, { status });
}

/** Calls see with the result, or each part of an incremental one. */
function observed(result: any, see: (result: any) => void): any {
  if (!(Symbol.asyncIterator in result)) {
    see(result);
    return result;
  }
  return (async function* () {
    for await (const part of result) {
      see(Array.isArray(part) ? part[0] : part);
      yield part;
    }
  })();
}
