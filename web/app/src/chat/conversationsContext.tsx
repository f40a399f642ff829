import { useConversations, useErrand } from "@errand/react";
import type { Conversations } from "@errand/react";
import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
import { ConversationTitleDocument } from "./operations";

const Context = createContext<Conversations | null>(null);

/** Follows the conversations once for all views. */
export function ConversationsProvider({ children }: { children: ReactNode }) {
  return <Context value={useConversations()}>{children}</Context>;
}

/** The conversations that are not archived, newest first. */
export function useCurrentConversations(): Conversations {
  const conversations = useContext(Context);
  if (!conversations) throw new Error("ConversationsProvider is missing");
  return conversations;
}

/** The title of a conversation, live if it is in the list; undefined while it is not known. */
export function useTitle(id: string | null): string | undefined {
  const errand = useErrand();
  const { conversations, status } = useCurrentConversations();
  const listed = conversations.find((c) => c.id === id)?.title;
  const [read, setRead] = useState<{ id: string; title: string } | null>(null);
  const isMissing = id !== null && listed === undefined && status === "ready";
  useEffect(() => {
    if (!isMissing) return;
    let ended = false;
    errand.query(ConversationTitleDocument, { id }).then(
      ({ conversation }) => !ended && setRead(conversation),
      () => {}, // the chat shows the error
    );
    return () => void (ended = true);
  }, [errand, id, isMissing]);
  return listed ?? (read?.id === id ? read?.title : undefined);
}
