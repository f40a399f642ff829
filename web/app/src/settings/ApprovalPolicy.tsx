import { isTextKey, useTexts } from "../texts";
import type { ApprovalMode, SettingsQuery, UpdateViewerInput } from "./operations";

const modes: readonly ApprovalMode[] = ["DEFAULT", "ASK", "AUTO", "NEVER"];

/** When the agent asks before it changes tasks, for each of its tools. */
export function ApprovalPolicy({ policy, update }: { policy: SettingsQuery["viewer"]["approvalPolicy"]; update(input: UpdateViewerInput): Promise<void> }) {
  const { t } = useTexts();
  const toolName = (tool: string) => {
    const key = `tool.${tool}`;
    return isTextKey(key) ? t(key) : tool;
  };
  return (
    <section aria-labelledby="settings-approvals">
      <h2 id="settings-approvals">{t("settings.approvals")}</h2>
      <p className="hint">{t("settings.approvalsHint")}</p>
      <div className="policy">
        {policy.map(({ tool, mode }) => (
          <label key={tool}>
            <span>{toolName(tool)}</span>
            <select value={mode} onChange={(event) => void update({ approvalPolicy: [{ tool, mode: event.target.value as ApprovalMode }] })}>
              {modes.map((m) => <option key={m} value={m}>{t(`settings.approval.${m}`)}</option>)}
            </select>
          </label>
        ))}
      </div>
    </section>
  );
}
