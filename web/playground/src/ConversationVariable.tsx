import { useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

const STORED = "errand:filled-conversations";

/** Maximum number of ids to remember. */
const KEPT = 100;

/**
 * Keeps the open tab's conversationId variable equal to the page's conversation, if it is missing, null, or was filled
 * in by the page: an id that the user has typed is kept. GraphiQL shares tabs between visits and browser tabs, so the
 * ids that were filled in are remembered in the same storage.
 */
export function ConversationVariable({ conversationId }: { conversationId: string }) {
  const { queryEditor, variableEditor, activeTabIndex } = useEditorContext({ nonNull: true });
  useEffect(() => {
    if (!queryEditor || !variableEditor || !/\$conversationId\b/.test(queryEditor.getValue())) return;
    const variables = parsed(variableEditor.getValue());
    if (!variables) return;
    const current = variables.conversationId;
    if (current && !filled().includes(current)) return;
    if (current === (conversationId || null)) return;
    if (conversationId) localStorage.setItem(STORED, JSON.stringify([...filled(), conversationId].slice(-KEPT)));
    variableEditor.setValue(JSON.stringify({ ...variables, conversationId: conversationId || null }, null, 2));
  }, [queryEditor, variableEditor, activeTabIndex, conversationId]);
  return null;
}

/** The variables; null if they are not a JSON object. */
function parsed(json: string): Record<string, any> | null {
  try {
    const variables = JSON.parse(json.trim() || "{}");
    return typeof variables === "object" ? variables : null;
  } catch {
    return null;
  }
}

function filled(): unknown[] {
  return JSON.parse(localStorage.getItem(STORED) ?? "[]");
}
