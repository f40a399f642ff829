import { useSchemaStore } from "@graphiql/react";
import { useEffect, useSyncExternalStore } from "react";
import type { Session } from "./session";

/** Loads the schema again after the sign-in if it failed before without a token. */
export function SchemaLoader({ session }: { session: Session }) {
  const { kind } = useSyncExternalStore(session.subscribe, session.state);
  const { schema, isFetching, introspect } = useSchemaStore();
  useEffect(() => {
    const hasToken = kind === "signed-in" || kind === "pasted";
    if (hasToken && !schema && !isFetching) void introspect();
    // Depends on the session only: a failed introspection must not repeat in a loop.
  }, [kind]);
  return null;
}
