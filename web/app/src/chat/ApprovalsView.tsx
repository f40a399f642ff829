import { href } from "../router";
import { ViewHeader } from "../shell/ViewHeader";
import { useTexts } from "../texts";
import { Icon } from "../ui/Icon";
import { useOpenApprovals } from "./approvals";
import { Proposal } from "./Proposal";
import "./chat.css";

/** The open approvals of all conversations. */
export function ApprovalsView() {
  const { t } = useTexts();
  const { approvals, status, error, approve, reject } = useOpenApprovals();
  return (
    <>
      <ViewHeader title={t("approvals.title")} />
      <div className="view-body approvals">
        {error && <p className="notice" role="alert">{error.message}</p>}
        {status === "ready" && approvals.length === 0 && (
          <div className="empty">
            <Icon name="shield" />
            <p>{t("approvals.empty")}</p>
            <p className="hint">{t("approvals.emptyHint")}</p>
          </div>
        )}
        <ul className="approval-list">
          {approvals.map((a) => (
            <li key={a.id} data-row="">
              <a className="approval-source" href={href({ view: "chat", conversationId: a.message.conversation.id })}>
                <bdi>{t("approvals.conversation", { title: a.message.conversation.title || t("conversations.untitled") })}</bdi>
              </a>
              <Proposal proposal={a.proposal} expiresAt={a.expiresAt} approve={() => approve([a.id])} reject={() => reject([a.id])} />
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}
