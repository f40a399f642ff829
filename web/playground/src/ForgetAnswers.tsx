import { useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

/** Takes the last person's answers out of every tab when the page changes hands. */
export function ForgetAnswers({ switches }: { switches: number }) {
  const { tabs, responseEditor } = useEditorContext({ nonNull: true });
  useEffect(() => {
    if (switches === 0) return;
    // GraphiQL shows a tab's answer from here when it is opened again; there is no other way to it.
    for (const tab of tabs) tab.response = null;
    responseEditor?.setValue("");
    // Only a switch is a reason: what a new answer changes must stay.
  }, [switches]);
  return null;
}
