import { useSchemaStore } from "@graphiql/react";
import { useEffect } from "react";
import { reasonIn, type ServerStatus } from "./serverStatus";
import type { Session } from "./session";
import { useStore } from "./store";

interface Props {
  session: Session;
  server: ServerStatus;
  onError(reason: string): void;
}

/** Loads the schema again after a sign-in, or when the server responds again, if it failed before. */
export function SchemaLoader({ session, server, onError }: Props) {
  const { kind } = useStore(session.state);
  const reachable = useStore(server.state) === "up";
  const { schema, isFetching, fetchError, introspect } = useSchemaStore();
  useEffect(() => {
    const hasToken = kind === "signed-in" || kind === "pasted";
    if (hasToken && reachable && !schema && !isFetching) void introspect();
    // Not for each change of the store: a failed introspection must not repeat in a loop.
  }, [kind, reachable]);
  useEffect(() => onError((fetchError && reasonIn(fetchError)) ?? ""), [fetchError]);
  return null;
}
