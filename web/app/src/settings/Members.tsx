import { useState } from "react";
import { CopyButton } from "../chat/Markdown";
import { useDates } from "../shell/server";
import { useTexts } from "../texts";
import { Button } from "../ui/Button";
import { messageOf, toast } from "../ui/toasts";
import type { Invitation, ServerUser } from "./useAccount";

/** The users of the server and invitations, for its owners. */
export function Members({ users, invite }: { users: readonly ServerUser[]; invite(): Promise<Invitation> }) {
  const { t } = useTexts();
  const dates = useDates();
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [isBusy, setBusy] = useState(false);
  const create = async () => {
    setBusy(true);
    try {
      setInvitation(await invite());
    } catch (error) {
      toast(messageOf(error));
    }
    setBusy(false);
  };
  return (
    <section aria-labelledby="settings-members">
      <h2 id="settings-members">{t("settings.members")}</h2>
      <ul className="entries">
        {users.map(({ id, login, name, role, disabled, createdAt }) => (
          <li key={id} data-status={disabled ? undefined : "ACTIVE"}>
            <div>
              <p className="entry-name">
                <strong dir="auto">{name || login}</strong> {name && name !== login && <span dir="auto">{login}</span>}{" "}
                <span className="status">{t(disabled ? "members.disabled" : `account.role.${role}`)}</span>
              </p>
              <p className="hint">{t("account.since", { time: dates.dateTime(createdAt) })}</p>
            </div>
          </li>
        ))}
      </ul>
      {invitation && (
        <div className="secret" role="group" aria-label={t("members.link")}>
          <p><strong>{t("members.link")}</strong></p>
          <div className="block">
            <pre tabIndex={0} dir="ltr"><code>{invitation.url}</code></pre>
            <CopyButton text={invitation.url} label="members.copy" />
          </div>
          <p className="hint" role="status">{t("members.linkHint", { time: dates.dateTime(invitation.expiresAt) })}</p>
        </div>
      )}
      <Button icon="plus" disabled={isBusy} onClick={() => void create()}>{t("members.invite")}</Button>
    </section>
  );
}
