import { useEditorContext } from "@graphiql/react";
import { useEffect, useRef } from "react";
import { conversationVariables } from "./operations";

/**
 * Fills the open tab's conversationId variable with the newest conversation,
 * if it is empty or was filled in by the page: an id that the user has typed is kept.
 */
export function ConversationVariable({ conversationId }: { conversationId: string }) {
  const { variableEditor, activeTabIndex } = useEditorContext({ nonNull: true });
  const filled = useRef(new Set([""]));
  useEffect(() => {
    if (!variableEditor || !conversationId) return;
    const current = conversationIn(variableEditor.getValue());
    if (current === null || !filled.current.has(current) || current === conversationId) return;
    variableEditor.setValue(conversationVariables(conversationId));
    filled.current.add(conversationId);
  }, [variableEditor, activeTabIndex, conversationId]);
  return null;
}

/** The value if conversationId is the only variable, else null. */
function conversationIn(json: string): string | null {
  try {
    const variables = JSON.parse(json);
    const only = Object.keys(variables).join() === "conversationId";
    return only && typeof variables.conversationId === "string" ? variables.conversationId : null;
  } catch {
    return null;
  }
}
