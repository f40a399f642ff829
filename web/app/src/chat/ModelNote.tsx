import { useServer } from "../shell/server";
import { useTexts } from "../texts";

/** Which model answers, and whether what the user writes leaves the machine. */
export function ModelNote() {
  const { t } = useTexts();
  const model = useServer().server?.model;
  if (!model) return null;
  const name = model.provider === "rules" ? t("chat.model.builtIn") : model.name;
  return <span data-leaves-machine={model.leavesMachine}>{model.leavesMachine ? t("chat.model.remote", { model: name, provider: model.provider }) : t("chat.model.local", { model: name })}</span>;
}
