import { useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

/** Clears the previous user's results in every tab after a switch of users. */
export function ForgetAnswers({ switches }: { switches: number }) {
  const { tabs, responseEditor } = useEditorContext({ nonNull: true });
  useEffect(() => {
    if (switches === 0) return;
    // GraphiQL restores a tab's result from this field; there is no API to clear it.
    for (const tab of tabs) tab.response = null;
    responseEditor?.setValue("");
    // Depends on switches only: new results must not be cleared.
  }, [switches]);
  return null;
}
