import type { ProposedChange } from "@errand/client";
import { useState } from "react";
import { useDates } from "../shell/server";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { kindIcons } from "./Changes";
import { Fields } from "./values";

interface ProposalProps {
  proposal: readonly ProposedChange[];
  expiresAt: string | null;
  approve(): Promise<boolean>;
  reject(): Promise<boolean>;
}

/** Changes that wait for the user's approval, with the buttons that decide. */
export function Proposal({ proposal, expiresAt, approve, reject }: ProposalProps) {
  const { t } = useTexts();
  const dates = useDates();
  const [busy, setBusy] = useState(false);
  const decide = (decision: () => Promise<boolean>) => {
    setBusy(true);
    void decision().finally(() => setBusy(false));
  };
  const question = t("approvals.question", { count: proposal.length });
  return (
    <section className="proposal" aria-label={question}>
      <h2>{question}</h2>
      <ul className="changes">
        {proposal.map((change) => (
          <li key={change.taskId + change.kind} className={`change kind-${change.kind.toLowerCase()}`}>
            <Icon name={kindIcons[change.kind]} />
            <div className="change-body">
              <span className="change-kind">{t(`proposal.${change.kind}`)}</span>{" "}
              <span className="task-name"><span className="number">{change.number}</span> <bdi>{change.title}</bdi></span>
              <Fields fields={change.fields} isNew={false} />
            </div>
          </li>
        ))}
      </ul>
      <div className="proposal-actions">
        <Button variant="primary" small icon="check" disabled={busy} onClick={() => decide(approve)}>{t("approvals.approve")}</Button>
        <Button small icon="close" disabled={busy} onClick={() => decide(reject)}>{t("approvals.reject")}</Button>
        {expiresAt && <span className="hint">{t("approvals.expires", { time: dates.dateTime(expiresAt) })}</span>}
      </div>
    </section>
  );
}
