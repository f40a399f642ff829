import { useSchemaStore } from "@graphiql/react";
import { useEffect, useSyncExternalStore } from "react";
import type { Session } from "./session";

/** Asks for the schema again once there is a token, should the first attempt have failed for want of one. */
export function SchemaLoader({ session }: { session: Session }) {
  const { kind } = useSyncExternalStore(session.subscribe, session.state);
  const { schema, isFetching, introspect } = useSchemaStore();
  useEffect(() => {
    const hasToken = kind === "signed-in" || kind === "pasted";
    if (hasToken && !schema && !isFetching) void introspect();
    // Only a change of session is a reason: a schema that fails to load must not be asked for in a loop.
  }, [kind]);
  return null;
}
