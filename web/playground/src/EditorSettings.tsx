import { useEditorContext } from "@graphiql/react";
import { useEffect } from "react";

/** Wraps long lines in the editors, names them for screen readers, and lets the Tab key leave them. */
export function EditorSettings() {
  const { queryEditor, variableEditor, headerEditor, responseEditor } = useEditorContext({ nonNull: true });
  useEffect(() => {
    for (const editor of [queryEditor, variableEditor, headerEditor]) editor?.setOption("lineWrapping", true);
    const names = { Operation: queryEditor, Variables: variableEditor, Headers: headerEditor, Result: responseEditor };
    for (const [name, editor] of Object.entries(names)) {
      editor?.getInputField().setAttribute("aria-label", name);
      // Else the focus could not leave the editor by keyboard. Lines are indented by the button that formats.
      editor?.addKeyMap({ Tab: false, "Shift-Tab": false });
    }
  }, [queryEditor, variableEditor, headerEditor, responseEditor]);
  return null;
}
