import { useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

/** Wraps long lines in the editors. */
export function EditorSettings() {
  const { queryEditor, variableEditor, headerEditor } = useEditorContext({ nonNull: true });
  useEffect(() => {
    for (const editor of [queryEditor, variableEditor, headerEditor]) editor?.setOption("lineWrapping", true);
  }, [queryEditor, variableEditor, headerEditor]);
  return null;
}
